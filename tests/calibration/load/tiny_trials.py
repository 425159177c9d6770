"""Many trials of two steps: what the driver costs beyond the training itself, and whether memory grows.

``python -m tests.calibration.load.tiny_trials FOLDER TRIALS JOBS`` prints what :func:`measure_trials` finds, as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

from fbench.ablations.suite import adhoc_suite
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.events import Ended, Event
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.runs.driver import run_trials
from fbench.benchmark.runs.executors import WorkerContext
from fbench.benchmark.runs.local_executor import LocalExecutor
from fbench.benchmark.runs.planning import plan_run
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.store.run_folder import RunFolder
from tests.benchmark.data.sample_files import fer2013_lines, random_images, write_lines

WARM: Final = 100
"""Trials after which memory is looked at first: imports, caches and the allocator's own have then come."""


@dataclass
class _Watch:
    """What is noted of trials as they end."""

    learning_s: float = 0.0
    ended: int = 0
    memory_mib: dict[str, tuple[float, float]] = field(default_factory=dict)
    ran_and_queued_s: dict[int, tuple[float, float]] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        if not isinstance(event, Ended):
            return
        times = event.record.times
        if times is None:
            raise RuntimeError(event.record.failure_reason)
        self.ended += 1
        self.learning_s += times.train_time_s + times.evaluation_time_s
        if self.ended >= WARM and self.ended % 20 == 0:
            self._look()

    def _look(self) -> None:
        here = psutil.Process(os.getpid())
        for name, process in [("driver", here), *((f"worker {one.pid}", one) for one in here.children(recursive=True))]:
            mib = process.memory_info().rss / 2**20
            self.memory_mib[name] = (self.memory_mib.get(name, (mib, mib))[0], mib)
            self.ran_and_queued_s[process.pid] = _ran_and_queued_s(process.pid)

    def running_share(self, trains_here: bool) -> float:
        """Of the time in which the processes that train wanted a processor, the share in which they had one."""
        training = [times for pid, times in self.ran_and_queued_s.items() if (pid == os.getpid()) == trains_here]
        ran_s, queued_s = (sum(times) for times in zip(*training, strict=True))
        return ran_s / (ran_s + queued_s)


def tiny_specs(folder: Path, trials: int) -> Sequence[TrialSpec]:
    """So many trials of LeNet-5: 64 images once, in batches of 32, and 63 to validate on, without a test split.

    Images are few, so that what is measured is no small difference of large numbers.
    """
    usages = [
        usage for usage, images in (("Training", 70), ("PublicTest", 63), ("PrivateTest", 7)) for _ in range(images)
    ]
    lines = fer2013_lines([row % 7 for row in range(len(usages))], usages, random_images(len(usages)))
    folder.mkdir(parents=True)
    noise = write_lines(folder / "noise.csv", lines)
    suite, data = adhoc_suite(["lenet5"], None), (f"fer2013={noise}",)
    plan = plan_run(RunRequest(suite=suite, preset="smoke", data=data, seeds=1, out=folder / "plan", jobs=1))
    first = plan.specs[0]
    tiny = Budget(image_passes=64, batch_size=32, train_images=64)
    quiet = first.protocol.model_copy(update={"test": "none"})
    return [first.model_copy(update={"seed": seed, "budget": tiny, "protocol": quiet}) for seed in range(trials)]


def measure_trials(folder: Path, trials: int, jobs: int) -> dict[str, float]:
    """Milliseconds of processor time for each trial beyond learning and evaluating, of the driver alone and of all
    processes; and by how many MiB each process grew, in per cent, from the hundredth trial on."""
    specs, run, watch = tiny_specs(folder / "data", trials), RunFolder(folder / "run"), _Watch()
    context = WorkerContext(folder / "scratch", jobs=jobs)
    before = _processor_s()
    with LocalExecutor(context, specs[0].data) as executor:
        run_trials(executor, specs, run, watch)
    own_s, children_s = (after - first for after, first in zip(_processor_s(), before, strict=True))
    # times of a trial are those of a clock on the wall, which runs on where others have the processor; a process that
    # learns never waits for anything else, so that its sleep between trials must not be taken for such time
    learning_s = watch.learning_s * watch.running_share(trains_here=jobs == 1)
    grown = [100 * (last / first - 1) for first, last in watch.memory_mib.values()]
    return {
        "driver_ms": 1000 * own_s / trials if jobs > 1 else 0.0,
        "beyond_learning_ms": 1000 * (own_s + children_s - learning_s) / trials,
        "most_grown_percent": max(grown),
        "driver_mib": watch.memory_mib["driver"][1],
    }


def _ran_and_queued_s(pid: int) -> tuple[float, float]:
    """How long the first thread of a process ran, and how long it waited in the queue of a processor (Linux)."""
    ran_ns, queued_ns, _ = Path(f"/proc/{pid}/schedstat").read_text().split()
    return int(ran_ns) / 1e9, int(queued_ns) / 1e9


def _processor_s() -> tuple[float, float]:
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime, children.ru_utime + children.ru_stime


if __name__ == "__main__":
    print(json.dumps(measure_trials(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))  # noqa: T201 - a script reports by printing
