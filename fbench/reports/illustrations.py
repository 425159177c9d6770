"""Which figures a data set's part of the report has, each with its title."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fbench.reports.document import Illustration
from fbench.reports.evidence import Evidence
from fbench.reports.factors import FactorSection
from fbench.reports.figures.canvas import use_page_colours
from fbench.reports.figures.confusion import MOST_CLASSES, confusion_heatmap
from fbench.reports.figures.critical_difference import RankedNetworks, critical_difference_diagram
from fbench.reports.figures.forest import forest_plot
from fbench.reports.figures.interaction import interaction_plot
from fbench.reports.figures.learning import Quantity, learning_curves
from fbench.reports.figures.pareto import ParetoPoint, pareto_chart
from fbench.reports.figures.performance_profile import performance_profiles
from fbench.reports.many import ManyResult
from fbench.reports.palette import Appearance
from fbench.reports.studies import StudyResult
from fbench.reports.summary import NetworkSummary

Looks = Mapping[str, Appearance]


def pareto_figures(summary: Sequence[NetworkSummary], looks: Looks, key: str) -> tuple[Illustration, ...]:
    """Accuracy against parameters, MACs and latency; a chart needs two networks whose cost is known."""
    costs = {
        "params": (
            "trainable parameters, thousands",
            [_scaled(r.cost.trainable_params, 1e-3) for r in summary],
        ),
        "macs": ("MACs, millions", [_scaled(r.cost.macs, 1e-6) for r in summary]),
        "latency": ("latency at batch 1, ms", [r.cost.latency_p50_ms for r in summary]),
    }
    figures = []
    for name, (label, values) in costs.items():
        points = [_point(row, cost) for row, cost in zip(summary, values, strict=True) if cost]
        if len(points) > 1:
            svg = pareto_chart(points, looks, label, f"{key}-pareto-{name}")
            figures.append(Illustration(f"Top-1 against {label}", use_page_colours(svg, looks)))
    return tuple(figures)


def forest_figure(result: StudyResult, looks: Looks, key: str) -> Illustration | None:
    """The forest plot of a study; none where nothing could be compared."""
    if not result.comparisons:
        return None
    svg = forest_plot(result.comparisons, looks, key)
    return Illustration(f"{result.study.title}: difference from {result.study.baseline}", use_page_colours(svg, looks))


def interaction_figure(section: FactorSection, title: str, looks: Looks, key: str) -> Illustration | None:
    """The interaction plot of a study of crossed factors; none where it could not be analysed."""
    if section.analysis is None:
        return None
    svg = interaction_plot(section.analysis, looks, key)
    return Illustration(f"{title}: every combination", use_page_colours(svg, looks))


def many_figures(result: ManyResult, looks: Looks, key: str) -> tuple[Illustration, Illustration | None]:
    """The critical-difference diagram, and performance profiles where their band excludes anything."""
    ranked = RankedNetworks(
        networks=result.blocks.networks,
        average_ranks=result.average_ranks,
        groups=result.groups,
        critical_difference=result.critical_difference,
    )
    svg = critical_difference_diagram(ranked, looks, f"{key}-ranks")
    diagram = Illustration("Average ranks, 1 is best", use_page_colours(svg, looks))
    if not result.profiles:
        return diagram, None
    svg = performance_profiles(result.profiles, looks, f"{key}-profiles")
    return diagram, Illustration("Share of runs above each accuracy", use_page_colours(svg, looks))


def learning_figures(evidence: Evidence, networks: Sequence[str], looks: Looks, key: str) -> tuple[Illustration, ...]:
    """Accuracy and loss of some networks over epochs; empty where a curve would be a single point."""
    chosen = {network: evidence.networks[network] for network in networks}
    if max((len(history) for found in chosen.values() for history in found.histories), default=0) < 2:
        return ()
    wanted: tuple[tuple[Quantity, str], ...] = (("top1", "Accuracy"), ("loss", "Loss"))
    return tuple(
        Illustration(
            f"{title} over epochs",
            use_page_colours(learning_curves(chosen, looks, quantity, f"{key}-{quantity}"), looks),
        )
        for quantity, title in wanted
    )


def confusion_figures(evidence: Evidence, looks: Looks, key: str) -> tuple[Illustration, ...]:
    """One matrix per network, the mean over its seeds; empty where there are too many classes to read."""
    if len(evidence.class_names) > MOST_CLASSES:
        return ()
    figures = []
    for place, (network, found) in enumerate(evidence.networks.items(), start=1):
        counts = found.confusion.sum(axis=0)
        images = counts.sum(axis=1, keepdims=True)
        rates = np.where(images > 0, counts / np.maximum(images, 1), np.nan)
        svg = confusion_heatmap(rates, evidence.class_names, network, f"{key}-confusion{place}")
        figures.append(Illustration(f"Confusion matrix of {network}", use_page_colours(svg, looks)))
    return tuple(figures)


def _point(row: NetworkSummary, cost: float) -> ParetoPoint:
    accuracy = row.accuracy.new_images
    return ParetoPoint(row.network, cost, accuracy.estimate, accuracy.low, accuracy.high)


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor
