"""Which network trains fastest, and by how much, in a sentence that says no more than the measurement can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fbench.benchmark.records.cost_records import TimingSeries
from fbench.reports.findings.costs.timings import LEVEL, TimedAgainst, compare_timings, timing_of
from fbench.reports.formatting import count, listing, plural, time_ratio

_MOST_NAMED: Final = 4


@dataclass(frozen=True)
class FastestTraining:
    """The network with the most images per second in its training step, timed while no trial ran.

    ``others`` are all other networks against it: times for an image as multiples of its own, the fastest first.
    """

    network: str
    images_per_s: float
    others: tuple[TimedAgainst, ...]

    @property
    def undecided(self) -> tuple[str, ...]:
        """The networks that could be as fast: among them and itself is the fastest one, with 95 % confidence.

        It was chosen by the same data. Multiple comparisons with the best (Hsu 1984, Annals of Statistics 12,
        1136-1144) ask no more for it than each comparison at the level over the number of the others: the truly fastest
        network can be missed only by one of the others' being found faster.
        """
        level = LEVEL / len(self.others)
        beaten = {
            one.network for one in self.others if one.ratio.p_value < level and one.ratio.decided and one.ratio.low > 1
        }
        return tuple(one.network for one in self.others if one.network not in beaten)


def fastest_training(steps: Mapping[str, TimingSeries]) -> FastestTraining | None:
    """The fastest of training steps that were timed together, two calls each at least; none of fewer than two."""
    speeds = {network: timing.images_per_s for network, one in steps.items() if (timing := timing_of(one)) is not None}
    if len(speeds) < 2:
        return None
    first = max(speeds, key=lambda network: speeds[network])
    others = compare_timings([steps[network] for network in speeds if network != first], steps[first])
    return FastestTraining(first, speeds[first], tuple(sorted(others, key=lambda one: one.ratio.ratio)))


def fastest_sentence(found: FastestTraining, baseline: str | None) -> str:
    """Who trains fastest, from whom it cannot be told, and the times of the next and of the baseline beside it."""
    speed = f"{count(found.images_per_s)} images/s in the training step, timed while no trial ran"
    opening = (
        f"{found.network} has the highest median speed of training, {speed}, but {_undecided(found)}."
        if found.undecided
        else f"{found.network} trains fastest: {speed}; that is faster than {_all_of(len(found.others))}."
    )
    following = found.others[0]
    beside = [f"{following.network} comes next and takes {time_ratio(following.ratio)} its time for an image"]
    beside += [
        f"the baseline {one.network} takes {time_ratio(one.ratio)}"
        for one in found.others[1:]
        if one.network == baseline
    ]
    return f"{opening} {'; '.join(beside)} (95 % intervals)."


def _undecided(found: FastestTraining) -> str:
    others = len(found.others)
    few = len(found.undecided) <= _MOST_NAMED
    names = listing(found.undecided) if few else f"{len(found.undecided)} of the {plural(others, 'other')}"
    rest = others - len(found.undecided)
    return f"it cannot be told from {names}" + (f"; it is faster than the remaining {count(rest)}" if rest else "")


def _all_of(others: int) -> str:
    return "the other network" if others == 1 else f"each of the {count(others)} others"
