"""Which networks are on the front of accuracy against each cost, how probably, and what the next step costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise
from typing import Final

import numpy as np

from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.findings.comparisons.studies import StudyResult
from fbench.reports.findings.comparisons.summary import NetworkSummary
from fbench.reports.findings.tradeoffs.cost_axes import CONFIDENCE, CostAxis, cost_axes
from fbench.reports.formatting import listing, points, points_range, significant
from fbench.statistics.comparison.networks import new_images_difference
from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.intervals import Interval
from fbench.statistics.many.front import FrontProbability, front_probability
from fbench.statistics.many.mean_accuracies import MeanAccuracies, SeedUse, with_common_seeds, with_own_seeds
from fbench.statistics.many.price import Price, price_of_a_point
from fbench.statistics.ties import ties_made_equal

FEWEST_SEEDS: Final = 2
DRAWS, DRAWS_OF_MANY, MANY = 10_000, 2_000, 100
"""Draws take time with the number of networks: with 300, 10,000 of them take three seconds."""

Gain = Callable[[str, str], MeanEstimate]
"""The difference in accuracy of two networks by name, as :func:`accuracy_difference` has it."""


@dataclass(frozen=True)
class FrontCell:
    """One network against one cost: the cost, whether it is on the front by the estimates, and how probably."""

    cost: Interval
    on_front: bool
    probability: float


@dataclass(frozen=True)
class FrontRow:
    """One network; ``cells`` has one entry for each cost, none where it is not known."""

    network: str
    accuracy: float
    cells: tuple[FrontCell | None, ...]


@dataclass(frozen=True)
class FrontStep:
    """From a network on a front to the next dearer one, and what a point costs there."""

    axis: str
    unit: str
    cheaper: str
    dearer: str
    price: Price


@dataclass(frozen=True)
class FrontResult:
    """Fronts of one data set.

    ``axes`` are the names and units of the costs; ``monte_carlo_error`` is the largest standard error of a
    probability by the number of ``draws``; ``left_out`` are networks with one seed; ``free_lunches`` are sentences.
    """

    axes: tuple[tuple[str, str], ...]
    rows: tuple[FrontRow, ...]
    steps: tuple[FrontStep, ...]
    free_lunches: tuple[str, ...]
    seeds: SeedUse
    draws: int
    monte_carlo_error: float
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class _Front:
    """One cost with the networks of which it is known, in the order of ``found``'s entries."""

    axis: CostAxis
    networks: tuple[str, ...]
    found: FrontProbability

    @property
    def members(self) -> tuple[str, ...]:
        """The networks on the front, the cheapest first."""
        on = [name for name, keep in zip(self.networks, self.found.on_front, strict=True) if keep]
        return tuple(sorted(on, key=lambda name: self.axis.values[name].estimate))


def front_result(
    evidence: Evidence, summary: Sequence[NetworkSummary], studies: Sequence[StudyResult] = ()
) -> FrontResult | None:
    """The fronts of one data set; none where fewer than two networks have two seeds and a known cost.

    Where ``studies`` leave a pair undecided that is cheaper and more accurate by its own interval, that is said.
    """
    rows = [row for row in summary if row.seeds >= FEWEST_SEEDS]
    means = ties_made_equal([row.accuracy.new_images.estimate for row in rows])
    accuracies = {row.network: mean for row, mean in zip(rows, means.tolist(), strict=True)}
    joint: dict[tuple[str, ...], MeanAccuracies] = {}
    fronts = []
    for axis in cost_axes(evidence, rows):
        names = tuple(row.network for row in rows if row.network in axis.values)
        if len(names) < 2:
            continue
        if names not in joint:
            joint[names] = joint_accuracies(evidence, names)
        costs, errors = [axis.values[name].estimate for name in names], [axis.log_error(name) for name in names]
        fronts.append(_Front(axis, names, front_probability(joint[names], costs, errors, draws=_draws(len(names)))))
    if not fronts:
        return None
    gain = cache(partial(accuracy_difference, evidence))  # one pair is on the front of several costs
    not_told = {
        frozenset((row.network, row.baseline)): row.verdict
        for result in studies
        for row in result.comparisons
        if row.verdict in ("undecided", "equivalent")
    }
    return FrontResult(
        axes=tuple((front.axis.name, front.axis.unit) for front in fronts),
        rows=tuple(
            FrontRow(name, accuracies[name], tuple(_cell(front, name) for front in fronts)) for name in accuracies
        ),
        steps=tuple(step for front in fronts for step in _steps(gain, front)),
        free_lunches=tuple(text for front in fronts if (text := _free_lunch(gain, front, accuracies, not_told))),
        seeds="common" if all(one.seeds == "common" for one in joint.values()) else "own",
        draws=fronts[0].found.draws,
        monte_carlo_error=max(float(front.found.monte_carlo_error.max()) for front in fronts),
        left_out=tuple(row.network for row in summary if row.seeds < FEWEST_SEEDS),
    )


