"""Times of interleaved calls: ratios from paired blocks, and quantiles that know how noise clusters.

Both rest on blocks. Within a block every call is timed close to every other in random order, so that what the machine
does meanwhile hits all alike; a ratio is therefore taken within blocks, and only then over them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from fbench.statistics.intervals import check_confidence
from fbench.statistics.signed_rank import FloatArray, centre
from fbench.statistics.ties import TIES

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TimeRatio:
    """How many times as long one call takes as another: the centre of the blocks' log-ratios, as a ratio.

    ``spread`` is the standard deviation of one block's log-ratio, from the middle half of the blocks.
    """

    ratio: float
    low: float
    high: float
    confidence: float
    p_value: float
    blocks: int
    spread: float

    @property
    def decided(self) -> bool:
        """Whether the interval excludes that both take equally long."""
        return self.low > 1 or self.high < 1

    @property
    def largest_difference(self) -> float:
        """The largest difference that the interval allows, as a share: equal within so much."""
        return max(self.high - 1, 1 / self.low - 1) if self.low > 0 else math.inf

    def blocks_to_tell(self, share: float) -> float:
        """Blocks in all, of the same noise, after which the interval reaches no further than ``share`` to each side.

        Infinite where nothing is known of the noise.
        """
        half = (
            max(math.log(self.high) - math.log(self.ratio), math.log(self.ratio) - math.log(self.low))
            if (self.low > 0 and math.isfinite(self.high))
            else math.inf
        )
        wanted = abs(math.log1p(share))
        return math.inf if wanted == 0 or math.isinf(half) else math.ceil(self.blocks * (half / wanted) ** 2)


@dataclass(frozen=True)
class TimeQuantile:
    """A quantile of times with its interval; ``high`` is infinite where the sample is too small to bound it.

    ``independent_samples`` is what the sample is worth, as slow calls come in clusters.
    """

    share: float
    time_s: float
    low_s: float
    high_s: float
    confidence: float
    samples: int
    independent_samples: float


LogTimes = dict[tuple[int, int], float]
"""The logarithm of a call's time in each turn, by block and turn."""


def turn_log_times(times_s: npt.ArrayLike, blocks: npt.ArrayLike, turns: npt.ArrayLike) -> LogTimes:
    """The logarithm of the median time of each turn of each block.

    Args:
        times_s: shape (n,), seconds, positive.
        blocks: shape (n,), the block of each.
        turns: shape (n,), its turn within the block.

    Raises:
        ValueError: shapes that differ, or a time that is not positive.
    """
    times, keys = np.asarray(times_s, dtype=np.float64), np.array([blocks, turns], dtype=np.int64)
    if times.ndim != 1 or keys.shape != (2, times.size) or not (times > 0).all():
        raise ValueError(
            f"Times need a block and a turn each and must be positive; shapes: {times.shape}, {keys.shape}."
        )
    logs, (visits, positions) = np.log(times), np.unique(keys, axis=1, return_inverse=True)
    positions = positions.reshape(-1)
    medians = medians_of_groups(logs, positions, visits.shape[1])
    return {(block, turn): value for (block, turn), value in zip(visits.T.tolist(), medians.tolist(), strict=True)}


