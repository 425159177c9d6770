"""How well a suite's trials are packed on the cores: ``python -m tests.calibration.packing``.

Runs a suite as ``fbench run`` does and holds the time from the start of its first trial to the end of its last one
against the best static packing of the same trials, longest first, by the seconds that each of them turned out to take.
Writes ``results/training/packing.csv``; about five minutes on two cores.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Final

from fbench.benchmark.cost.estimate import packed_s
from fbench.benchmark.records.events import Ended, Event
from fbench.benchmark.runs.listener import RunListener
from fbench.benchmark.runs.plan import RunPlan
from fbench.benchmark.runs.planning import plan_run
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.runs.session import execute_run
from fbench.core.machine import describe_machine
from tests.csv_tables import rounded, write_rows

TABLE: Final = Path("results/training/packing.csv")


class Clock(RunListener):
    """Notes when trials began, when the last of them ended, and how long each took."""

    def __init__(self) -> None:
        self.began_s = self.ended_s = self.estimate_s = 0.0
        self.trials_s: list[float] = []

    def began(self, plan: RunPlan, trials_s: dict[str, float], estimate_s: float) -> None:
        """The first trial is about to start."""
        self.began_s = time.perf_counter()

    def happened(self, event: Event) -> None:
        """Note the end of a trial."""
        if isinstance(event, Ended):
            if event.record.times is None:
                raise RuntimeError(f"trial {event.trial_id} failed: {event.record.failure_reason}")
            self.ended_s = time.perf_counter()
            self.trials_s.append(event.record.times.total_time_s)


def row(suite: str, clock: Clock, jobs: int) -> dict[str, object]:
    """Seconds of the suite, of the static packing, and the least that any packing could take."""
    wall_s, packing_s = clock.ended_s - clock.began_s, packed_s(clock.trials_s, jobs)
    return {
        "suite": suite,
        "trials": len(clock.trials_s),
        "jobs": jobs,
        "wall_time_s": wall_s,
        "longest_first_s": packing_s,
        "lower_bound_s": max(*clock.trials_s, sum(clock.trials_s) / jobs),
        "beyond_longest_first_percent": 100 * (wall_s / packing_s - 1),
        "processor": describe_machine().processor,
    }


def main() -> None:
    """Run each suite once and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="synthetic", help="synthetic, or fer2013=PATH")
    parser.add_argument("--suites", nargs="+", default=["xu2021", "chowanda2021"])
    parser.add_argument("--preset", default="quick")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--table", type=Path, default=TABLE)
    given = parser.parse_args()
    rows = []
    for suite in given.suites:
        with tempfile.TemporaryDirectory() as place:
            out = Path(place) / "run"
            request = RunRequest(suite=suite, preset=given.preset, seeds=given.seeds, data=(given.data,), out=out)
            plan, clock = plan_run(request), Clock()
            execute_run(plan, clock)
            rows.append(rounded(row(suite, clock, plan.jobs), 3))
    write_rows(given.table, rows)


if __name__ == "__main__":
    main()
