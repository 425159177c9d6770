"""What large runs cost: ``python -m tests.calibration.load``, forty minutes.

Writes ``results/load/load.csv``: processor time and peak memory of commands on a run of 10,002 records and on one of
300 networks, what 1,000 tiny trials cost beyond their training, and beside each number what is wanted.
``python_loop_s`` says how fast the machine was just then: ten million multiplications and additions in a loop.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import timeit
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.csv_tables import read_rows, save_rows

SEEDS: Final = 3334
NETWORKS: Final = 300
SEEDS_OF_NETWORKS: Final = 3
TRIALS: Final = 1000
TRIES: Final = 3
RESUME: Final = """
import sys
from pathlib import Path
from fbench.benchmark.runs.planning import plan_run
from fbench.benchmark.runs.replanning import as_the_folder_is_now
from fbench.benchmark.runs.request import RunRequest
plan = plan_run(RunRequest(suite="smoke", preset="smoke", seeds=int(sys.argv[2]), out=Path(sys.argv[1]), jobs=2))
plan.folder.clean()
assert not as_the_folder_is_now(plan).pending
"""
FBENCH: Final = (sys.executable, "-m", "fbench.cli")
Row = dict[str, object]


def main() -> None:
    """Make the runs, measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results") / "load" / "load.csv")
    parser.add_argument("--place", type=Path, default=Path(tempfile.gettempdir()) / "fbench-load")
    parser.add_argument("--only", choices=tuple(PARTS), action="append", help="This part alone; other rows are kept.")
    given = parser.parse_args()
    os.environ["FBENCH_CACHE_DIR"] = str(given.place / "cache")
    rows: dict[tuple[object, object], Row] = {(row["what"], row["unit"]): dict(row) for row in read_rows(given.out)}
    for part in given.only or PARTS:
        for row in PARTS[part](given.place):
            rows[row["what"], row["unit"]] = row
            save_rows(given.out, list(rows.values()))
            print(*(f"{key} {value}" for key, value in row.items()), sep=", ", flush=True)  # noqa: T201 - a script reports by printing


def commands(place: Path) -> Iterator[Row]:
    """Commands that read a run of 10,002 records; the first one without an index too."""
    from tests.calibration.load.many_records import multiply, tiny_run

    one, many = place / "one", place / "many"
    if not (one / "report.html").exists():
        shutil.rmtree(one, ignore_errors=True)
        tiny_run(one, "smoke")
    if not (many / "plan.json").exists():
        multiply(one, many, SEEDS)
    shutil.rmtree(place / "cache" / "index", ignore_errors=True)
    records = f"{3 * SEEDS:,} records"
    yield from _command(f"fbench status, {records}, without an index", [*FBENCH, "status", str(many)])
    yield from _command(f"fbench status, {records}", [*FBENCH, "status", str(many)], 2, 300)
    yield from _command(f"fbench claims, {records}", [*FBENCH, "claims", str(many)], 3)
    yield from _command(
        f"fbench report --format csv, {records}", [*FBENCH, "report", str(many), "--format", "csv"], 10, 800
    )
    resume = [sys.executable, "-c", RESUME]
    few_s, _ = measured([*resume, str(one), "1"])
    many_s, _ = measured([*resume, str(many), str(SEEDS)])
    yield _row(f"fbench run decides what is left of {records}, beyond what it does for 3", "s", many_s - few_s, 3)


def page(place: Path) -> Iterator[Row]:
    """A report page over 300 networks."""
    from tests.calibration.report_speed import fabricate

    run = place / "networks"
    if not run.exists():
        fabricate(run, NETWORKS, SEEDS_OF_NETWORKS)
    command = [*FBENCH, "report", str(run), "--output", str(place / "page.html")]
    yield from _command(f"fbench report, {NETWORKS} networks of {SEEDS_OF_NETWORKS} seeds", command, 15)


def trials(place: Path) -> Iterator[Row]:
    """1,000 tiny trials in one process, and in two workers: medians of three tries, each of a process of its own."""
    from tests.calibration.load.tiny_trials import WARM

    for jobs, where in ((1, "in one process"), (2, "in two workers")):
        tries = [_tiny_trials(place / "trials", jobs) for _ in range(TRIES)]
        found = {name: statistics.median(one[name] for one in tries) for name in tries[0]}
        yield _row(f"each of {TRIALS} tiny trials beyond its training, {where}", "ms", found["beyond_learning_ms"], 20)
        if jobs > 1:
            yield _row(f"the driver alone, of each of {TRIALS} tiny trials, {where}", "ms", found["driver_ms"], 20)
        grown = f"growth of the process that grew most, trial {WARM} to {TRIALS}, {where}"
        yield _row(grown, "per cent", found["most_grown_percent"], "flat")


def _tiny_trials(folder: Path, jobs: int) -> dict[str, float]:
    shutil.rmtree(folder, ignore_errors=True)
    command = [sys.executable, "-m", "tests.calibration.load.tiny_trials", str(folder), str(TRIALS), str(jobs)]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def _command(what: str, command: Sequence[str], asked_s: object = "", asked_mib: object = "") -> Iterator[Row]:
    seconds, mib = measured(command)
    yield _row(what, "s", seconds, asked_s)
    yield _row(what, "MiB", mib, asked_mib)


def measured(command: Sequence[str]) -> tuple[float, float]:
    """Seconds of processor time and MiB of peak memory of a command."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def _row(what: str, unit: str, value: float, asked: object) -> Row:
    loop_s = timeit.timeit("for i in range(10**7): s += i * i", "s = 0", number=1)
    return {"what": what, "unit": unit, "asked": asked, "measured": round(value, 2), "python_loop_s": round(loop_s, 2)}


PARTS: Final = {"commands": commands, "page": page, "trials": trials}


if __name__ == "__main__":
    main()
