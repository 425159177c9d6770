"""The answer in a few sentences, written from the results: what changed, and whether it matters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from fbench.reports.findings.comparisons.budget import with_budget
from fbench.reports.findings.comparisons.verdicts import ONE_SEED, verdict_sentence
from fbench.reports.findings.diff.model import (
    AccuracyRow,
    Cost,
    CostGroup,
    CostRow,
    CostVerdict,
    DataAccuracy,
    DiffAnswer,
    Settings,
)
from fbench.reports.findings.gate.change import MeasuredChange
from fbench.reports.findings.gate.judge import Gate
from fbench.reports.findings.gate.metrics import GateMetric
from fbench.reports.formatting import listing, margin, minus, plural, points, points_range

_ALL_IN_SENTENCES: Final = 6
"""With more comparisons, those without a real difference are named with their intervals alone."""

_MOST_COSTS: Final = 3


def answers(
    settings: Settings, accuracy: Sequence[DataAccuracy], no_accuracy: Sequence[str], cost: Cost, gate: Gate | None
) -> Iterator[DiffAnswer]:
    """The sentences at the top of the page, below which side to take: accuracy, the conditions, cost, the settings."""
    for data in accuracy:
        yield _accuracy_answer(data)
    for sentence in no_accuracy:
        yield DiffAnswer(sentence)
    if gate is not None:
        yield DiffAnswer(f"Of the conditions, {gate.summary}")
    yield from _cost_answers(cost)
    yield DiffAnswer(_settings_sentence(settings))


def accuracy_sentence(row: AccuracyRow, data: DataAccuracy) -> str:
    """What is known of one pair of networks, without the full stop."""
    one = row.comparison
    if row.same_answers:
        seeds = plural(one.difference.seeds, "seed")
        images = f"the same of {plural(one.difference.images, 'image')}"
        return (
            f"{one.network} and {one.baseline} are right on {images} with every seed ({seeds}): no difference on these"
        )
    return verdict_sentence(one, data)


def accuracy_sentences(data: DataAccuracy, *, short: bool = False) -> Iterator[str]:
    """A sentence for each pair, or for many that came out alike; ``short``: for all without a real difference."""
    for word, rows in _groups(data).items():
        if word == "untested" and len(rows) > 1:
            for reason in dict.fromkeys(row.comparison.untested for row in rows):
                alike = [row for row in rows if row.comparison.untested == reason]
                yield f"Not tested, as {reason or ONE_SEED}: {', '.join(map(_named, alike))}."
        elif word in _LIST_WORDS and (short or (word == "same" and len(rows) > 1)):
            yield f"{_LIST_WORDS[word]}: {', '.join(map(_named, rows))}."
        else:
            yield from (f"{accuracy_sentence(row, data)}." for row in rows)


def share_words(share: float, metric: GateMetric) -> str:
    """A change with its sign and unit: ``+5.1 %``, ``−0.3 pt``."""
    text = f"{100 * share:+.1f}"
    return f"{minus(text) if float(text) else '0.0'} {metric.unit}"


def interval_words(change: MeasuredChange, metric: GateMetric) -> str:
    """The interval of a change, or why there is none."""
    if change.exact:
        return "exact"
    if not change.bounded:
        return "too few samples"
    return f"{share_words(change.low, metric)} to {share_words(change.high, metric)}"


def changed_cost_words(cost: Cost, verdict: CostVerdict) -> str:
    """The costs that came out so, with their changes; of several pairs of networks, of how many."""
    groups = [group for group in cost.groups if verdict in group.verdicts]
    rows = [row for group in groups for row in group.rows if row.verdict == verdict]
    if len(cost.groups) == 1:
        shown = [_row_words(row) for row in rows[:_MOST_COSTS]]
        more = len(rows) - len(shown)
        return listing([*shown, f"{more} more"] if more else shown)
    names = list(dict.fromkeys(row.metric.says for row in rows))
    shown, more = names[:_MOST_COSTS], len(names) - _MOST_COSTS
    words = listing([*shown, f"{more} more"] if more > 0 else shown)
    return f"{words} (of {len(groups)} of {plural(len(cost.groups), 'pair')} of networks)"


def _settings_sentence(settings: Settings) -> str:
    if not settings.differing:
        return "Nothing in the settings differs." if settings.same else "No setting is known of both."
    same = f"; {listing(settings.same)} {'is' if len(settings.same) == 1 else 'are'} the same" if settings.same else ""
    return f"The settings differ in {listing(settings.topics)}{same}."


def _accuracy_answer(data: DataAccuracy) -> DiffAnswer:
    if not data.rows:
        return DiffAnswer(f"Accuracy on {data.data} is not compared.", data.refused)
    mixed = "; differences mix the networks with the settings of training" if data.mixed else ""
    start = with_budget(f"Accuracy on {data.data}, B against A", data.budget)
    if len(data.rows) == 1:
        return DiffAnswer(f"{start}{mixed}: {accuracy_sentence(data.rows[0], data)}.", data.refused)
    groups = _groups(data)
    counted = [_GROUP_WORDS[word].format(len(rows), margin(data.margin)) for word, rows in groups.items()]
    return DiffAnswer(
        f"{start}, of {plural(len(data.rows), 'pair')} of networks{mixed}: {listing(counted)}.",
        tuple(accuracy_sentences(data, short=len(data.rows) > _ALL_IN_SENTENCES)) + data.refused,
    )


_GROUP_WORDS: Final = {
    "better": "{} better",
    "worse": "{} worse",
    "same": "{} with the same answers",
    "equivalent": "{} equivalent within {}",
    "undecided": "{} undecided",
    "untested": "{} not tested",
}
_LIST_WORDS: Final = {
    "same": "Right on the same images, seed by seed",
    "equivalent": "Equivalent",
    "undecided": "Undecided",
}


def _groups(data: DataAccuracy) -> dict[str, list[AccuracyRow]]:
    """The rows by how they came out, without those groups that none is in."""
    found = {word: [row for row in data.rows if _group(row) == word] for word in _GROUP_WORDS}
    return {word: rows for word, rows in found.items() if rows}


def _group(row: AccuracyRow) -> str:
    if row.same_answers:
        return "same"
    return row.comparison.verdict if row.comparison.is_tested else "untested"


def _named(row: AccuracyRow) -> str:
    if row.same_answers:
        return row.label
    if not row.comparison.is_tested:
        return f"{row.label} ({points(row.comparison.difference.new_images.estimate)})"
    return f"{row.label} ({points_range(*row.comparison.interval)})"


def _cost_answers(cost: Cost) -> Iterator[DiffAnswer]:
    for remark in cost.remarks:
        yield DiffAnswer(remark)
    if not cost.groups:
        yield DiffAnswer("No cost is known of both.")
        return
    changed = [group for group in cost.groups if any(row.verdict in ("dearer", "cheaper") for row in group.rows)]
    if not changed:
        yield DiffAnswer("No cost changed by more than chance.")
        return
    if len(cost.groups) == 1:
        yield DiffAnswer(f"Cost of B beside A, by more than chance: {_group_words(changed[0])}.")
        return
    yield DiffAnswer(
        f"Cost changed by more than chance in {len(changed)} of {plural(len(cost.groups), 'pair')} of networks.",
        tuple(f"{group.label}: {_group_words(group)}." for group in changed),
    )


def _group_words(group: CostGroup) -> str:
    found = {word: [_row_words(row) for row in group.rows if row.verdict == word] for word in ("dearer", "cheaper")}
    return "; ".join(f"{word} in {listing(rows)}" for word, rows in found.items() if rows)


def _row_words(row: CostRow) -> str:
    change = row.change
    interval = "" if change.exact else f", {interval_words(change, row.metric)}"
    return f"{row.metric.says} ({share_words(change.estimate, row.metric)}{interval})"
