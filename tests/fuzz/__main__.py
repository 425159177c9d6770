"""``python -m tests.fuzz``: odd inputs of every kind, 200,000 in all; what was tried before is not tried again.

Each input has a number: the same number makes the same input. Counts by kind go to results/fuzz/counts.csv as they
grow; inputs that are faults, or took longer than 5 s, go to tests/fuzz/found, where the tests read them from then on.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import signal
import tempfile
import time
import warnings
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

FOUND = Path(__file__).parent / "found"
COUNTS = Path(__file__).parents[2] / "results" / "fuzz" / "counts.csv"
TOTAL, LIMIT_S, SAVE_EVERY = 200_000, 5.0, 100
COLUMNS = ("kind", "inputs", "taken", "faults", "over_5_s", "slowest_cpu_s")


class TooLongError(BaseException):
    """An input took so long that the rest would wait for it."""


def read_counts(file: Path) -> dict[str, dict[str, float]]:
    """What was tried so far, by kind."""
    if not file.exists():
        return {}
    with file.open(newline="", encoding="utf-8") as stream:
        return {row["kind"]: {name: float(row[name]) for name in COLUMNS[1:]} for row in csv.DictReader(stream)}


def write_counts(file: Path, counts: dict[str, dict[str, float]]) -> None:
    """Write them, and their sum."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for kind, row in counts.items():
            whole = [str(int(row[name])) for name in COLUMNS[1:-1]]
            writer.writerow([kind, *whole, f"{row['slowest_cpu_s']:.2f}"])


def main() -> None:
    """Try inputs, a batch of each kind in turn, until each kind has had its share or the time is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--total", type=int, default=TOTAL, help="inputs in all")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--kind", action="append", help="only this kind; repeatable")
    given = parser.parse_args()
    end = time.monotonic() + 60 * given.minutes
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, _raise)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["FBENCH_CACHE_DIR"] = str(Path(folder) / "cache")
        from tests.fuzz.kinds import Kind, all_kinds, restore

        root = Path(folder) / "inputs"
        root.mkdir()
        everything = all_kinds(root)
        kinds = [kind for kind in everything if not given.kind or kind.name in given.kind]
        before = read_counts(COUNTS)
        counts = {kind.name: before.get(kind.name, dict.fromkeys(COLUMNS[1:], 0.0)) for kind in everything}
        share = -(-given.total // len(everything))

        def batch(kind: Kind) -> bool:
            row = counts[kind.name]
            for number in range(int(row["inputs"]), min(share, int(row["inputs"]) + SAVE_EVERY)):
                content = kind.odd(Random(f"{kind.name} {number}"), kind.good)
                try_input(kind, content, root, row)
                if time.monotonic() > end:
                    break
            restore(kind, root)
            write_counts(COUNTS, counts)
            return row["inputs"] < share

        write_counts(COUNTS, counts)
        waiting = list(kinds)
        while waiting and time.monotonic() < end:
            waiting = [kind for kind in waiting if time.monotonic() < end and batch(kind)]
    for name, row in counts.items():
        print(f"{name}: {row['inputs']:,.0f} inputs, {row['faults']:.0f} faults, {row['over_5_s']:.0f} over 5 s")  # noqa: T201


def try_input(kind: Any, content: bytes, root: Path, row: dict[str, float]) -> None:
    """Try one input, add it to the counts of its kind, and keep it if it is a fault or takes too long."""
    is_taken, fault, took = timed_try(kind, content, root)
    if took > LIMIT_S and not fault:  # the first of its kind imports what it needs
        is_taken, fault, took = timed_try(kind, content, root)
    row["inputs"] += 1
    row["taken"] += is_taken
    row["slowest_cpu_s"] = max(row["slowest_cpu_s"], took)
    row["faults"] += bool(fault)
    row["over_5_s"] += took > LIMIT_S
    if fault or took > LIMIT_S:
        FOUND.mkdir(exist_ok=True)
        (FOUND / f"{file_name(kind)}-{hashlib.sha256(content).hexdigest()[:12]}").write_bytes(content)
        print(f"{kind.name}: {fault or f'{took:.1f} s'}", flush=True)  # noqa: T201


def timed_try(kind: Any, content: bytes, root: Path) -> tuple[bool, str, float]:
    """Whether an input was taken, its fault, and the seconds of processor time: a busy machine is no slow input."""
    started, is_taken, fault = time.process_time(), False, ""
    signal.setitimer(signal.ITIMER_REAL, 120)
    try:
        is_taken = kind.try_one(content, root)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        fault = f"{type(error).__name__}: {str(error)[:200]}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return is_taken, fault, time.process_time() - started


def file_name(kind: Any) -> str:
    """How the names of files begin that keep faults of a kind."""
    return str(kind.name).replace(", ", "-").replace(" ", "_")


def _raise(_: int, __: FrameType | None) -> None:
    raise TooLongError


if __name__ == "__main__":
    main()
