"""How much a network differs in accuracy from one whose results were imported, as far as that can be told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import SplitName
from fbench.benchmark.records.imported import NOT_TRAINED_HERE, ImportedResults
from fbench.benchmark.records.specs import DataUnit
from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.findings.comparisons.studies import why_untested
from fbench.reports.findings.comparisons.units import NEW_UNITS
from fbench.reports.findings.comparisons.usable import SPLIT_WORDS
from fbench.reports.findings.gate.change import MeasuredChange, Unknown, Unmeasured
from fbench.reports.findings.gate.subjects import ComparedPair, Side
from fbench.reports.formatting import listing, plural
from fbench.statistics.clusters import Clusters, clusters_of
from fbench.statistics.comparison.accuracies import accuracies_difference
from fbench.statistics.comparison.networks import compare_networks


@dataclass(frozen=True)
class _Answers:
    """A network on a split: accuracies (R,), and where they are known the answers (R, C) to its images' labels (C,)."""

    data: str
    fingerprint: str | None
    split: SplitName
    accuracies: npt.NDArray[np.float64]
    images: int | None
    correct: npt.NDArray[np.bool_] | None
    labels: npt.NDArray[np.integer] | None
    clusters: Clusters | None
    unit: DataUnit
    untested: str = ""
    collapsed: str = ""


def imported_accuracy(pair: ComparedPair, confidence: float) -> list[tuple[str, MeasuredChange | Unknown]]:
    """The difference in accuracy of a pair of which a side was imported, with the data set's name.

    Seeds are never pairs: equal numbers mean nothing between two programs. Where both sides' answers to the same images
    are known the difference is for new images and seeds, else for these images alone.
    """
    first = next(side.imported for side in (pair.base, pair.new) if side.imported is not None)
    theirs, ours = (
        _answers(side, network, first)
        for side, network in ((pair.base, pair.base_network), (pair.new, pair.new_network))
    )
    for word, found in zip(pair.words, (theirs, ours), strict=True):
        if isinstance(found, str):
            return [(first.data.name, Unmeasured(f"{word} {found}"))]
    if isinstance(theirs, str) or isinstance(ours, str):
        raise TypeError("both were answers")
    return [(first.data.name, _compared(pair, theirs, ours, confidence))]


def _answers(side: Side, network: str, first: ImportedResults) -> _Answers | str:
    """What a side says, or why it says nothing, after its name."""
    if side.imported is not None:
        return _of_import(side.imported, network)
    wanted = first.data
    named = [one for one in side.evidence if wanted.name in (one.data.name, one.data.source)]
    alike = [one for one in side.evidence if wanted.fingerprint == one.data.fingerprint]
    found = alike if wanted.fingerprint is not None else named
    if not found:
        return f"has other images under the name {wanted.name}" if named else f"has no accuracy on {wanted.name}"
    if network not in found[0].networks:
        return f"has no finished trial of {network}"
    return _of_run(found[0], network)


def _of_import(imported: ImportedResults, network: str) -> _Answers:
    data, trainings = imported.data, imported.networks[network]
    has_predictions = imported.has_predictions(network)
    labels = np.array(data.labels, dtype=np.int64)
    return _Answers(
        data=data.name,
        fingerprint=data.fingerprint,
        split=data.split,
        accuracies=np.array([one.top1 for one in trainings]),
        images=data.images,
        correct=np.array([one.predicted for one in trainings]) == labels if has_predictions else None,
        labels=labels if has_predictions else None,
        clusters=clusters_of(list(data.clusters)) if data.clusters and len(set(data.clusters)) > 1 else None,
        unit=data.unit or "images",
    )


