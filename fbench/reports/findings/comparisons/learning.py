"""Which trainings learned: how many collapsed, which losses exploded, and which classes a network hardly recognises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from fbench.reports.findings.comparisons.evidence import Evidence, NetworkEvidence
from fbench.reports.formatting import listing, p_equals, percent, plural, points, points_range, significant
from fbench.statistics.collapse import Collapses, collapse_p_value, interquartile_mean
from fbench.statistics.comparison.networks import CONFIDENCE, FEWEST_PAIRS, NetworkComparison, compare_networks

EXPLODED: Final = 20.0
"""A validation loss above so many times ln(classes) has exploded."""

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


def compare_evidence(
    ours: NetworkEvidence, theirs: NetworkEvidence, confidence: float = CONFIDENCE
) -> NetworkComparison:
    """The difference of all trainings of two networks on the same images."""
    return compare_networks(ours.correct, theirs.correct, ours.seeds, theirs.seeds, confidence, ours.clusters)


def learned_sides(ours: NetworkEvidence, theirs: NetworkEvidence) -> tuple[NetworkEvidence, NetworkEvidence] | None:
    """The two without their collapsed trainings.

    None where none collapsed, or where a side has fewer than two that learned: its mean is then that of all.
    """
    kept = [
        {seed for seed, bad in zip(side.seeds, side.collapsed_trainings, strict=True) if not bad}
        for side in (ours, theirs)
    ]
    if not (ours.collapses.collapsed or theirs.collapses.collapsed) or min(map(len, kept)) < FEWEST_PAIRS:
        return None
    return ours.of_seeds(kept[0]), theirs.of_seeds(kept[1])


def learned_comparison(ours: NetworkEvidence, theirs: NetworkEvidence) -> LearnedComparison | None:
    """What the two are without and with their collapsed trainings; none as :func:`learned_sides`."""
    learned = learned_sides(ours, theirs)
    if learned is None:
        return None
    return LearnedComparison(
        ours=ours.collapses,
        theirs=theirs.collapses,
        learned=compare_evidence(*learned),
        every=compare_evidence(ours, theirs),
        middle=_middle(ours) - _middle(theirs),
    )


def collapsed_words(found: LearnedComparison, network: str, baseline: str) -> str:
    """What a sentence on the means must add: whose trainings were left out, and what all of them say."""
    every = found.every.new_images
    both = f"{collapses_words(found.ours, network)} and {collapses_words(found.theirs, baseline)}"
    return (
        f"of trainings that learned; {both} collapsed ({p_equals(found.p_value)} by Fisher's test); with them "
        f"{points_range(every.low, every.high)} points, interquartile means {points(found.middle)}"
    )


def learning_sentence(evidence: Evidence, baselines: Mapping[str, str] | None = None) -> str:
    """How many trainings collapsed, with the exact bound, also where none did; and which losses exploded.

    ``baselines`` is the network that each is compared with, if any, for Fisher's test.
    """
    networks = list(evidence.networks.values())
    bad = [one for one in networks if one.collapses.collapsed]
    counts = sorted({one.collapses.trainings for one in networks if not one.collapses.collapsed})
    shown = [
        collapses_words(one.collapses, one.network, _fisher(one, baselines or {}, evidence))
        for one in bad[:_MOST_NAMED]
    ]
    more = len(bad) - len(shown)
    found = ["Trainings that collapsed: " + listing([*shown, f"some of {more} more networks"] if more else shown)]
    if not bad:
        found = ["No training collapsed"]
    single = more > 0 and all(one.collapses.trainings == 1 for one in networks)
    if single:
        found = [f"{len(bad)} of {plural(len(networks), 'network')} collapsed in their only training"]
    elif counts:
        fewest = f"0 of {counts[0]}{' or more' if len(counts) > 1 else ''}"
        whose = "" if len(networks) == 1 else " of each other network" if bad else " of each network"
        found.append(f"{fewest}{whose} ({_bounds(Collapses(0, counts[0]))})")
    exploded = [f"{network} ({significant(loss)})" for network, loss in exploded_losses(evidence)[:_MOST_NAMED]]
    text = "; ".join(found) if bad else ": ".join(found)
    return f"{text}." + (f" Losses of validation exploded on the way: {listing(exploded)}." if exploded else "")


def exploded_losses(evidence: Evidence) -> list[tuple[str, float]]:
    """The networks whose loss on the validation split exploded on the way, each with the largest, in nats."""
    networks = evidence.networks.values()
    return [(one.network, one.largest_loss) for one in networks if _has_exploded(one, len(evidence.class_names))]


@dataclass(frozen=True)
class UnknownClass:
    """A class that networks hardly ever recognise; ``recalls`` by these networks, fractions of 1, and ``asked`` is how
    many networks that learned have images of it."""

    name: str
    recalls: Mapping[str, float]
    asked: int

    @property
    def reached(self) -> str:
        """The recalls in words."""
        least, most = percent(min(self.recalls.values())), percent(max(self.recalls.values()))
        return f"recall {least} %" if least == most else f"recall {least} to {most} %"

    @property
    def who(self) -> str:
        """Whose they are: a name, or how many."""
        if len(self.recalls) == 1:
            return next(iter(self.recalls))
        return f"{'all' if len(self.recalls) == self.asked else f'{len(self.recalls)} of'} {self.asked} networks"


def unknown_classes(evidence: Evidence) -> tuple[UnknownClass, ...]:
    """Classes that networks that learned hardly ever recognise."""
    networks = [one for one in evidence.networks.values() if not one.collapsed]
    found = []
    for index, name in enumerate(evidence.class_names):
        known = {one.network: recall for one in networks if (recall := _recall(one, index)) is not None}
        low = {network: recall for network, recall in known.items() if recall <= HARDLY}
        if low:
            found.append(UnknownClass(name, low, len(known)))
    return tuple(found)


def unknown_classes_sentence(evidence: Evidence) -> str:
    """Those classes, each network or number of networks once; empty where there are none."""
    by_whom: dict[str, list[str]] = {}
    for one in unknown_classes(evidence)[:_MOST_NAMED]:
        by_whom.setdefault(one.who, []).append(f"{one.name} ({one.reached})")
    found = [f"{listing(classes)} with {who}" for who, classes in by_whom.items()]
    return f"Hardly ever recognised: {'; '.join(found)}." if found else ""


def collapses_words(found: Collapses, network: str, more: str = "") -> str:
    """How many of its trainings collapsed, such as ``1 of 10 of lenet5 (0 to 45 %)``."""
    share = "the only one" if found.collapsed == found.trainings == 1 else f"{found.collapsed} of {found.trainings}"
    return f"{share} of {network} ({_bounds(found)}{more})"


def _bounds(found: Collapses) -> str:
    """The exact interval of the rate, of which a share of none or of all has one end."""
    low, high = (percent(end, 0) for end in (found.rate().low, found.rate().high))
    if not found.collapsed:
        return f"up to {high} %"
    return f"at least {low} %" if found.collapsed == found.trainings else f"{low} to {high} %"


def _fisher(one: NetworkEvidence, baselines: Mapping[str, str], evidence: Evidence) -> str:
    """Whether it collapses more often than its baseline."""
    baseline = evidence.networks.get(baselines.get(one.network, ""))
    if baseline is None:
        return ""
    p_value = collapse_p_value(one.collapses, baseline.collapses)
    return "" if p_value == 1 else f"; {p_equals(p_value)} against {baseline.network} by Fisher's test"


def _middle(side: NetworkEvidence) -> float:
    return interquartile_mean(side.correct.mean(axis=1).tolist())


def _has_exploded(network: NetworkEvidence, classes: int) -> bool:
    return network.largest_loss > EXPLODED * float(np.log(classes))


def _recall(network: NetworkEvidence, index: int) -> float | None:
    predicted = network.confusion[:, index].sum(axis=0)
    images = int(predicted.sum())
    return float(predicted[index] / images) if images else None


def collapsed_seeds(sides: Sequence[NetworkEvidence]) -> set[int]:
    """Seeds whose training collapsed with any of these networks."""
    return {seed for side in sides for seed, bad in zip(side.seeds, side.collapsed_trainings, strict=True) if bad}
