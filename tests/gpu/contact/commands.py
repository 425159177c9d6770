"""Stage: fbench's own commands, as a user gives them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.store.run_folder import RunFolder
from tests.gpu.contact.faces import reference_of
from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import Measurement

JOBS: Final = (1, 4)
NETWORKS: Final = ("arch1", "ires")


def measurements(settings: Settings) -> Iterator[Measurement]:
    """The speed of two networks, and a quick run one trial at a time and four."""
    yield Measurement("speed", partial(speed, settings))
    for jobs in JOBS[: 1 if settings.small else None]:
        yield Measurement(f"quick run, jobs {jobs}", partial(quick_run, jobs, settings))


def quick_run(jobs: int, settings: Settings) -> Mapping[str, Any]:
    """Seconds of the whole command, and those between the first start and the last end of its trials."""
    out = settings.work / f"quick-jobs-{jobs}"
    preset = ("--preset", "smoke" if settings.small else "quick", "--seeds", "1" if settings.small else "6")
    networks = [word for name in NETWORKS for word in ("--arch", name)]
    data = ("--data", str(reference_of(settings)))
    place = ("--device", settings.device, "--jobs", str(jobs), "--out", str(out), "--quiet")
    took_s = _fbench(["run", *networks, *preset, *data, *place], settings)
    records = list(RunFolder(out).trials().values())
    times = [record.times for record in records if record.times is not None]
    return {
        "took_s": took_s,
        "trials": len(records),
        "finished": sum(record.status == "finished" for record in records),
        "first_start_to_last_end_s": _span_s(records),
        "total_time_of_trials_s": sum(one.total_time_s for one in times),
        "train_time_of_trials_s": sum(one.train_time_s for one in times),
        "memory_format": records[0].spec.numerics.memory_format if records else "none",
        "failures": [record.failure_reason for record in records if record.failure_reason][:3],
    }


def _span_s(records: Sequence[TrialRecord]) -> float:
    """Seconds from the first start of a trial to the last end; records keep whole seconds."""
    if not records:
        return 0.0
    ends = [datetime.fromisoformat(record.finished_at) for record in records]
    return (max(ends) - min(datetime.fromisoformat(record.started_at) for record in records)).total_seconds()


def speed(settings: Settings) -> Mapping[str, Any]:
    """``fbench speed`` of two networks, eager and recorded, inference and training; the record itself is archived."""
    file = settings.work / "speed.json"
    sizes, backends = ("1,8", "eager") if settings.small else ("1,64,256", "eager,cuda_graph")
    options = ["--batch-sizes", sizes, "--backend", backends, "--mode", "inference,train", "--device", settings.device]
    options += ["--seconds", "2" if settings.small else "12", "--prepare-within", "30s", "--no-energy"]
    took_s = _fbench(["speed", *NETWORKS, *options, "--out", str(file)], settings)
    record = json.loads(file.read_text(encoding="utf-8"))
    return {"took_s": took_s, "bytes": file.stat().st_size, "failures": record.get("failures", {})}


def _fbench(arguments: Sequence[str], settings: Settings) -> float:
    """Run a command of fbench; its seconds.

    Raises:
        RuntimeError: it did not end with 0.
    """
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(part or str(Path.cwd()) for part in sys.path),
        "FBENCH_CACHE_DIR": str(settings.work / "cache"),
    }
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "fbench", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    print(done.stdout, flush=True)  # noqa: T201 - into the stage's log
    if done.returncode:
        raise RuntimeError(f"fbench {' '.join(arguments)} ended with {done.returncode}: {done.stdout[-2000:]}")
    return time.perf_counter() - started
