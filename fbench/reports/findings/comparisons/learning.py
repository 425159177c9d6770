"""Which trainings learned: how many collapsed, which losses exploded, and which classes a network hardly recognises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from fbench.reports.findings.comparisons.evidence import Evidence, NetworkEvidence
from fbench.reports.formatting import listing, p_equals, percent, points, points_range, significant
from fbench.statistics.collapse import LOSS_FACTOR, Collapses, collapse_p_value, interquartile_mean
from fbench.statistics.comparison.networks import FEWEST_PAIRS, NetworkComparison, compare_networks

HARDLY: Final = 0.05
"""A class of which a network recognises at most this share is one that it does not know."""

_MOST_NAMED: Final = 6


@dataclass(frozen=True)
class LearnedComparison:
    """Two networks of which trainings collapsed: how many, and what the means say without and with them.

    Attributes:
        ours: trainings of the network that collapsed, of all.
        theirs: those of its baseline.
        learned: the difference of the trainings that learned, on which verdicts rest.
        every: that of all trainings.
        middle: the difference of interquartile means of all accuracies on this test set, which leaves out the best and
            the worst quarter of the trainings (Agarwal et al. 2021), as a fraction of 1.
    """

    ours: Collapses
    theirs: Collapses
    learned: NetworkComparison
    every: NetworkComparison
    middle: float

    @property
    def p_value(self) -> float:
        """Of both networks collapsing equally often, by Fisher's exact test."""
        return collapse_p_value(self.ours, self.theirs)


def compare_evidence(ours: NetworkEvidence, theirs: NetworkEvidence) -> NetworkComparison:
    """The difference of all trainings of two networks on the same images."""
    return compare_networks(ours.correct, theirs.correct, ours.seeds, theirs.seeds, clusters=ours.clusters)


def learned_comparison(ours: NetworkEvidence, theirs: NetworkEvidence) -> LearnedComparison | None:
    """The two without their collapsed trainings.

    None where none collapsed, or where a side has fewer than two that learned: its mean is then that of all.
    """
    kept = [[not bad for bad in side.collapsed_trainings] for side in (ours, theirs)]
    if all(map(all, kept)) or min(map(sum, kept)) < FEWEST_PAIRS:
        return None
    our_seeds, their_seeds = (
        tuple(seed for seed, keep in zip(side.seeds, keeps, strict=True) if keep)
        for side, keeps in zip((ours, theirs), kept, strict=True)
    )
    return LearnedComparison(
        ours=ours.collapses,
        theirs=theirs.collapses,
        learned=compare_networks(
            ours.correct[np.array(kept[0])],
            theirs.correct[np.array(kept[1])],
            our_seeds,
            their_seeds,
            clusters=ours.clusters,
        ),
        every=compare_evidence(ours, theirs),
        middle=_middle(ours) - _middle(theirs),
    )


def collapsed_words(found: LearnedComparison, network: str, baseline: str) -> str:
    """What a sentence on the means must add: whose trainings were left out, and what all of them say."""
    every = found.every.new_images
    return (
        f"of trainings that learned; {_count(found.ours)} of {network} and {_count(found.theirs)} of {baseline} "
        f"collapsed ({p_equals(found.p_value)} by Fisher's test), with them {points_range(every.low, every.high)} "
        f"points, interquartile means {points(found.middle)}"
    )


def learning_sentence(evidence: Evidence) -> str:
    """How many trainings collapsed, with the exact bound, also where none did; and which losses exploded."""
    networks = list(evidence.networks.values())
    bad = [one for one in networks if one.collapses.collapsed]
    fewest = min((one.collapses for one in networks), key=lambda one: one.trainings)
    if bad:
        shown = [f"{_count(one.collapses)} of {one.network}" for one in bad[:_MOST_NAMED]]
        more = len(bad) - len(shown)
        text = f"{listing([*shown, f'some of {more} more networks'] if more else shown)} collapsed"
        if len(bad) < len(networks):
            text += f", {_count(Collapses(0, fewest.trainings))} of the others"
    else:
        text = f"No training collapsed: {_count(fewest)}{' each' if len(networks) > 1 else ''}"
    losses = [(one.network, one.largest_loss) for one in networks if _has_exploded(one, len(evidence.class_names))]
    exploded = [f"{network} ({significant(loss)})" for network, loss in losses[:_MOST_NAMED]]
    return f"{text}." + (f" Losses of validation exploded on the way: {listing(exploded)}." if exploded else "")


def unknown_classes_sentence(evidence: Evidence) -> str:
    """Classes that networks that learned hardly ever recognise; empty where there are none."""
    networks = [one for one in evidence.networks.values() if not one.collapsed]
    found = []
    for index, name in enumerate(evidence.class_names):
        known = [(one.network, recall) for one in networks if (recall := _recall(one, index)) is not None]
        low = [(network, recall) for network, recall in known if recall <= HARDLY]
        if low:
            recalls = [recall for _, recall in low]
            least, most = percent(min(recalls)), percent(max(recalls))
            reached = f"{least} %" if least == most else f"{least} to {most} %"
            who = low[0][0] if len(low) == 1 else f"{len(low)} of {len(known)} networks"
            found.append(f"{name} (recall {reached} with {who})")
    return f"Hardly ever recognised: {listing(found[:_MOST_NAMED])}." if found else ""


def _count(found: Collapses) -> str:
    return f"{found.collapsed} of {found.trainings} trainings (up to {percent(found.rate().high, 0)} %)"


def _middle(side: NetworkEvidence) -> float:
    return interquartile_mean(side.correct.mean(axis=1).tolist())


def _has_exploded(network: NetworkEvidence, classes: int) -> bool:
    return network.largest_loss > 10 * LOSS_FACTOR * float(np.log(classes))


def _recall(network: NetworkEvidence, index: int) -> float | None:
    predicted = network.confusion[:, index].sum(axis=0)
    images = int(predicted.sum())
    return float(predicted[index] / images) if images else None


def collapsed_seeds(sides: Sequence[NetworkEvidence]) -> set[int]:
    """Seeds whose training collapsed with any of these networks."""
    return {seed for side in sides for seed, bad in zip(side.seeds, side.collapsed_trainings, strict=True) if bad}