def medians_of_groups(values: FloatArray, groups: IntArray, count: int) -> FloatArray:
    """The median of each group: a number of 0 to ``count`` - 1 for each value, and no group empty."""
    ordered = values[np.lexsort((values, groups))]
    sizes = np.bincount(groups, minlength=count)
    starts = np.cumsum(sizes) - sizes
    return np.asarray((ordered[starts + (sizes - 1) // 2] + ordered[starts + sizes // 2]) / 2)


def time_ratio(ours: LogTimes, theirs: LogTimes, confidence: float = 0.95) -> TimeRatio:
    """Compare two calls by what :func:`turn_log_times` gives of each; turns that one of them lacks are left out.

    A turn gives one log-ratio, a block the median of its turns', and the blocks' centre with its signed-rank interval
    is the answer: blocks, whose order and places in memory were drawn anew, are what can be counted as independent.

    Equal ratios in all blocks are no proof of an exact one: a clock tells times apart by its steps only. The interval
    is then wider by the least step that is seen between two times of the two calls, and unbounded where none is.

    Raises:
        ValueError: no common turn, or a confidence not between 0 and 1.
    """
    common = ours.keys() & theirs.keys()
    if not common:
        raise ValueError("The two calls have no turn in common; time them in one measurement.")
    blocks, positions = np.unique([block for block, _ in common], return_inverse=True)
    ratios = np.array([ours[visit] - theirs[visit] for visit in common])
    differences = medians_of_groups(ratios, positions.reshape(-1), blocks.size)
    differences = np.where(np.abs(differences) > TIES, differences, 0.0)  # of logarithms: what is less is rounding
    found = centre(differences, confidence)
    step = 0.0 if float(np.ptp(differences)) > TIES else _least_step([*ours.values(), *theirs.values()])
    return TimeRatio(
        ratio=math.exp(found.estimate),
        low=math.exp(found.low - step),
        high=_exponential(found.high + step),
        confidence=confidence,
        p_value=found.p_value,
        blocks=int(blocks.size),
        spread=robust_deviation(differences),
    )


def _least_step(log_times: Sequence[float]) -> float:
    """The least difference between two logarithms of times that is no rounding; infinite where there is none."""
    steps = np.diff(np.sort(log_times))
    return float(steps[steps > TIES].min(initial=math.inf))


def _exponential(value: float) -> float:
    return math.exp(value) if math.isfinite(value) else math.inf


def robust_deviation(values: FloatArray) -> float:
    """Standard deviation of normal values from the distance of their quartiles; 0 for a single value."""
    low, high = np.quantile(values, (0.25, 0.75))
    return float((high - low) / (2 * special.ndtri(0.75)))


def time_quantile(
    times_s: npt.ArrayLike, blocks: npt.ArrayLike, share: float, confidence: float = 0.95
) -> TimeQuantile:
    """One quantile of times, as :func:`time_quantiles` gives it."""
    return time_quantiles(times_s, blocks, (share,), confidence)[0]


def time_quantiles(
    times_s: npt.ArrayLike, blocks: npt.ArrayLike, shares: Sequence[float], confidence: float = 0.95
) -> tuple[TimeQuantile, ...]:
    """Quantiles of times, each 0 < ``share`` < 1, with intervals that hold for clustered noise.

    Woodruff's interval (1952, Journal of the American Statistical Association 47, 635-646): an interval for the share
    of calls below the quantile, here the exact binomial one of Clopper and Pearson, is read off the ordered sample. Its
    sample size is divided by the design effect of the blocks (Kish 1965, Survey Sampling), as slow calls cluster. Where
    all times are equal the clock was too coarse for them, and the interval is unbounded.

    Raises:
        ValueError: fewer than two times, shapes that differ, or a share or confidence not between 0 and 1.
    """
    check_confidence(confidence)
    for share in shares:
        check_confidence(share)
    times, numbers = np.asarray(times_s, dtype=np.float64), np.asarray(blocks, dtype=np.int64)
    if times.ndim != 1 or times.size < 2 or times.shape != numbers.shape:
        raise ValueError(
            f"A quantile needs two times or more with a block each; shapes: {times.shape}, {numbers.shape}."
        )
    order = np.argsort(times)
    ordered, positions = times[order], np.unique(numbers, return_inverse=True)[1].reshape(-1)[order]
    values = np.quantile(ordered, list(shares)).tolist()
    return tuple(
        _quantile(ordered, positions, share, value, confidence) for share, value in zip(shares, values, strict=True)
    )


def _quantile(ordered: FloatArray, positions: IntArray, share: float, value: float, confidence: float) -> TimeQuantile:
    """The interval of a quantile of ascending times, each with the position of its block."""
    size = int(ordered.size)
    independent = size / _effect_of_blocks(ordered <= value, positions)
    tail = (1 - confidence) / 2
    below = independent * share
    low_share = float(special.betaincinv(below, independent - below + 1, tail)) if below > 0 else 0.0
    high_share = float(special.betaincinv(below + 1, independent - below, 1 - tail)) if below < independent else 1.0
    is_coarse = ordered[-1] - ordered[0] <= TIES * ordered[-1]
    first, last = math.floor(low_share * size) - 1, math.ceil(high_share * size)
    return TimeQuantile(
        share=share,
        time_s=value,
        low_s=0.0 if is_coarse else float(ordered[max(first, 0)]),
        high_s=float(ordered[last]) if last < size and not is_coarse else math.inf,
        confidence=confidence,
        samples=size,
        independent_samples=independent,
    )


def design_effect(marked: npt.NDArray[np.bool_], blocks: IntArray) -> float:
    """How many times as large the variance of a share is as without clusters: at least 1.

    The variance between blocks of the share of marked values (ratio estimate), over that of independent values; 1 where
    there is one block or no variance.
    """
    return _effect_of_blocks(marked, np.unique(blocks, return_inverse=True)[1].reshape(-1))


def _effect_of_blocks(marked: npt.NDArray[np.bool_], positions: IntArray) -> float:
    """As :func:`design_effect`, of blocks that are numbered from 0."""
    share = float(marked.mean())
    sizes = np.bincount(positions).astype(np.float64)
    if sizes.size < 2 or share in (0.0, 1.0):
        return 1.0
    residuals = np.bincount(positions, weights=marked) - share * sizes
    variance = sizes.size / (sizes.size - 1) * float((residuals**2).sum()) / marked.size**2
    return max(1.0, variance / (share * (1 - share) / marked.size))
