"""The figures that stand among tables and sentences of a data set's part of the report, each with its title."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fbench.reports.figures.ablations import ablations_forest
from fbench.reports.figures.critical_difference import RankedNetworks, critical_difference_diagram
from fbench.reports.figures.drawing import Illustration, illustrate, with_narrow
from fbench.reports.figures.interaction import interaction_plot
from fbench.reports.figures.pareto import ParetoPoint, pareto_chart
from fbench.reports.figures.performance_profile import performance_profiles
from fbench.reports.findings.comparisons.budget import ShortBudget, with_budget
from fbench.reports.findings.comparisons.factors import FactorSection
from fbench.reports.findings.comparisons.many import ManyResult
from fbench.reports.findings.comparisons.summary import NetworkSummary
from fbench.reports.findings.comparisons.units import NEW_UNITS
from fbench.reports.findings.costs.machines import TimesApart
from fbench.reports.findings.overview.ablations import Ablation
from fbench.reports.findings.overview.gather import Overview
from fbench.reports.formatting import count, margin, percent, percent_range, plural, significant
from fbench.reports.palette import Style
from fbench.reports.render.html.amounts import seeds_and_images, seeds_words
from fbench.reports.render.html.drawn import ALL_UP_TO

Styles = Mapping[str, Style]


def pareto_figures(
    summary: Sequence[NetworkSummary], apart: TimesApart, styles: Styles, key: str
) -> tuple[Illustration, ...]:
    """Accuracy against parameters, MACs, latency and training time; a chart needs two networks whose cost is known.

    Latency is that of the machine on which most networks were timed, where there are several.
    """
    main = apart.measured[0] if apart.measured else None
    on_main = f" on machine {main.letter}" if main else ""
    costs = {
        "params": ("trainable parameters, thousands", [_scaled(r.cost.trainable_params, 1e-3) for r in summary]),
        "macs": ("MACs, millions", [_scaled(r.cost.macs, 1e-6) for r in summary]),
        "latency": (
            f"latency at batch 1{on_main}, ms",
            [r.cost.latency_p50_ms if main is None or r.network in main.networks else None for r in summary],
        ),
        "training": ("training time of a trial, s", [_unshared_train_time_s(r) for r in summary]),
    }
    figures = []
    for name, (label, values) in costs.items():
        points = [_point(row, cost) for row, cost in zip(summary, values, strict=True) if cost]
        if len(points) > 1:
            title = f"Top-1, %, against {label}; {seeds_and_images(row.trials for row in summary)}"
            figures.append(illustrate(f"{key}-pareto-{name}", title, pareto_chart, points, styles, label))
    return tuple(figures)


def _unshared_train_time_s(row: NetworkSummary) -> float | None:
    """The training time of a trial that had the machine for itself; that of others is no cost of the network."""
    return row.train_time_s if row.concurrent_trials == 1 else None


def ablations_figure(found: Overview, data: str, budget: ShortBudget | None, key: str) -> Illustration | None:
    """The forest plot of all ablations on a data set, also for a telephone; none where nothing could be compared."""
    rows, absent = _most_accurate(found.ablations), found.without_result
    if not rows:
        return None
    each = f"{seeds_words(row.comparison.difference.seeds for row in rows)} each"
    less = f", those of the most accurate of {len(found.ablations)}" if len(rows) < len(found.ablations) else ""
    title = with_budget(f"{plural(len(rows), 'ablation')} on {data}{less}, top-1 in points, {each}", budget)
    marks = [
        "thick: interval at the level of its test, thin: of 95 % for itself"
        if any(row.comparison.is_tested for row in rows)
        else "",
        "dots: pairs of seeds" if any(row.by_seed for row in rows) else "",
        f"band: the margin of {' or '.join(margin(size) for size in sorted({row.margin for row in rows}))}",
    ]
    wide = illustrate(key, f"{title}; {', '.join(filter(None, marks))}", ablations_forest, rows, absent)
    return with_narrow(wide, illustrate(key, title, ablations_forest, rows, absent, "above"))


def _most_accurate(found: Sequence[Ablation]) -> tuple[Ablation, ...]:
    """The rows that can be looked at in one figure, in their order: of more those whose networks are ahead of all."""
    if len(found) <= ALL_UP_TO:
        return tuple(found)
    order = sorted(range(len(found)), key=lambda place: -found[place].comparison.estimate)
    return tuple(found[place] for place in sorted(order[:ALL_UP_TO]))


def interaction_figure(section: FactorSection, title: str, styles: Styles, key: str) -> Illustration | None:
    """The interaction plot of a study of crossed factors; none where it could not be analysed."""
    if section.analysis is None:
        return None
    return illustrate(
        key,
        f"{title}: top-1 of every combination, %; {seeds_words([len(section.analysis.seeds)])}",
        interaction_plot,
        section.analysis,
        styles,
    )


def many_figures(result: ManyResult, styles: Styles, key: str) -> tuple[Illustration, Illustration | None]:
    """The critical-difference diagram, and performance profiles where their band excludes anything."""
    ranked = RankedNetworks(
        networks=result.blocks.networks,
        average_ranks=result.average_ranks,
        groups=result.groups,
        critical_difference=result.critical_difference,
    )
    runs = plural(len(result.blocks.blocks), "run")
    title = f"Average ranks over {runs}, 1 is best"
    diagram = illustrate(f"{key}-ranks", title, critical_difference_diagram, ranked, styles)
    if not result.profiles:
        return diagram, None
    title = f"Share of {runs} above each top-1, %"
    return diagram, illustrate(f"{key}-profiles", title, performance_profiles, result.profiles, styles)


def _point(row: NetworkSummary, cost: float) -> ParetoPoint:
    accuracy = row.accuracy.new_images
    return ParetoPoint(row.network, cost, accuracy.estimate, accuracy.low, accuracy.high, _words(row))


def _words(row: NetworkSummary) -> str:
    """What is known of a network, a line for each fact."""
    accuracy, cost = row.accuracy.new_images, row.cost
    interval = f"{NEW_UNITS[row.trials.unit]} {percent_range(accuracy.low, accuracy.high)}"
    lines = [
        row.network,
        f"top-1 {percent(accuracy.estimate)} % ({interval})",
        f"{count(cost.trainable_params)} parameters" if cost.trainable_params else "",
        f"{significant(cost.macs / 1e6)} million MACs" if cost.macs else "",
        f"{significant(cost.latency_p50_ms)} ms at batch 1" if cost.latency_p50_ms else "",
        f"{significant(row.train_time_s)} s of training" if row.train_time_s else "",
    ]
    return "\n".join(line for line in lines if line)


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
