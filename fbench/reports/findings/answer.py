"""The answer in a few sentences: which classes no network knows, what came first, what to take for which budget, what
matters, what holds, what is open, and how many trainings learned.

Each is written from the results and left out where they say nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from fbench.reports.findings.claims.section import ClaimsSection
from fbench.reports.findings.comparisons.budget import ShortBudget, short_budget
from fbench.reports.findings.comparisons.comparison import Comparison
from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.findings.comparisons.headline import nothing_finished, strength
from fbench.reports.findings.comparisons.learning import learning_sentence, unknown_classes_sentence
from fbench.reports.findings.comparisons.studies import StudyResult
from fbench.reports.findings.comparisons.summary import NetworkSummary, by_accuracy
from fbench.reports.findings.comparisons.units import NEW_UNITS
from fbench.reports.findings.comparisons.verdicts import roughly
from fbench.reports.findings.origin.provenance import budget_words
from fbench.reports.findings.origin.tuning import given_settings
from fbench.reports.findings.overview.contenders import Contender
from fbench.reports.findings.tradeoffs.fronts import FrontResult, FrontRow, FrontStep
from fbench.reports.formatting import (
    count,
    listing,
    margin,
    number,
    percent,
    percent_range,
    plural,
    points_range,
    significant,
)

_MOST_NAMED: Final = 8
_MOST_STEPS: Final = 2
_BUDGETS: Final = {"parameters": "For few parameters", "latency": "for a short latency"}


@dataclass(frozen=True)
class AnswerSentence:
    """One sentence of the answer and what it is about, in a word or two."""

    topic: str
    text: str


def answer(
    evidence: Evidence,
    summary: Sequence[NetworkSummary],
    front: FrontResult | None,
    studies: Sequence[StudyResult],
    claims: ClaimsSection | None,
    found_contenders: Sequence[Contender] = (),
) -> tuple[AnswerSentence, ...]:
    """At most seven sentences on one run and data set; ``claims`` none where they are told elsewhere."""
    if not summary:
        return (AnswerSentence("Nothing yet", nothing_finished(evidence)),)
    rows = _different_rows(studies)
    baselines = {row.network: row.baseline for result in reversed(studies) for row in result.comparisons}
    found = [
        AnswerSentence("Missed", unknown_classes_sentence(evidence)),
        AnswerSentence("First", _first(evidence, summary, found_contenders)),
        AnswerSentence("Cheap", _budgets(front) if front else ""),
        AnswerSentence("What matters", _what_matters(rows, studies, short_budget(evidence.run.config, evidence.data))),
        AnswerSentence("Claims", claims.summary if claims else ""),
        AnswerSentence("Undecided", _undecided(rows)),
        AnswerSentence("Learning", learning_sentence(evidence, baselines)),
    ]
    return tuple(one for one in found if one.text)


def _first(evidence: Evidence, summary: Sequence[NetworkSummary], found: Sequence[Contender]) -> str:
    config, best = evidence.run.config, by_accuracy(summary)[0]
    images = best.accuracy.new_images
    data = f"synthetic faces ({evidence.data.name})" if evidence.data.synthetic else evidence.data.name
    trained = (
        f"{plural(len(summary), 'network')} {'was' if len(summary) == 1 else 'were'} trained on {data} with "
        f"{_seeds(evidence)} (protocol {config.protocol.name}, preset {config.preset}: "
        f"{budget_words(config.budget, config.protocol)})"
    )
    given = f", {words}, " if (words := given_settings(config.protocol)) else " "
    reached = "reached" if len(summary) == 1 else "came first with"
    what = (
        f"{best.network} {reached} top-1 {percent(images.estimate)} % on the {evidence.split_words} "
        f"(95 % interval for {NEW_UNITS[evidence.unit]}{given}{percent_range(images.low, images.high)})"
    )
    return f"{trained}; {what}{_lead(found)}{strength(evidence)}."


def _lead(found: Sequence[Contender]) -> str:
    """Which others may be the most accurate, by paired differences corrected over all."""
    names = [one.network for one in found[1:] if one.bound.may_be_best]
    if not names:
        return ""
    shown = names if len(names) <= _MOST_NAMED else [*names[:_MOST_NAMED], f"{len(names) - _MOST_NAMED} more"]
    return f", and {listing(shown)} may be as accurate or more"


def _budgets(front: FrontResult) -> str:
    """For parameters and latency: the cheapest network of the front, and what the next ones add."""
    found = [
        _budget(front, axis, words)
        for start, words in _BUDGETS.items()
        for axis, (name, _) in enumerate(front.axes)
        if name.startswith(start)
    ]
    return f"{'; '.join(found)}." if found else ""


def _budget(front: FrontResult, axis: int, goal: str) -> str:
    name, unit = front.axes[axis]
    members = sorted(
        (row for row in front.rows if (cell := row.cells[axis]) is not None and cell.on_front),
        key=lambda row: _cost(row, axis),
    )
    cheapest = members[0]
    words = f"{goal} {cheapest.network} ({_amount(cheapest, axis, unit)}, {percent(cheapest.accuracy)} %)"
    steps = [step for step in front.steps if step.axis == name]
    if not steps:
        return f"{words}, which no dearer network beats" if len(members) == 1 else words
    shown = [_step(step, next(row for row in members if row.network == step.dearer), axis) for step in steps]
    return f"{words}, then {listing(shown[:_MOST_STEPS])}"


def _step(step: FrontStep, row: FrontRow, axis: int) -> str:
    gain = step.price.points
    more = f"{number(gain.estimate)} points more than {step.cheaper}"
    return f"{row.network} ({_amount(row, axis, step.unit)}; {more}, {points_range(gain.low / 100, gain.high / 100)})"


def _amount(row: FrontRow, axis: int, unit: str) -> str:
    cost = _cost(row, axis)
    return f"{count(cost)} trainable parameters" if unit == "parameters" else f"{significant(cost)} {unit}"


def _cost(row: FrontRow, axis: int) -> float:
    cell = row.cells[axis]
    return cell.cost.estimate if cell else float("inf")


def _different_rows(studies: Sequence[StudyResult]) -> list[tuple[Comparison, StudyResult]]:
    """Each pair of networks once, as the first study with it says."""
    found: dict[tuple[str, str], tuple[Comparison, StudyResult]] = {}
    for result in studies:
        for row in result.comparisons:
            if row.is_tested:
                found.setdefault((row.network, row.baseline), (row, result))
    return list(found.values())


def _what_matters(
    rows: Sequence[tuple[Comparison, StudyResult]], studies: Sequence[StudyResult], budget: ShortBudget | None
) -> str:
    real = [row for row, _ in rows if row.verdict in ("better", "worse")]
    equal = [(row, result) for row, result in rows if row.verdict == "equivalent"]
    if not rows:
        return ""
    sentences = [f"against {baseline}: {_gains(found)}" for baseline, found in _by_baseline(real)]
    sentences += [
        f"{row.network} is as good as {row.baseline} within {margin(result.margin)}"
        for row, result in equal[:_MOST_NAMED]
    ]
    if not sentences:
        none = f"o difference of the {plural(len(studies), 'study', 'studies')} is more than chance."
        return f"At this budget n{none}" if budget else f"N{none}"
    kinds = list(dict.fromkeys(NEW_UNITS[row.unit] for row, _ in rows))
    where = f"At this budget and on {' and '.join(kinds)}" if budget else f"On {' and '.join(kinds)}"
    return f"{where}, {'; '.join(sentences)}."


def _by_baseline(rows: Sequence[Comparison]) -> Iterable[tuple[str, list[Comparison]]]:
    ordered = sorted(rows, key=lambda row: row.baseline)
    return [(baseline, list(found)) for baseline, found in groupby(ordered, key=lambda row: row.baseline)]


def _gains(rows: Sequence[Comparison]) -> str:
    """The largest differences first: ``a gains 1.4 points, b loses 2.9``."""
    ordered = sorted(rows, key=lambda row: -abs(row.estimate))
    shown = [
        f"{row.network} {'gains' if row.verdict == 'better' else 'loses'} {number(100 * abs(row.estimate))}"
        for row in ordered[:_MOST_NAMED]
    ]
    shown[0] += " points"
    more = len(ordered) - len(shown)
    return listing([*shown, f"{more} more differ"] if more else shown)


def _undecided(rows: Sequence[tuple[Comparison, StudyResult]]) -> str:
    open_rows = [row for row, _ in rows if row.verdict == "undecided"]
    if not open_rows:
        return ""
    shown = [
        f"{row.network} against {row.baseline} ({points_range(*row.interval)} points{_seeds_wanted(row)})"
        for row in open_rows[:_MOST_NAMED]
    ]
    more = len(open_rows) - len(shown)
    return f"Chance could explain {listing([*shown, f'{more} more'] if more else shown)}."


def _seeds_wanted(row: Comparison) -> str:
    if row.neither_learned:
        return "; neither learned"
    seeds = row.more.seeds if row.more else None
    chance = f"about {count(roughly(seeds))} seeds would tell with a chance of 80 %" if seeds else ""
    return f"; if that is the difference, {chance}" if chance else ""


def _seeds(evidence: Evidence) -> str:
    counts = evidence.seed_counts
    if len(counts) == 1:
        return f"{plural(counts[0], 'seed')}{' each' if len(evidence.networks) > 1 else ''}"
    return f"{counts[0]} to {counts[-1]} seeds each"
