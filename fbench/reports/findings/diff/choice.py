"""Which of two sides to take, by a rule that is stated beforehand, and whether anything changed at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from fbench.reports.findings.comparisons.verdicts import ONE_SEED
from fbench.reports.findings.diff.answer import changed_cost_words
from fbench.reports.findings.diff.imported import imported_changes
from fbench.reports.findings.diff.model import (
    SIDES,
    AccuracyRow,
    Choice,
    Cost,
    CostRow,
    CostVerdict,
    DataAccuracy,
)
from fbench.reports.findings.gate.change import MeasuredChange, Unknown
from fbench.reports.findings.gate.subjects import ComparedPair
from fbench.reports.formatting import count, listing, margin, number, plural, points_range

RULE: Final = (
    "The rule: take the side that is more accurate beyond chance, in one pair of networks or more, and less accurate "
    "in none. Where accuracy is equivalent or undecided, that is said, and the cheaper side is named only if a cost "
    "differs beyond its interval and none speaks against it. The preset smoke and single seeds decide nothing."
)

_MOST_NAMED: Final = 6


@dataclass(frozen=True)
class Standing:
    """How B stands to A in the accuracy of one pair of networks; ``why`` is for what could not be tested, and
    ``interval`` in fractions of 1."""

    label: str
    data: str
    outcome: Literal["better", "worse", "equivalent", "undecided", "untested"]
    estimate: float = 0.0
    interval: tuple[float, float] = (0.0, 0.0)
    margin: float = 0.0
    below_margin: bool = False
    same_answers: bool = False
    why: str = ""


def choose(
    pairs: Sequence[ComparedPair],
    names: tuple[str, str],
    accuracy: Sequence[DataAccuracy],
    no_accuracy: Sequence[str],
    cost: Cost,
) -> Choice:
    """Apply :data:`RULE` to what was found of the pairs; ``names`` are those of the sides."""
    found = [*_standings(accuracy), *_imported_standings(pairs)]
    if same := _nothing_changed(pairs, accuracy, found, cost):
        return Choice("same", same)
    tested = [one for one in found if one.outcome != "untested"]
    if found and not tested:
        return Choice("neither", f"{_neither()}: {found[0].why}; nothing is decided.")
    better = [one for one in tested if one.outcome == "better"]
    worse = [one for one in tested if one.outcome == "worse"]
    if better and worse:
        return Choice(
            "neither",
            f"{_neither()} in all: B is more accurate beyond chance in {_labels(better)}, A in {_labels(worse)}.",
        )
    if better or worse:
        side = 1 if better else 0
        words = f"Take {SIDES[side]} ({names[side]}): {_lead(better or worse, tested, side)}."
        return Choice(SIDES[side], words, f"{_also(cost)}{_mixed(accuracy)}".strip())
    return _by_cost(tested, names, accuracy, no_accuracy, cost)


def _standings(accuracy: Sequence[DataAccuracy]) -> Iterator[Standing]:
    for data in accuracy:
        yield from (_standing(row, data) for row in data.rows)


def _standing(row: AccuracyRow, data: DataAccuracy) -> Standing:
    one = row.comparison
    if not one.is_tested:
        return Standing(row.label, data.data, "untested", same_answers=row.same_answers, why=one.untested or ONE_SEED)
    return Standing(
        row.label,
        data.data,
        one.verdict,
        one.estimate,
        one.equivalence_interval if one.verdict == "equivalent" else one.interval,
        data.margin,
        one.decision.below_margin,
        row.same_answers,
    )


def _imported_standings(pairs: Sequence[ComparedPair]) -> Iterator[Standing]:
    """Of pairs of which a side was imported, by intervals that hold for all of them together."""
    for pair, data, change in imported_changes(pairs, together=True):
        if isinstance(change, Unknown):
            yield Standing(pair.label, data, "untested", why=change.why)
        else:
            yield Standing(pair.label, data, _sign(change), change.estimate, (change.low, change.high))


def _sign(change: MeasuredChange) -> Literal["better", "worse", "undecided"]:
    return "better" if change.low > 0 else "worse" if change.high < 0 else "undecided"


def _nothing_changed(
    pairs: Sequence[ComparedPair], accuracy: Sequence[DataAccuracy], found: Sequence[Standing], cost: Cost
) -> str:
    """That everything which both hold is equal; empty where something is not, or nothing is known of accuracy."""
    rows = [row for group in cost.groups for row in group.rows]
    if any(data.refused for data in accuracy) or not found or not all(one.same_answers for one in found):
        return ""
    if any(row.verdict in ("dearer", "cheaper") for row in rows):
        return ""
    counted = [row for row in rows if row.metric.rests_on == "counts"]
    measured = [row for row in rows if row.metric.rests_on != "counts" and not row.change.exact]
    same = "same trials" if all(map(_same_trials, pairs)) else "the same answers to every image with every seed"
    parts = [same, *(["equal counts"] if counted else [])]
    times = "; no measured cost differs beyond its interval" if measured else ""
    alone = [f"only {letter} has {listing(names)}" for letter, names in zip(SIDES, _alone(pairs), strict=True) if names]
    start = "Nothing changed in what both have" if alone else "Nothing changed"
    return f"{start}: {', '.join(parts)}{times}{''.join(f'; {words}' for words in alone)}."


def _same_trials(pair: ComparedPair) -> bool:
    theirs, ours = (
        {key for key, record in side.run.trials.items() if record.spec.network.name == network} if side.run else set()
        for side, network in ((pair.base, pair.base_network), (pair.new, pair.new_network))
    )
    return bool(ours) and ours == theirs


def _alone(pairs: Sequence[ComparedPair]) -> tuple[list[str], list[str]]:
    """Networks that only A or only B holds, where whole runs are compared."""
    base, new = pairs[0].base, pairs[0].new
    if base.network is not None or new.network is not None:
        return [], []
    return (
        [name for name in base.networks if name not in new.networks],
        [name for name in new.networks if name not in base.networks],
    )


def _neither() -> str:
    return f"Neither {SIDES[0]} nor {SIDES[1]} is shown to be better"


def _lead(decided: Sequence[Standing], tested: Sequence[Standing], side: int) -> str:
    """By how much the side to take is more accurate, or in how many pairs."""
    other = SIDES[1 - side]
    if len(tested) > 1:
        of_all = f"{count(len(decided))} of {plural(len(tested), 'comparison')} ({_labels(decided)})"
        return f"it is more accurate than {other} beyond chance in {of_all} and less accurate in none"
    one = decided[0]
    low, high = one.interval if side else (-one.interval[1], -one.interval[0])
    small = f", though certainly by less than the {margin(one.margin)} that matter" if one.below_margin else ""
    return (
        f"it is more accurate than {other} beyond chance, by {number(100 * abs(one.estimate))} points on {one.data} "
        f"({points_range(low, high)}){small}"
    )


def _also(cost: Cost) -> str:
    """In what B is dearer and cheaper, where it is."""
    verdicts: tuple[CostVerdict, ...] = ("dearer", "cheaper")
    words = [f"{verdict} in {changed_cost_words(cost, verdict)}" for verdict in verdicts if _has(cost, verdict)]
    return f" {SIDES[1]} is {'; it is '.join(words)}." if words else ""


def _by_cost(
    tested: Sequence[Standing],
    names: tuple[str, str],
    accuracy: Sequence[DataAccuracy],
    no_accuracy: Sequence[str],
    cost: Cost,
) -> Choice:
    """Where accuracy names no side."""
    equivalent = bool(tested) and all(one.outcome == "equivalent" for one in tested)
    words = _accuracy_words(tested, accuracy, no_accuracy)
    cheaper, dearer = _has(cost, "cheaper"), _has(cost, "dearer")
    if cheaper == dearer:
        told = (
            f"cost differs both ways, B is cheaper in {changed_cost_words(cost, 'cheaper')} and dearer in "
            f"{changed_cost_words(cost, 'dearer')}"
            if cheaper
            else "no cost differs beyond its interval"
            if cost.groups
            else "no cost is known of both"
        )
        return Choice("neither", f"{_neither()}: {words}; {told}.", _mixed(accuracy).strip())
    side = 1 if cheaper else 0
    changes = changed_cost_words(cost, "cheaper" if cheaper else "dearer")
    told = f"the cheaper one, as B is {'cheaper' if cheaper else 'dearer'} in {changes}"
    if equivalent:
        sentence = f"Take {SIDES[side]} ({names[side]}): {words}, and it is {told}."
        return Choice(SIDES[side], sentence, _mixed(accuracy).strip())
    sentence = f"{_neither()}: {words}; {SIDES[side]} ({names[side]}) is {told}."
    return Choice("neither", sentence, _mixed(accuracy).strip())


def _accuracy_words(tested: Sequence[Standing], accuracy: Sequence[DataAccuracy], no_accuracy: Sequence[str]) -> str:
    if not tested:
        refused = next((data.refused[0] for data in accuracy if data.refused), "")
        reason = next(iter(no_accuracy), refused) or "it is known of one side at most"
        return f"accuracy is not compared ({reason.removesuffix('.')})"
    if len(tested) == 1:
        return _one(tested[0])
    numbers = {word: sum(one.outcome == word for one in tested) for word in ("equivalent", "undecided")}
    within = f" within {margin(tested[0].margin)}" if numbers["equivalent"] else ""
    if not numbers["undecided"]:
        return f"accuracy is equivalent{within} in all {plural(len(tested), 'comparison')}"
    equal = f" and equivalent{within} in {count(numbers['equivalent'])}" if numbers["equivalent"] else ""
    return f"accuracy is undecided in {count(numbers['undecided'])} of {plural(len(tested), 'comparison')}{equal}"


def _one(one: Standing) -> str:
    same = ", with the same answers to these images" if one.same_answers else ""
    within = f" within {margin(one.margin)}" if one.outcome == "equivalent" else ""
    return f"accuracy on {one.data} is {one.outcome}{within} ({points_range(*one.interval)} points{same})"


def _mixed(accuracy: Sequence[DataAccuracy]) -> str:
    if not any(data.mixed for data in accuracy):
        return ""
    return " The trials of A and B were not made alike, so that the settings of training may make the difference."


def _has(cost: Cost, verdict: CostVerdict) -> bool:
    return any(row.verdict == verdict for row in _rows(cost))


def _rows(cost: Cost) -> Iterator[CostRow]:
    for group in cost.groups:
        yield from group.rows


def _labels(found: Sequence[Standing]) -> str:
    names = list(dict.fromkeys(one.label for one in found))
    more = len(names) - _MOST_NAMED
    return listing([*names[:_MOST_NAMED], *([f"{count(more)} more"] if more > 0 else [])])
