"""How fast is every network on this machine? ``python -m tests.calibration.speed_table [--device cuda]``; minutes.

All registered networks are measured together as ``fbench speed`` does, one image at a time and in each one's best
batch. The table, ``results/speed/DEVICE.csv``, has a line for each network, backend and batch: times with intervals,
the time of an image as a multiple of the reference network's with its verdict, the share of the machine's roofline, and
the machine.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Final

from fbench.benchmark.cost.speed import SpeedRequest, measure_speed
from fbench.benchmark.records.cost_records import CostRecord
from fbench.reports.findings.costs.timings import SettingTimings, TimedAgainst, Timing, roofline_share, setting_timings
from tests.csv_tables import write_rows

AGAINST: Final = "ires"
BACKENDS: Final = {"cpu": ("eager", "onnxruntime", "onnxruntime_int8"), "cuda": ("eager", "cuda_graph", "compile")}
PREPARATION_S: Final = 900.0
"""Compiling 34 networks at nine batches each would take hours: what is not ready then is in the table as left out."""


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=["*"])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seconds-per-call", type=float, default=1.0)
    parser.add_argument("--preparation-s", type=float, default=PREPARATION_S)
    parser.add_argument("--out", type=Path, default=Path("results/speed"))
    given = parser.parse_args()
    backends = BACKENDS[given.device.partition(":")[0]]
    calls = 34 * len(backends) * 2
    request = SpeedRequest(
        names=tuple(given.networks),
        batch_sizes=(1,),
        backends=backends,
        device=given.device,
        seconds=given.seconds_per_call * calls,
        against=AGAINST,
        preparation_s=given.preparation_s,
        energy=False,  # of which the table has nothing
    )
    record = measure_speed(request)
    write_rows(given.out / f"{file_name(record)}.csv", rows_of(record))


def file_name(record: CostRecord) -> str:
    """The processor or accelerator as the name of a file."""
    machine = record.machine
    name = machine.accelerator if record.spec.numerics.device_kind == "cuda" else machine.processor
    return re.sub(r"[^a-z0-9]+", "-", (name or "cpu").lower()).strip("-")


def rows_of(record: CostRecord) -> list[dict[str, object]]:
    """A line for each network in each setting, and one for each that could not be timed."""
    rows: list[dict[str, object]] = []
    for found in setting_timings(record):
        compared = {one.network: one for one in found.comparisons}
        rows += [row(record, found, timing, compared.get(timing.network)) for timing in found.timings]
    for failure in record.setting_failures:
        setting = {"backend": failure.setting.backend, "best_batch": failure.setting.batch_size is None}
        what = {**about(record, failure.network), **setting, "verdict": failure.reason}
        rows.append(dict.fromkeys(rows[0], "") | what)
    return rows


def about(record: CostRecord, network: str) -> dict[str, object]:
    """What is the same in every line of a network."""
    static, machine = record.static[network], record.machine
    return {
        "network": network,
        "macs": static.macs,
        "device": machine.accelerator if record.spec.numerics.device_kind == "cuda" else machine.processor,
        "threads": record.series[0].threads,
        "precision": record.spec.numerics.precision,
    }


def row(record: CostRecord, found: SettingTimings, timing: Timing, compared: TimedAgainst | None) -> dict[str, object]:
    """One network in one setting."""
    median, tail = timing.quantiles[0], timing.quantiles[-1]
    share = roofline_share(record, found.setting, timing)
    return {
        **about(record, timing.network),
        "backend": found.setting.backend,
        "batch_size": timing.batch_size,
        "best_batch": found.setting.batch_size is None,
        "p50_ms": f"{1e3 * median.time_s:.4g}",
        "p50_low_ms": f"{1e3 * median.low_s:.4g}",
        "p50_high_ms": f"{1e3 * median.high_s:.4g}",
        "p99_ms": f"{1e3 * tail.time_s:.4g}",
        "images_per_s": round(timing.images_per_s, 1),
        "percent_of_roofline": "" if share is None else round(100 * share, 1),
        "time_over_ires": "" if compared is None else round(compared.ratio.ratio, 4),
        "time_over_ires_low": "" if compared is None else round(compared.ratio.low, 4),
        "time_over_ires_high": "" if compared is None else round(compared.ratio.high, 4),
        "verdict": "" if compared is None else compared.verdict,
    }


if __name__ == "__main__":
    main()
