"""Can a difference in speed be trusted? ``python -m tests.calibration.speed``; about 45 minutes, resumable.

While another process loads one core on and off, two buildings of one network are compared: 200 times as they are (a
difference found is a false alarm), and 100 times each with one of them slowed by 5 and by 10 % (a spin of that share of
each call's own measured time). Each try is made by fbench's own core and, over the same seconds, by the ratio of two
means of ``torch.utils.benchmark.Timer.timeit``. ``tries.csv`` has every try, ``summary.csv`` what follows.
"""

from __future__ import annotations

import argparse
import itertools
import math
import multiprocessing
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import torch
from torch.utils.benchmark import Timer

from fbench.architectures.registry import resolve
from fbench.benchmark.cost.backends import make_call
from fbench.benchmark.cost.calls import Call, Mark
from fbench.benchmark.cost.clock import clock_of
from fbench.benchmark.cost.interleave import Schedule, TimedCall, time_interleaved, warm_up
from fbench.benchmark.cost.speed import DEFAULT_BLOCKS
from fbench.benchmark.machine.allocator import freed_memory_kept
from fbench.benchmark.machine.device import numerics_in_force
from fbench.benchmark.records.cost_records import TimingSeries
from fbench.benchmark.records.cost_specs import CostMode, Setting
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.records.specs import NetworkSpec
from fbench.statistics.intervals import t_interval, wilson_interval
from fbench.statistics.timing import time_ratio, turn_log_times
from tests.csv_tables import read_rows, save_rows, write_rows

CPU = torch.device("cpu")
NUMERICS = choose_numerics("cpu")
CONFIDENCE = 0.98
BLOCKS = DEFAULT_BLOCKS
SECONDS = 3.0
MOST_WARMUP_S = 0.5
TRIES = {0.0: 200, 0.05: 100, 0.10: 100}
CASES: tuple[tuple[str, CostMode, int], ...] = (
    ("ires", "inference", 1),
    ("arch1", "inference", 1),
    ("ires", "inference", 32),
    ("simple_cnn", "train", 8),
)
WANTED = {0.0: "at most 9 of 200", 0.05: "at least 95 of 100", 0.10: "at least 99 of 100"}
HALFWAY = 1.025
"""The threshold that somebody who looks for 5 % would hold a ratio of two means against."""


@dataclass(frozen=True)
class Try:
    """One comparison: what fbench found, and what two means say."""

    slowed_by: float
    number: int
    network: str
    mode: str
    batch_size: int
    ratio: float
    low: float
    high: float
    blocks: int
    seconds: float
    timeit_ratio: float
    timeit_seconds: float

    @property
    def found(self) -> bool:
        """Whether fbench calls the second slower or faster."""
        return self.low > 1 or self.high < 1


def main() -> None:
    """Make the tries that are missing, then the summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("results/speed"))
    parser.add_argument("--tries", type=float, default=1.0, help="Share of the tries to make, to try the script out.")
    arguments = parser.parse_args()
    table = arguments.out / "tries.csv"
    done = read_tries(table)
    with another_process_at_work(), freed_memory_kept(), numerics_in_force(NUMERICS, CPU):
        for slowed_by, number in wanted_tries(arguments.tries):
            if not any((one.slowed_by, one.number) == (slowed_by, number) for one in done):
                done.append(make_try(slowed_by, number))
                save_rows(table, [asdict(one) for one in done])
    write_rows(arguments.out / "summary.csv", summarise(done))


def wanted_tries(share: float) -> Iterator[tuple[float, int]]:
    """Every kind of try in turn, so that each meets all the weather of the machine."""
    kinds = [[(slowed_by, number) for number in range(math.ceil(share * count))] for slowed_by, count in TRIES.items()]
    for several in itertools.zip_longest(kinds[0][0::2], kinds[0][1::2], *kinds[1:]):
        yield from (one for one in several if one is not None)


def make_try(slowed_by: float, number: int) -> Try:
    """Build a network twice, slow the second down, and compare both ways."""
    name, mode, batch_size = CASES[number % len(CASES)]
    network = built_for_48(name)
    seed = 1000 * round(100 * slowed_by) + number
    calls = [make_call(network, mode, "eager", batch_size, NUMERICS, CPU, seed=0) for _ in range(2)]
    calls[1] = slowed(calls[1], slowed_by)
    started = time.perf_counter()
    series = compared(calls, name, Setting(mode=mode, batch_size=batch_size), seed)
    seconds = time.perf_counter() - started
    found = time_ratio(*(turn_log_times(s.times_s, s.blocks, s.turns) for s in reversed(series)), CONFIDENCE)
    started = time.perf_counter()
    means = [timeit_mean(call, SECONDS / 2) for call in calls]
    return Try(
        slowed_by=slowed_by,
        number=number,
        network=name,
        mode=mode,
        batch_size=batch_size,
        ratio=round(found.ratio, 5),
        low=round(found.low, 5),
        high=round(found.high, 5),
        blocks=found.blocks,
        seconds=round(seconds, 2),
        timeit_ratio=round(means[1] / means[0], 5),
        timeit_seconds=round(time.perf_counter() - started, 2),
    )


def compared(calls: Sequence[Call], name: str, setting: Setting, seed: int) -> tuple[TimingSeries, ...]:
    """Time two calls as ``measure_cost`` does."""
    clock = clock_of(CPU)
    warm = [
        (TimedCall(name, setting, setting.batch_size or 1, call, instance), warm_up(call, clock, MOST_WARMUP_S))
        for instance, call in enumerate(calls)
    ]
    found = time_interleaved(warm, clock, Schedule(BLOCKS, SECONDS, seed), torch.get_num_threads())
    if found.interrupted:
        raise KeyboardInterrupt
    if found.failures:
        raise RuntimeError(found.failures[0].reason)
    return found.series


def slowed(call: Call, share: float) -> Call:
    """The same call with a spin of ``share`` of its own time at its end."""
    if share == 0:
        return call

    def run(mark: Mark) -> None:
        started = time.perf_counter()
        call.run(mark)
        now = time.perf_counter()
        until = now + share * (now - started)
        while time.perf_counter() < until:
            pass

    return Call(call.prepare, run, call.place, call.parts)


def timeit_mean(call: Call, seconds: float) -> float:
    """The mean of ``Timer.timeit``, as a benchmark takes it: warm, as many calls as fit into the time."""
    call.prepare()
    run = partial(call.run, lambda: None)
    started = time.perf_counter()
    run()
    number = max(2, round(seconds / (time.perf_counter() - started)))
    return float(Timer("run()", globals={"run": run}, num_threads=torch.get_num_threads()).timeit(number).mean)


def built_for_48(name: str) -> NetworkSpec:
    """A registered network at 1x48x48 and 7 classes."""
    found = resolve(name)
    return NetworkSpec(name=name, builder=found.builder, options=found.options, digest="")


@contextmanager
def another_process_at_work() -> Iterator[None]:
    """Another process loads one core on and off, 0.3 to 1.5 seconds each, until the block ends."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    process = context.Process(target=_load, args=(stop,), daemon=True)
    process.start()
    try:
        yield
    finally:
        stop.set()
        process.join()


