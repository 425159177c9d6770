"""Do all contestants learn the same? ``python -m tests.peers.accuracy --data fer2013=PATH``.

Every contestant trains the same network from the same kind of start for the same number of steps, whose learning-rate
schedule ends with them, once for each seed, and is asked for the classes of the validation split. Each training has a
process of its own, two at a time. ``accuracy.csv`` has a line for each training; a second table, ``accuracy_test.csv``,
has the mean difference to fbench with its 95 % Welch interval over seeds. Lines of other networks stay.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy import stats

from tests.csv_tables import rounded, write_rows

CONTESTANTS: Final = ("fbench", "plain", "keras", "lightning")


@dataclass(frozen=True)
class Trained:
    """One training and the share of the validation split that it classifies rightly."""

    network: str
    contestant: str
    seed: int
    image_passes: int
    validation_top1: float


@dataclass(frozen=True)
class Difference:
    """How much better fbench is than another contestant, in percentage points, with a 95 % interval over seeds."""

    network: str
    contestant: str
    image_passes: int
    seeds: int
    mean_top1: float
    fbench_minus_this_points: float
    low_points: float
    high_points: float


def train(network: str, contestant: str, seed: int, data: str, image_passes: int) -> Trained:
    """Train once, in this process, on one thread."""
    from fbench.benchmark.data.load import load_dataset
    from fbench.benchmark.data.references import parse_reference
    from fbench.benchmark.records.protocol_library import load_protocol
    from tests.peers.contestants import Task, make_contestant, validation_top1

    dataset = load_dataset(parse_reference(data))
    steps = image_passes // load_protocol("fbench").batch_size
    made = make_contestant(contestant, Task(network, dataset, "fp32", 1, 0, seed, scheduled_steps=steps))
    made.block(steps)
    return Trained(network, contestant, seed, image_passes, round(validation_top1(made, dataset), 4))


def differences(found: Sequence[Trained]) -> list[Difference]:
    """fbench against each other contestant; trainings share no random numbers, so the test is Welch's."""
    table = []
    for network, passes in dict.fromkeys((row.network, row.image_passes) for row in found):
        by_name = {
            name: 100
            * np.array([row.validation_top1 for row in found if (row.network, row.contestant) == (network, name)])
            for name in dict.fromkeys(row.contestant for row in found)
        }
        ours = by_name["fbench"]
        for name, theirs in by_name.items():
            test: Any = stats.ttest_ind(ours, theirs, equal_var=False)
            low, high = test.confidence_interval(0.95) if name != "fbench" else (0.0, 0.0)
            difference = float(ours.mean() - theirs.mean())
            table.append(
                Difference(
                    network, name, passes, len(theirs), float(theirs.mean()), difference, float(low), float(high)
                )
            )
    return table


def read_trained(file: Path) -> list[Trained]:
    """The lines of an earlier table; none where there is no table."""
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as stream:
        return [
            Trained(
                line["network"],
                line["contestant"],
                int(line["seed"]),
                int(line["image_passes"]),
                float(line["validation_top1"]),
            )
            for line in csv.DictReader(stream)
        ]


def main() -> None:
    """Train all and write both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="fer2013=PATH")
    parser.add_argument("--networks", nargs="+", default=["ires", "mini_xception"])
    parser.add_argument("--image-passes", type=int, default=57_344)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path("results/peers"))
    given = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context, max_tasks_per_child=1) as pool:
        waiting = [
            pool.submit(train, network, contestant, seed, given.data, given.image_passes)
            for network in given.networks
            for seed in range(given.seeds)
            for contestant in CONTESTANTS
        ]
        found = [future.result() for future in waiting]
    kept = [row for row in read_trained(given.out / "accuracy.csv") if row.network not in given.networks]
    found = [*kept, *found]
    write_rows(given.out / "accuracy.csv", [asdict(row) for row in found])
    write_rows(given.out / "accuracy_test.csv", [rounded(asdict(row), 3) for row in differences(found)])


if __name__ == "__main__":
    main()
