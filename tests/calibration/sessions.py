"""How much does a measurement of today differ from one of yesterday? ``python -m tests.calibration.sessions``.

The same networks are measured by ``fbench speed`` again and again, each time in a fresh process, about 9 minutes in
all, resumable. ``fbench compare`` holds measurements of different days against each other by way of the reference load
that each has timed beside its networks; ``sessions.csv`` tells how far that ratio varies from process to process,
beyond what the interval within a process knows of, and how far peak memory does. The constants of
``fbench.reports.findings.gate`` are the largest deviations in it, rounded up.
"""

from __future__ import annotations

import argparse
import itertools
import math
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fbench.benchmark.records.cost_records import REFERENCE, RESIDENT_GROWTH, CostRecord
from fbench.benchmark.store.files import read_cost_file
from fbench.reports.findings.costs.timings import image_log_times
from fbench.reports.findings.gate.read_changes import MEMORY_BETWEEN_SESSIONS_MIB
from fbench.reports.findings.gate.time_changes import BETWEEN_SESSIONS
from fbench.statistics.timing import time_ratio
from tests.csv_tables import read_rows, save_rows, write_rows

NETWORKS = ("ires", "arch1", "lenet5", "mini_xception")
SETTINGS = ("--batch-sizes", "1,64", "--mode", "inference,train", "--seconds", "12", "--blocks", "12")
SESSIONS = 20
NORMAL = 1.959964
MEMORY = "peak memory"


def main() -> None:
    """Make the sessions that are missing, then the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results/speed"))
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    arguments = parser.parse_args()
    raw = arguments.out / "sessions_raw.csv"
    rows: list[dict[str, object]] = [*read_rows(raw)]
    for session in range(len({row["session"] for row in rows}), arguments.sessions):
        rows += rows_of(session, measured())
        save_rows(raw, rows)
    write_rows(arguments.out / "sessions.csv", summarise(read_rows(raw)))


def measured() -> CostRecord:
    """One measurement, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "speed.json"
        command = [sys.executable, "-m", "fbench.cli", "speed", *NETWORKS, *SETTINGS, "--out", str(file)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return read_cost_file(file)


def rows_of(session: int, record: CostRecord) -> list[dict[str, object]]:
    """The logarithm of each network's time over the reference load's with its half interval, and of its memory."""
    rows: list[dict[str, object]] = []
    for setting in record.spec.plan.settings:
        reference = record.find(REFERENCE, setting)
        for network in NETWORKS:
            series = record.find(network, setting)
            if reference is not None and series is not None and setting.batch_size is not None:
                found = time_ratio(image_log_times(series), image_log_times(reference))
                half = math.log(found.high / found.low) / 2
                rows.append(row(session, network, setting.label, math.log(found.ratio), half))
    for reading in record.memory:
        if reading.peak_memory_mib is not None:
            what = f"{MEMORY}, {reading.mode}, batch {reading.batch_size}"
            rows.append(row(session, reading.network, what, math.log(reading.peak_memory_mib), 0.0))
    return rows


def row(session: int, network: str, what: str, log: float, half: float) -> dict[str, object]:
    """A line of the raw table."""
    return {
        "session": session,
        "network": network,
        "what": what,
        "log": round(log, 5),
        "half_interval": round(half, 5),
    }


def summarise(rows: Sequence[dict[str, str]]) -> list[dict[str, object]]:
    """For each network and quantity: the deviation between sessions, what the intervals within explain of it, and how
    often two sessions differ by more than the interval that the gate gives their difference."""
    found: list[dict[str, object]] = []
    for network, what in dict.fromkeys((line["network"], line["what"]) for line in rows):
        chosen = [line for line in rows if (line["network"], line["what"]) == (network, what)]
        logs = np.array([float(line["log"]) for line in chosen])
        within = float(np.mean([(float(line["half_interval"]) / NORMAL) ** 2 for line in chosen]))
        total = float(logs.var(ddof=1))
        halves = np.array([float(line["half_interval"]) for line in chosen])
        is_memory = what.startswith(MEMORY)
        values, deviation = (
            (np.exp(logs), MEMORY_BETWEEN_SESSIONS_MIB[RESIDENT_GROWTH]) if is_memory else (logs, BETWEEN_SESSIONS)
        )
        outside = [
            abs(values[i] - values[j]) > math.hypot(halves[i], halves[j], NORMAL * math.sqrt(2) * deviation)
            for i, j in itertools.combinations(range(len(chosen)), 2)
        ]
        found.append(
            {
                "network": network,
                "what": what,
                "sessions": len(chosen),
                "deviation_mib": round(float(values.std(ddof=1)), 3) if is_memory else "",
                "deviation_percent": round(100 * math.sqrt(total), 3),
                "within_session_percent": round(100 * math.sqrt(within), 3),
                "between_sessions_percent": round(100 * math.sqrt(max(0.0, total - within)), 3),
                "largest_pair_difference_percent": round(100 * float(np.ptp(logs)), 2),
                "pairs_outside_their_interval_percent": round(100 * float(np.mean(outside)), 1),
            }
        )
    return found


if __name__ == "__main__":
    main()