def _load(stop: Event) -> None:
    generator = random.Random(1)
    while not stop.is_set():
        until = time.perf_counter() + generator.uniform(0.3, 1.5)
        while time.perf_counter() < until:
            pass
        time.sleep(generator.uniform(0.3, 1.5))


def read_tries(table: Path) -> list[Try]:
    """The tries that a table holds; none where there is no table."""
    kinds = {field.name: {"int": int, "float": float, "str": str}[str(field.type)] for field in fields(Try)}
    return [Try(**{name: kinds[name](row[name]) for name in kinds}) for row in read_rows(table)]


def summarise(done: Sequence[Try]) -> list[dict[str, object]]:
    """One line for each kind of try: how many were found, by fbench and by two means, and the bias of the ratio."""
    equal = sorted(abs(math.log(one.timeit_ratio)) for one in done if one.slowed_by == 0)
    allowed = math.floor(9 / 200 * len(equal))
    calibrated = math.exp(equal[-allowed - 1]) if equal else math.inf
    rows: list[dict[str, object]] = []
    for slowed_by in sorted({one.slowed_by for one in done}):
        tries = [one for one in done if one.slowed_by == slowed_by]
        bias = t_interval([100 * (one.ratio / (1 + slowed_by) - 1) for one in tries])
        theirs = np.array([one.timeit_ratio for one in tries])
        # of a slowed network only the right direction counts, for two means as for fbench
        off = np.abs(np.log(theirs)) if slowed_by == 0 else np.log(theirs)
        found = sum(one.found and (slowed_by == 0 or one.ratio > 1) for one in tries)
        share = wilson_interval(found, len(tries))
        rows.append(
            {
                "slowed_by_percent": round(100 * slowed_by),
                "tries": len(tries),
                "found": found,
                "wanted": WANTED[slowed_by],
                "found_percent_low": round(100 * share.low, 1),
                "found_percent_high": round(100 * share.high, 1),
                "bias_percent": round(bias.estimate, 3),
                "bias_percent_low": round(bias.low, 3),
                "bias_percent_high": round(bias.high, 3),
                "median_interval_percent": round(
                    100 * float(np.median([(one.high - one.low) / one.ratio for one in tries])), 2
                ),
                "longest_seconds": max(one.seconds for one in tries),
                "timeit_found_beyond_2.5_percent": int((off > math.log(HALFWAY)).sum()),
                "timeit_found_beyond_calibrated": int((off > math.log(calibrated)).sum()),
                "timeit_calibrated_threshold_percent": round(100 * (calibrated - 1), 2),
                "timeit_worst_error_percent": round(100 * float(np.abs(theirs / (1 + slowed_by) - 1).max()), 1),
            }
        )
    return rows


if __name__ == "__main__":
    main()
