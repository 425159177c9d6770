"""How the cost of training grows: ``python -m tests.peers.growth --data fer2013=PATH``.

One network is trained by fbench's own loop in fresh processes, with one thing changed at a time, each up to eight
times its first value: images of an epoch, batch size, epochs, trials after one another in one process, and workers at
once. ``growth.csv`` has seconds and peak resident memory, ``growth.svg`` draws both against the line of proportional
growth. Measurements are repeated in random order and their medians taken.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from fbench.core.machine import describe_machine
from tests.csv_tables import write_rows

NETWORK: Final = "ires"
IMAGES: Final = 1024
FACTORS: Final = (1, 2, 4, 8)


@dataclass(frozen=True)
class Setting:
    """What one process trains; ``axis`` is what grows, ``value`` how large it is."""

    axis: str
    value: int
    images: int = IMAGES
    batch_size: int = 32
    epochs: int = 1
    trials: int = 1
    workers: int = 1


@dataclass(frozen=True)
class Spent:
    """Seconds of training alone in one process, and the most memory that it ever held."""

    train_time_s: float
    peak_memory_mib: float


@dataclass(frozen=True)
class Row:
    """One setting. ``images_per_s`` are of all workers together; ``growth`` is the time against the axis' first
    value, and ``proportional`` what it would be if time grew as the work does."""

    axis: str
    value: int
    wall_time_s: float
    images_per_s: float
    growth: float
    proportional: float
    peak_memory_mib: float
    processor: str


def settings(cores: int) -> list[Setting]:
    """Every axis at its four values. Batches grow at a fixed number of images; workers beyond the cores share them."""
    return [
        *(Setting("images", IMAGES * factor, images=IMAGES * factor) for factor in FACTORS),
        *(Setting("batch_size", 32 * factor, images=2048, batch_size=32 * factor) for factor in FACTORS),
        *(Setting("epochs", factor, epochs=factor) for factor in FACTORS),
        *(Setting("trials", factor, trials=factor) for factor in FACTORS),
        *(Setting("workers", cores * factor, workers=cores * factor) for factor in FACTORS),
    ]


def spend(setting: Setting, data: str) -> Spent:
    """Train as the setting says, after two steps that pay for imports and first allocations."""
    import resource

    import torch

    from fbench.ablations.suite import adhoc_suite
    from fbench.benchmark.data.loaded import load_for
    from fbench.benchmark.records.budget import Budget
    from fbench.benchmark.runs.planning import plan_run
    from fbench.benchmark.runs.request import RunRequest
    from fbench.benchmark.training.trial import TrialContext, run_trial

    request = RunRequest(suite=adhoc_suite([NETWORK], None), preset="smoke", seeds=1, data=(data,), out=Path("unused"))
    first = plan_run(request).specs[0]
    protocol = first.protocol.model_copy(update={"test": "none", "reference_batch_size": setting.batch_size})
    budget = Budget(epochs=setting.epochs, batch_size=setting.batch_size, train_images=setting.images)
    dataset, context = load_for(first.data), TrialContext(torch.device("cpu"), setting.workers)
    warm = Budget(image_passes=2 * setting.batch_size, batch_size=setting.batch_size)
    run_trial(first.model_copy(update={"protocol": protocol, "budget": warm}), dataset, context)
    total_s = 0.0
    for seed in range(setting.trials):
        spec = first.model_copy(update={"protocol": protocol, "budget": budget, "seed": seed})
        times = run_trial(spec, dataset, context).record.times
        if times is None:
            raise RuntimeError(f"{setting} failed")
        total_s += times.train_time_s
    return Spent(total_s, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def measure(setting: Setting, data: str) -> tuple[float, float]:
    """Seconds of the slowest of the setting's workers, and the memory of the largest, in MiB."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(setting.workers, mp_context=context) as pool:
        spent = list(pool.map(spend, [setting] * setting.workers, [data] * setting.workers))
    return max(one.train_time_s for one in spent), max(one.peak_memory_mib for one in spent)


def table(found: dict[Setting, list[tuple[float, float]]]) -> list[Row]:
    """Medians over repeats, each axis against its first value."""
    rows: list[Row] = []
    for setting, repeats in found.items():
        wall_s = float(np.median([seconds for seconds, _ in repeats]))
        work = setting.images // setting.batch_size * setting.batch_size * setting.epochs * setting.trials
        images_per_s = work * setting.workers / wall_s
        first = next((row for row in rows if row.axis == setting.axis), None)
        grown = work * setting.workers / (first.images_per_s * first.wall_time_s) if first else 1.0
        rows.append(
            Row(
                axis=setting.axis,
                value=setting.value,
                wall_time_s=round(wall_s, 3),
                images_per_s=round(images_per_s, 1),
                growth=round(wall_s / first.wall_time_s, 3) if first else 1.0,
                proportional=round(grown, 3),
                peak_memory_mib=round(float(np.median([memory for _, memory in repeats])), 1),
                processor=describe_machine().processor,
            )
        )
    return rows


def draw(rows: Sequence[Row], file: Path) -> None:
    """One panel for each axis: seconds against proportional growth, and memory on the right."""
    mpl.rcParams["svg.hashsalt"] = "fbench"
    axes_names = list(dict.fromkeys(row.axis for row in rows))
    figure = Figure(figsize=(3.0 * len(axes_names), 3.0), layout="constrained")
    panels: Any = figure.subplots(1, len(axes_names), squeeze=False)[0]
    ticks = [0.5, 1, 2, 5, 10, 20, 50]
    times = [row.wall_time_s for row in rows]
    for panel, axis in zip(panels, axes_names, strict=True):
        own = [row for row in rows if row.axis == axis]
        values = [row.value for row in own]
        start = own[0].wall_time_s
        panel.plot(values, [start * row.proportional for row in own], ":", color="0.5", label="proportional")
        panel.plot(values, [row.wall_time_s for row in own], "o-", color="#0072b2", label="seconds")
        panel.set(xscale="log", yscale="log", xlabel=axis.replace("_", " "), xticks=values, xticklabels=values)
        panel.set(yticks=ticks, yticklabels=ticks, ylim=(0.8 * min(times), 1.25 * max(times)))
        panel.minorticks_off()
        memory = panel.twinx()
        memory.plot(values, [row.peak_memory_mib for row in own], "s--", color="#d55e00", label="MiB")
        memory.set_ylim(0, 1.6 * max(row.peak_memory_mib for row in rows))
        panel.set_title(f"{own[0].wall_time_s:.2g} s to {own[-1].wall_time_s:.2g} s", fontsize=9)
    memory.set_ylabel("peak memory, MiB (orange)")
    panels[0].set_ylabel("seconds of training (blue)\nproportional growth (dotted)")
    figure.savefig(file, metadata={"Date": None})


def main() -> None:
    """Measure, print, write the table and the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="fer2013=PATH")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--axes", nargs="+")
    parser.add_argument("--out", type=Path, default=Path("results/peers"))
    given = parser.parse_args()
    wanted = [one for one in settings(describe_machine().usable_cores) if not given.axes or one.axis in given.axes]
    found: dict[Setting, list[tuple[float, float]]] = {one: [] for one in wanted}
    order = random.Random(0)
    started = time.perf_counter()
    for _ in range(given.repeats):
        for one in order.sample(wanted, len(wanted)):
            found[one].append(measure(one, given.data))
    rows = table(found)
    write_rows(given.out / "growth.csv", [asdict(row) for row in rows])
    draw(rows, given.out / "growth.svg")
    print(f"{time.perf_counter() - started:.0f} s in all")  # noqa: T201 - a script reports by printing


if __name__ == "__main__":
    main()
