"""From raw blocks to the table of ratios: pure functions."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class RawBlock:
    """One block of one contestant: images trained on by all its processes together, and the wall time.

    ``start_s`` is what its processes took before their first block: imports, data, building, compiling, three steps.
    """

    network: str
    precision: str
    contestant: str
    layout: str
    round: int
    images: int
    time_s: float
    start_s: float


@dataclass(frozen=True)
class Row:
    """A contestant's throughput, and how many times as fast fbench is, with a 95 % interval over rounds.

    ``ten_epochs_s`` is the time of two trainings of ten FER2013 epochs each, extrapolated: the start, and the images
    at the median throughput; ``ten_epochs_ratio`` is that time over fbench's.
    """

    network: str
    precision: str
    contestant: str
    layout: str
    images_per_s: float
    fbench_ratio: float
    ratio_low: float
    ratio_high: float
    start_s: float
    ten_epochs_s: float
    ten_epochs_ratio: float


TEN_EPOCHS_IMAGES = 2 * 10 * 28_709
"""Images of two trainings of ten epochs of FER2013's training split."""


def rows(blocks: Iterable[RawBlock]) -> list[Row]:
    """One row for each network and contestant, in order of appearance; fbench is paired with each within rounds."""
    rates: dict[tuple[str, str, str, str], dict[int, float]] = defaultdict(dict)
    starts: dict[tuple[str, str, str, str], float] = {}
    for block in blocks:
        key = block.network, block.precision, block.contestant, block.layout
        rates[key][block.round] = block.images / block.time_s
        starts[key] = block.start_s

    def ten_epochs_s(key: tuple[str, str, str, str]) -> float:
        return starts[key] + TEN_EPOCHS_IMAGES / float(np.median(list(rates[key].values())))

    ours = {key[:2]: key for key in rates if key[2] == "fbench"}
    table = []
    for key, by_round in rates.items():
        network, precision, name, layout = key
        own = ours[network, precision]
        base = rates[own]
        logs = [math.log(base[number] / rate) for number, rate in by_round.items() if number in base]
        low, high = interval(logs)
        median = float(np.median(list(by_round.values())))
        ratio = math.exp(float(np.mean(logs)))
        ten_s = ten_epochs_s(key)
        times = starts[key], ten_s, ten_s / ten_epochs_s(own)
        table.append(Row(network, precision, name, layout, median, ratio, math.exp(low), math.exp(high), *times))
    return table


def interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95 % t-interval of a mean; one value has none, and gives itself twice."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return mean, mean
    half = float(stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / math.sqrt(len(values)))
    return mean - half, mean + half


def geometric_means(table: Iterable[Row]) -> dict[tuple[str, str], float]:
    """Over networks, how many times as fast fbench is as each contestant, by precision and contestant."""
    logs: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in table:
        logs[row.precision, row.contestant].append(math.log(row.fbench_ratio))
    return {key: math.exp(float(np.mean(values))) for key, values in logs.items()}