def _of_run(evidence: Evidence, network: str) -> _Answers:
    found = evidence.networks[network]
    return _Answers(
        data=evidence.data.name,
        fingerprint=evidence.data.fingerprint,
        split=evidence.split,
        accuracies=found.correct.mean(axis=1),
        images=found.correct.shape[1],
        correct=found.correct,
        labels=evidence.labels,
        clusters=evidence.clusters,
        unit=evidence.unit,
        untested=why_untested(evidence),
        collapsed=f"{found.collapses.collapsed} of {found.collapses.trainings} of {network}"
        if found.collapses.collapsed
        else "",
    )


def _compared(pair: ComparedPair, theirs: _Answers, ours: _Answers, confidence: float) -> MeasuredChange | Unknown:
    if (theirs.data, theirs.fingerprint) != (ours.data, ours.fingerprint) and None not in (
        theirs.fingerprint,
        ours.fingerprint,
    ):
        return Unmeasured("the two were tested on other images")
    if theirs.split != ours.split:
        words = pair.words
        return Unmeasured(
            f"{words[0]} was tested on the {SPLIT_WORDS[theirs.split]}, {words[1]} on the {SPLIT_WORDS[ours.split]}"
        )
    if untested := theirs.untested or ours.untested:
        return Unknown(untested)
    fewest = min(len(ours.accuracies), len(theirs.accuracies))
    if fewest < 2:
        return Unknown(f"one side has {plural(fewest, 'seed')}, and the chance of a seed shows in two or more")
    if ours.correct is None or theirs.correct is None:
        return _alone(pair, theirs, ours, confidence)
    if not np.array_equal(ours.labels, theirs.labels):  # type: ignore[arg-type] # known where the answers are
        return Unmeasured("the two were tested on other images, or in another order")
    with_clusters = theirs if theirs.clusters is not None else ours
    found = compare_networks(
        ours.correct,
        theirs.correct,
        tuple(range(len(ours.correct))),
        tuple(-1 - row for row in range(len(theirs.correct))),  # no number in common: seeds are no pairs
        confidence,
        with_clusters.clusters,
    ).new_images
    unit = with_clusters.unit if with_clusters.clusters is not None else "images"
    how = f"{SPLIT_WORDS[ours.split]}, {NEW_UNITS[unit]} and seeds, {_seeds(theirs, ours)}, {ours.images:,} images"
    return MeasuredChange(
        found.estimate, found.low, found.high, f"{how}; {_marked(pair)}", "more seeds narrow it, up to the test set"
    )


def _alone(pair: ComparedPair, theirs: _Answers, ours: _Answers, confidence: float) -> MeasuredChange | Unknown:
    images = next((one.images for one in (ours, theirs) if one.images is not None), None)
    found = accuracies_difference(ours.accuracies.tolist(), theirs.accuracies.tolist(), images, confidence)
    if found.rule == "undefined":
        return Unknown("all accuracies of each side are equal, so that their resolution hides how they vary")
    believed = "" if ours.fingerprint and theirs.fingerprint else f", on {ours.data} as was said"
    how = f"{SPLIT_WORDS[ours.split]}, these images alone (accuracies without predictions), {_seeds(theirs, ours)}"
    return MeasuredChange(
        found.estimate, found.low, found.high, f"{how}{believed}; {_marked(pair)}", "predictions tell of new images"
    )


def _seeds(theirs: _Answers, ours: _Answers) -> str:
    """How many trainings, none of which is left out: of imported ones nobody knows which learned."""
    collapsed = [one.collapsed for one in (ours, theirs) if one.collapsed]
    counted = f" ({listing(collapsed)} collapsed, and count)" if collapsed else ""
    return f"{len(ours.accuracies)} and {len(theirs.accuracies)} seeds, unpaired{counted}"


def _marked(pair: ComparedPair) -> str:
    sides = [word for word, side in zip(pair.words, (pair.base, pair.new), strict=True) if side.imported is not None]
    return (
        f"{listing(sides)} {'is' if len(sides) == 1 else 'are'} {NOT_TRAINED_HERE}, so that the training may make the "
        "difference"
    )
