"""One network to take, by a rule that is stated beforehand; or why none can be named yet, and what to try next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.comparisons.budget import ShortBudget
from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.findings.comparisons.headline import nothing_finished
from fbench.reports.findings.comparisons.studies import StudyResult
from fbench.reports.findings.comparisons.summary import NetworkSummary
from fbench.reports.findings.next_step import NextStep
from fbench.reports.findings.origin.provenance import repeat_command
from fbench.reports.findings.overview.contenders import Contender
from fbench.reports.formatting import chance, count, listing, margin, millions, percent, plural


@dataclass(frozen=True)
class Recommendation:
    """What to take.

    Attributes:
        network: the one to take; none where none can be named yet.
        sentence: what is recommended and why, or why nothing is.
        reason: what it rests on, in a sentence or more; perhaps empty.
        command: what to try next, as it is typed; empty where nothing is left to try.
        effort: how much longer that takes than this run did, in words; empty where it is not known.
    """

    network: str | None
    sentence: str
    reason: str
    command: str = ""
    effort: str = ""


RULE = (
    "The rule: of the networks that are not worse than the best by more than the margin, by Hsu’s comparison with the "
    "best at 95 %, the one with the fewest MACs; none while trainings are shorter than the protocol’s own."
)


def recommend(
    evidence: Evidence,
    summary: Sequence[NetworkSummary],
    found: Sequence[Contender],
    results: Sequence[StudyResult],
    budget: ShortBudget | None,
    next_step: NextStep,
) -> Recommendation:
    """Apply :data:`RULE` to one run on one data set; ``found`` are its contenders."""
    if not summary:
        return Recommendation(None, nothing_finished(evidence), "")
    rows = [row for row in evidence.run.plan if row.data == evidence.recorded_data]
    if missing := {row.trial_id for row in evidence.run.missing()} & {row.trial_id for row in rows}:
        return Recommendation(
            None, f"No recommendation yet: {count(len(missing))} of {plural(len(rows), 'trial')} are not run yet.", ""
        )
    if not found:
        return Recommendation(None, f"No recommendation: {_why_not(evidence, summary)}.", "", next_step.command)
    allowed = margin_of(results)
    close = [one for one in found if one.bound.low > -allowed]
    if not close:
        return Recommendation(
            None,
            f"No recommendation yet: no network is shown to be within {margin(allowed)} of the best.",
            _which_may_be_best(found),
            next_step.command or _longer(evidence.run, budget),
            "" if next_step.command else _effort(evidence, budget),
        )
    best = min(close, key=lambda one: _expense(one.summary))
    if budget is not None:
        share = chance(budget.image_passes / budget.own)
        return Recommendation(
            None,
            f"No recommendation yet: a training saw {share} % of the protocol’s own {count(budget.own)} image passes.",
            f"At this budget the rule names {_named(best, close, allowed)}. {_which_may_be_best(found)}",
            _longer(evidence.run, budget),
            _effort(evidence, budget),
        )
    return Recommendation(
        best.network, f"Take {_named(best, close, allowed)}.", _which_may_be_best(found), next_step.command
    )


def margin_of(results: Sequence[StudyResult]) -> float:
    """The difference that matters, a fraction of 1: the smallest of the studies, or a point without any."""
    return min((result.margin for result in results), default=0.01)


def _why_not(evidence: Evidence, summary: Sequence[NetworkSummary]) -> str:
    if evidence.is_smoke:
        return "the preset smoke only shows that everything runs"
    learned = [row for row in summary if not row.trials.collapsed]
    if len(learned) < 2:
        return "fewer than two networks learned" if len(summary) > 1 else "one network has nothing to be held against"
    return "one training of a network tells nothing of the chance of a seed"


def _expense(row: NetworkSummary) -> tuple[float, float, float]:
    """MACs, then parameters, then accuracy; what is not known comes last."""
    inf = float("inf")
    cost = row.cost
    return cost.macs or inf, cost.trainable_params or inf, -row.accuracy.new_images.estimate


def _named(best: Contender, close: Sequence[Contender], allowed: float) -> str:
    row = best.summary
    accuracy = f"top-1 {percent(row.accuracy.new_images.estimate)} %"
    macs = f", {millions(row.cost.macs)} million MACs" if row.cost.macs else ""
    if len(close) == 1:
        only = f"the only network that is shown to be within {margin(allowed)} of the best"
        return f"{best.network} ({accuracy}{macs}), {only}"
    return (
        f"{best.network} ({accuracy}{macs}): the fewest MACs of the {plural(len(close), 'network')} that are shown to "
        f"be within {margin(allowed)} of the best"
    )


def _which_may_be_best(found: Sequence[Contender]) -> str:
    names = [one.network for one in found if one.bound.may_be_best]
    if len(names) == 1:
        return f"Most accurate: {names[0]}, beyond chance."
    return f"The most accurate may be any of {len(names)}: {listing(names)}."


def _longer(run: RunTable, budget: ShortBudget | None) -> str:
    return repeat_command(run, preset="full") if budget is not None else ""


def _effort(evidence: Evidence, budget: ShortBudget | None) -> str:
    """How many times the images of this run its trainings would see at the protocol's budget, and how long they would
    take at the pace of these."""
    if budget is None:
        return ""
    times = [record.times for one in evidence.networks.values() for record in one.records if record.times]
    factor = budget.own / budget.image_passes
    at_a_time = max((one.concurrent_trials for one in times), default=1)
    hours = factor * sum(one.train_time_s for one in times) / at_a_time / 3600
    if not times:
        return ""
    words = f"{hours:.3g} hours" if hours >= 1 else "less than an hour"
    return f"{factor:.3g} times the images: about {words} on such a machine, {count(at_a_time)} at a time"