def _draws(networks: int) -> int:
    return DRAWS if networks <= MANY else DRAWS_OF_MANY


def joint_accuracies(evidence: Evidence, names: Sequence[str]) -> MeanAccuracies:
    """Mean accuracies with their joint uncertainty, paired by seed where all networks finished the same seeds."""
    found = [evidence.networks[name] for name in names]
    if len({one.seeds for one in found}) == 1:
        return with_common_seeds(np.array([one.correct for one in found]), evidence.clusters)
    return with_own_seeds([one.correct for one in found], evidence.clusters)


def accuracy_difference(evidence: Evidence, ours: str, theirs: str) -> MeanEstimate:
    """Of two networks of two seeds or more each, for new seeds and images; paired where two seeds are in common."""
    a, b = evidence.networks[ours], evidence.networks[theirs]
    both = a.accuracy, b.accuracy
    return new_images_difference(a.correct, b.correct, a.seeds, b.seeds, evidence.clusters, both)


def price_words(price: Price) -> str:
    """The price of a point, or why there is none."""
    low, high = significant(price.low), significant(price.high) if price.high != float("inf") else ""
    if price.bargain == "price":
        return f"{significant(price.per_point)} ({low} – {high})"
    if price.bargain == "free lunch":
        return "nothing: cheaper and better"
    if price.bargain == "no cost shown":
        return f"at most {high}: the cost may be nothing"
    if price.cost.high <= 0:
        return "none: no gain is shown, and it is cheaper"
    least = f"at least {low}, " if price.low > 0 else ""
    return f"{least}no upper bound: the gain may be nothing"


def points_words(price: Price) -> str:
    """What is gained, in percentage points with its interval."""
    found = price.points
    return f"{points(found.estimate / 100)} ({points_range(found.low / 100, found.high / 100)})"


def _cell(front: _Front, name: str) -> FrontCell | None:
    if name not in front.networks:
        return None
    index, found = front.networks.index(name), front.found
    return FrontCell(front.axis.values[name], bool(found.on_front[index]), float(found.probability[index]))


def _steps(gain: Gain, front: _Front) -> list[FrontStep]:
    axis = front.axis
    prices = [(cheaper, dearer, _price(gain, axis, dearer, cheaper)) for cheaper, dearer in pairwise(front.members)]
    return [FrontStep(axis.name, axis.unit, a, b, price) for a, b, price in prices if price is not None]


def _price(gain: Gain, axis: CostAxis, ours: str, theirs: str) -> Price | None:
    cost = axis.difference(ours, theirs)
    if cost is None:
        return None
    found = gain(ours, theirs)
    return price_of_a_point(Interval(found.estimate, found.low, found.high, CONFIDENCE), cost)


def _free_lunch(
    gain: Gain, front: _Front, accuracies: Mapping[str, float], not_told: Mapping[frozenset[str], str]
) -> str:
    """The networks than which one on the front is cheaper and more accurate, each beyond its 95 % interval."""
    cost = {name: front.axis.values[name].estimate for name in front.networks}
    beaten: dict[str, list[str]] = {}
    for name in front.networks:
        better = [one for one in front.members if cost[one] <= cost[name] and accuracies[one] > accuracies[name]]
        if not better:
            continue
        best = max(better, key=lambda one: accuracies[one])
        price = _price(gain, front.axis, best, name)
        if price is not None and price.bargain == "free lunch":
            verdict = not_told.get(frozenset((best, name)))
            beaten.setdefault(best, []).append(f"{name} ({verdict} after correction)" if verdict else name)
    if not beaten:
        return ""
    found = "; ".join(f"{best} beats {listing(others)}" for best, others in beaten.items())
    return f"{front.axis.name[0].upper()}{front.axis.name[1:]}: {found}."
