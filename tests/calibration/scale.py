"""How the cost of a cluster grows: ``python -m tests.calibration.scale [--simulated] [--real]``.

``--simulated`` runs 100, 300 and 1,000 trials on 50 machines in simulated time, by the driver and its executor, and
writes ``results/scale/simulated.csv``: the wall time beside the best static packing, and the driver's processor time
for each trial.

``--real`` starts a Ray cluster of four nodes on this machine, with more logical cores than it has, and trains trials
that sleep in their first step. Writes ``results/scale/real.csv``: how long a place stands empty between two trials, and
how much memory the driver has after the first tenth of the trials and at the end.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil

from fbench.architectures.plugin_sources import read_sources
from fbench.architectures.plugins import load_plugin
from fbench.benchmark.clusters.options import ClusterOptions
from fbench.benchmark.clusters.ray_executor import RayExecutor
from fbench.benchmark.records.events import Ended, Event, Started
from fbench.benchmark.runs.driver import run_trials
from fbench.benchmark.runs.executors import WorkerContext
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.training.networks import network_spec
from tests.calibration.ray_cluster import specs_in
from tests.csv_tables import save_rows
from tests.real_cluster import real_cluster
from tests.support import data_spec_of, make_stripes

_TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(_TESTS), str(_TESTS / "benchmark" / "clusters")]

from many_nodes import SCENARIOS, simulate  # noqa: E402 - a module of the tests, which pytest finds by itself

NODES: Final = 50
TRIALS: Final = (100, 300, 1000)
REAL_NODES, REAL_CORES = 4, 6
REAL_TRIALS: Final = (96, 360)
SLEEP_S: Final = 20.0

SLEEPER: Final = f"""
import time
import fbench
from torch import nn

class Sleeper(nn.Module):
    def __init__(self, features, num_classes):
        super().__init__()
        self.linear = nn.Linear(features, num_classes)
        self.has_slept = False

    def forward(self, x):
        if self.training and not self.has_slept and x.device.type == "cpu":
            self.has_slept = True
            time.sleep({SLEEP_S})
        return self.linear(x.flatten(1))

@fbench.register("sleeper")
def build_sleeper(num_classes=3, in_channels=1, image_size=16):
    return Sleeper(in_channels * image_size ** 2, num_classes)
"""


@dataclass(frozen=True)
class Real:
    """Sleeping trials on a real cluster.

    ``wall_s`` is from the first trial that trains to the last result, ``sleeping_s`` what it would be if all places
    were there at once and never empty. ``empty_ms_per_trial`` is how long a place is not asleep for each trial once
    every place has ended one, the training of a linear layer included: before that, all places import PyTorch on the
    cores of one machine.
    """

    nodes: int
    places: int
    trials: int
    lost: int
    doubled: int
    sleep_s: float
    wall_s: float
    sleeping_s: float
    empty_ms_per_trial: float
    driver_cpu_ms_per_trial: float
    driver_mib_after_a_tenth: float
    driver_mib_at_the_end: float


def real(trials: int, plugin: Path) -> Real:
    """Train so many trials that sleep; their files are kept beside the plug-in."""
    place = plugin.parent
    (first,) = specs_in(place, 1, 1, 96)
    sleeper = first.model_copy(update={"network": network_spec("sleeper", "sleeper", {}, data_spec_of(make_stripes()))})
    specs = [sleeper.model_copy(update={"seed": seed}) for seed in range(trials)]
    run, me = RunFolder(place / f"run-{trials}"), psutil.Process()
    ended: list[str] = []
    mib: list[float] = []
    started_at: list[float] = []
    ended_at: list[float] = []

    def hear(event: Event) -> None:
        if isinstance(event, Started):
            started_at.append(time.monotonic())
        if isinstance(event, Ended):
            ended.append(event.trial_id)
            ended_at.append(time.monotonic())
            mib.append(me.memory_info().rss / 2**20)

    sources = read_sources(plugin)
    with real_cluster(0) as cluster:
        for _ in range(REAL_NODES):
            cluster.start(REAL_CORES)
        context = WorkerContext(place / f"scratch-{trials}", checkpoints=run.checkpoints)
        with RayExecutor(context, ClusterOptions(cluster.address), {sources.digest: sources}) as executor:
            before_s = time.process_time()
            left = run_trials(executor, specs, run, hear)
            cpu_s = time.process_time() - before_s
    places = REAL_NODES * REAL_CORES
    wall_s = ended_at[-1] - started_at[0]
    steady_s = ended_at[trials - places - 1] - ended_at[places - 1]
    sleeping_s = -(-trials // places) * SLEEP_S
    finished = sum(one.status == "finished" for one in run.trials().values())
    return Real(
        nodes=REAL_NODES,
        places=places,
        trials=trials,
        lost=len(left) + trials - finished,
        doubled=len(ended) - len(set(ended)),
        sleep_s=SLEEP_S,
        wall_s=round(wall_s, 1),
        sleeping_s=round(sleeping_s, 1),
        empty_ms_per_trial=round(1000 * (places * steady_s / (trials - 2 * places) - SLEEP_S), 1),
        driver_cpu_ms_per_trial=round(1000 * cpu_s / trials, 1),
        driver_mib_after_a_tenth=round(mib[len(mib) // 10], 1),
        driver_mib_at_the_end=round(mib[-1], 1),
    )


def main() -> None:
    """Write the tables that are asked for; both without an option."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results") / "scale")
    parser.add_argument("--simulated", action="store_true")
    parser.add_argument("--real", action="store_true")
    given = parser.parse_args()
    if given.simulated or not given.real:
        rows = []
        for name in SCENARIOS:
            for trials in TRIALS:
                with tempfile.TemporaryDirectory() as folder:
                    rows.append(asdict(simulate(name, trials, NODES, Path(folder))))
                print(rows[-1], flush=True)  # noqa: T201 - a script's output
                save_rows(given.out / "simulated.csv", rows)
    if given.real or not given.simulated:
        rows = []
        with tempfile.TemporaryDirectory(prefix="fray-") as folder:
            plugin = Path(folder) / "sleeper.py"
            plugin.write_text(SLEEPER, encoding="utf-8")
            load_plugin(plugin)
            for trials in REAL_TRIALS:
                rows.append(asdict(real(trials, plugin)))
                print(rows[-1], flush=True)  # noqa: T201 - a script's output
                save_rows(given.out / "real.csv", rows)


if __name__ == "__main__":
    main()
