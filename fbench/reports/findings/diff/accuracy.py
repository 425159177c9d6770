"""The accuracy of pairs of networks, B minus A, where both were tested on the same images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fbench.benchmark.records.protocol import WORDS
from fbench.reports.findings.comparisons.alike import training_settings
from fbench.reports.findings.comparisons.budget import short_budget
from fbench.reports.findings.comparisons.comparison import Comparison, seeds_to_decide
from fbench.reports.findings.comparisons.evidence import Evidence, NetworkEvidence
from fbench.reports.findings.comparisons.families import CorrectedFamily
from fbench.reports.findings.comparisons.learning import (
    LearnedComparison,
    collapsed_seeds,
    compare_evidence,
    learned_comparison,
)
from fbench.reports.findings.comparisons.studies import why_untested
from fbench.reports.findings.comparisons.units import NEW_UNITS
from fbench.reports.findings.costs.cost_change import CostChange
from fbench.reports.findings.diff.model import SIDES, AccuracyRow, DataAccuracy
from fbench.reports.findings.gate.subjects import ComparedPair
from fbench.reports.formatting import listing, percent, percent_range
from fbench.statistics.comparison.networks import NetworkComparison
from fbench.statistics.comparison.verdict import LEVEL, NOTHING_TESTED, FamilyMember, decide
from fbench.statistics.single import summarise

MARGIN: Final = 0.01
"""The difference in accuracy that matters in practice, unless a study says otherwise."""

_NAMED_FIELDS: Final = 6


class _Compared(NamedTuple):
    """A pair before its family is known."""

    pair: ComparedPair
    base: NetworkEvidence
    new: NetworkEvidence
    difference: NetworkComparison
    learned: LearnedComparison | None


def compare_accuracy(pairs: Sequence[ComparedPair]) -> tuple[DataAccuracy, ...]:
    """Every pair on every data set that both sides hold."""
    base = {evidence.data.name: evidence for evidence in pairs[0].base.evidence}
    common = [evidence for evidence in pairs[0].new.evidence if evidence.data.name in base]
    return tuple(_on_data(pairs, base[new.data.name], new, f"data{index}") for index, new in enumerate(common, start=1))


def why_no_accuracy(pair: ComparedPair) -> tuple[str, ...]:
    """What keeps accuracies from being compared at all, in sentences."""
    sides = (pair.base, pair.new)
    without = [letter for letter, side in zip(SIDES, sides, strict=True) if side.run is None]
    if without:
        are = "is a measurement" if len(without) == 1 else "are measurements"
        return (f"{listing(without)} {are} of speed, which says nothing of accuracy.",)
    names = [[evidence.data.name for evidence in side.evidence] for side in sides]
    return tuple(
        f"Only {letter} has trials on {listing(alone)}."
        for letter, ours, theirs in ((SIDES[0], *names), (SIDES[1], *reversed(names)))
        if (alone := [name for name in ours if name not in theirs])
    )


def _on_data(pairs: Sequence[ComparedPair], base: Evidence, new: Evidence, key: str) -> DataAccuracy:
    compared: list[_Compared] = []
    refused: list[str] = []
    mixed: dict[str, list[str]] = {}
    same_images = _same_images(base, new)
    for pair in pairs:
        theirs, ours = base.networks.get(pair.base_network), new.networks.get(pair.new_network)
        if theirs is None or ours is None:
            refused.append(_absent(pair, theirs, ours))
        elif not same_images:
            refused.append(_on_other_images(pair, theirs, ours))
        else:
            learned = learned_comparison(ours, theirs)
            found = learned.learned if learned else compare_evidence(ours, theirs)
            compared.append(_Compared(pair, theirs, ours, found, learned))
            mixed.setdefault(_mixed_words(theirs, ours), []).append(pair.label)
    family = CorrectedFamily("the pairs of the two runs", len(pairs), "holm")
    rows = _rows(compared, why_untested(base, new), family)
    return DataAccuracy(
        key=key,
        data=new.data.name,
        split_words=new.split_words,
        synthetic=new.data.synthetic or base.data.synthetic,
        rows=rows,
        refused=tuple(refused),
        mixed=tuple(
            f"{_for_pairs(labels, compared)} trials of A and B were not made alike: {words} differ. A difference "
            "in accuracy mixes these settings with the networks."
            for words, labels in mixed.items()
            if words
        ),
        margin=MARGIN,
        budget=short_budget(new.run.config, new.data) or short_budget(base.run.config, base.data),
        family=family,
        new_units=NEW_UNITS[new.unit],
    )


def _rows(compared: Sequence[_Compared], untested: str, family: CorrectedFamily) -> tuple[AccuracyRow, ...]:
    neither_learned = [one.base.collapsed and one.new.collapsed for one in compared]
    members = [
        FamilyMember(
            one.difference.new_images,
            MARGIN,
            neither_learned=unlearned,
            with_collapsed=one.learned.every.new_images if one.learned else None,
        )
        for one, unlearned in zip(compared, neither_learned, strict=True)
    ]
    decisions = (
        [NOTHING_TESTED] * len(compared) if untested else decide(members, family.correction, planned=family.size)
    )
    found = []
    for one, decision, unlearned in zip(compared, decisions, neither_learned, strict=True):
        difference = one.difference
        used = {*difference.our_seeds, *difference.their_seeds}
        collapsed = collapsed_seeds((one.base, one.new)) if one.learned else set()
        undecided = decision.verdict == "undecided" and not (unlearned or untested)
        level = LEVEL / family.size if math.isnan(decision.level) else decision.level
        theirs, ours = _of_seeds(one.base, difference.their_seeds), _of_seeds(one.new, difference.our_seeds)
        comparison = Comparison(
            network=f"{one.pair.new_network} in B",
            baseline=f"{one.pair.base_network} in A",
            difference=difference,
            decision=decision,
            analysis=None,
            analysis_lost=False,
            unpaired_seeds=tuple(sorted({*one.new.seeds, *one.base.seeds} - used - collapsed)),
            more=seeds_to_decide(one.new, one.base, difference, MARGIN, level) if undecided else None,
            cost=CostChange(None, None, None, None),
            collapses=(one.new.collapses, one.base.collapses),
            neither_learned=unlearned,
            untested=untested,
            learned=one.learned,
            unit=one.new.unit,
        )
        same = difference.pairing == "paired" and np.array_equal(ours, theirs)
        found.append(AccuracyRow(one.pair.label, comparison, float(theirs.mean()), float(ours.mean()), same))
    return tuple(found)


def _of_seeds(side: NetworkEvidence, seeds: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    return side.correct[[side.seeds.index(seed) for seed in seeds]]


def _same_images(base: Evidence, new: Evidence) -> bool:
    """Whether both were tested on the same images in the same order: one data set, or the same names and labels."""
    if not base.networks or not new.networks or base.split != new.split:
        return False
    theirs, ours = (next(iter(side.networks.values())) for side in (base, new))
    if theirs.correct.shape[1] != ours.correct.shape[1] or base.class_names != new.class_names:
        return False
    if base.data.fingerprint == new.data.fingerprint:
        return True
    if base.folds or new.folds:  # whose images are in as many records
        return False
    before, after = (
        side.run.predictions(found.records[0])[side.split] for side, found in ((base, theirs), (new, ours))
    )
    if before.sample_ids is None or after.sample_ids is None:
        return False
    return np.array_equal(before.sample_ids, after.sample_ids) and np.array_equal(before.labels, after.labels)


def _absent(pair: ComparedPair, base: NetworkEvidence | None, new: NetworkEvidence | None) -> str:
    absent = [
        f"{network} in {letter}"
        for letter, network, found in zip(SIDES, (pair.base_network, pair.new_network), (base, new), strict=True)
        if found is None
    ]
    return f"{pair.label} cannot be compared: no trial has finished of {listing(absent)}."


def _on_other_images(pair: ComparedPair, base: NetworkEvidence, new: NetworkEvidence) -> str:
    words = []
    for letter, found in zip(SIDES, (base, new), strict=True):
        accuracy = summarise(found.correct, clusters=found.clusters).new_images
        words.append(f"{percent(accuracy.estimate)} % ({percent_range(accuracy.low, accuracy.high)}) in {letter}")
    return (
        f"{pair.label}: top-1 is {words[0]} and {words[1]}, but on other test images; a difference would mix these and "
        "the settings with the networks, so that none is tested."
    )


def _mixed_words(base: NetworkEvidence, new: NetworkEvidence) -> str:
    """The settings in which the trials of two networks differ, for a sentence; empty where they do not."""
    theirs, ours = (training_settings(found.records[0]) for found in (base, new))
    names = [
        field.replace(".", ": ").replace("_", " ")
        for field in dict.fromkeys([*theirs, *ours])
        if theirs.get(field) != ours.get(field) and field.partition(".")[2] not in WORDS
    ]
    if len(names) > _NAMED_FIELDS:
        names = [*names[:_NAMED_FIELDS], f"{len(names) - _NAMED_FIELDS} more"]
    return listing(names)


def _for_pairs(labels: Sequence[str], compared: Sequence[_Compared]) -> str:
    return "The" if len(labels) == len(compared) else f"{listing(labels)}: the"
