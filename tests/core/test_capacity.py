from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch
from typer.testing import CliRunner

from fbench.architectures.registry import create
from fbench.architectures.tracing.trace import trace
from fbench.benchmark.cost.conditions import read_conditions
from fbench.benchmark.cost.memory_need import why_too_large
from fbench.benchmark.cost.speed import SpeedRequest, measure_speed
from fbench.benchmark.machine.jobs import choose_jobs
from fbench.benchmark.machine.measured_machine import measured_machine
from fbench.cli.app import app
from fbench.core import capacity, machine
from fbench.core.capacity import (
    available_memory_gib,
    cores_because,
    library_threads,
    memory_because,
    memory_gib,
    usable_cores,
)
from fbench.core.cgroup import CpuQuota, MemoryLimit
from fbench.core.errors import UserError

GIB = 2**30
CPU_FILE = Path("/sys/fs/cgroup/job/cpu.max")
MEMORY_FILE = Path("/sys/fs/cgroup/job/memory.max")

Confine = Callable[..., None]


@pytest.fixture
def confine(monkeypatch: pytest.MonkeyPatch) -> Confine:
    """Make this process one of 16 cores and 64 GiB (60 of them free) with the limits that are given."""

    def confined(cpus: float | None = None, cores: int = 16, limits: tuple[tuple[float, float], ...] = ()) -> None:
        quota = None if cpus is None else CpuQuota(cpus, CPU_FILE)
        found = tuple(MemoryLimit(int(limit * GIB), int(used * GIB), MEMORY_FILE) for limit, used in limits)
        monkeypatch.setattr(capacity, "cpu_quota", lambda root: quota)
        monkeypatch.setattr(capacity, "memory_limits", lambda root: found)
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(cores)), raising=False)
        monkeypatch.setattr(os, "cpu_count", lambda: 16)
        memory = SimpleNamespace(total=64 * GIB, available=60 * GIB)
        monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
        monkeypatch.setattr(sys, "platform", "linux")

    return confined


@pytest.mark.parametrize(
    ("cpus", "cores", "usable", "because"),
    [
        (None, 16, 16, ""),
        (1.0, 16, 1, f"a quota of 1 CPU, {CPU_FILE}"),
        (1.5, 16, 1, f"a quota of 1.5 CPUs, {CPU_FILE}"),
        (0.25, 16, 1, f"a quota of 0.25 CPUs, {CPU_FILE}"),
        (3.99, 16, 3, f"a quota of 3.99 CPUs, {CPU_FILE}"),
        (64.0, 16, 16, ""),
        (8.0, 4, 4, "this process may run on 4 of 16, as by taskset"),
        (2.0, 4, 2, f"a quota of 2 CPUs, {CPU_FILE}"),
    ],
)
def test_whole_cores_within_affinity_and_quota_are_usable(
    confine: Confine, cpus: float | None, cores: int, usable: int, because: str
) -> None:
    confine(cpus, cores)
    assert usable_cores() == usable
    assert cores_because() == because
    # OpenMP and ONNX Runtime see the affinity themselves.
    assert library_threads() == (usable if usable < cores else None)


def test_the_tightest_of_system_and_groups_is_the_memory_that_is_left(confine: Confine) -> None:
    confine()
    assert (memory_gib(), available_memory_gib(), memory_because()) == (64.0, 60.0, "")
    confine(limits=((32.0, 30.0), (8.0, 1.0)))
    assert (memory_gib(), available_memory_gib()) == (8.0, 2.0)
    assert memory_because() == f"a limit of 32.0 GiB, {MEMORY_FILE}"
    confine(limits=((100.0, 1.0),))
    assert (memory_gib(), available_memory_gib(), memory_because()) == (64.0, 60.0, "")


def test_trials_at_a_time_keep_to_the_quota_and_a_refusal_names_it(confine: Confine) -> None:
    confine(cpus=2.5)
    assert choose_jobs(None, "cpu") == 2
    with pytest.raises(UserError) as refused:
        choose_jobs(8, "cpu")
    assert str(refused.value) == (
        f"--jobs 8 was given and this machine has 2 usable cores (a quota of 2.5 CPUs, {CPU_FILE}); give at most 2."
    )


def test_trials_at_a_time_keep_to_the_memory_of_the_group_and_a_refusal_names_it(confine: Confine) -> None:
    confine(limits=((6.0, 1.0),))
    assert choose_jobs(None, "cpu") == 3
    with pytest.raises(
        UserError, match=r"--jobs 4 .*has 5\.0 GiB of free memory \(a limit of 6\.0 GiB, .*memory\.max\)"
    ):
        choose_jobs(4, "cpu")


def test_threads_beyond_the_quota_are_refused(confine: Confine) -> None:
    confine(cpus=1.0)
    with pytest.raises(UserError) as refused:
        measure_speed(SpeedRequest(names=("lenet5",), threads=2))
    assert str(refused.value) == (
        f"--threads 2 was given and this machine has 1 usable core (a quota of 1 CPU, {CPU_FILE}); give 1."
    )


def test_a_batch_beyond_the_memory_of_the_group_is_refused(confine: Confine) -> None:
    traced = trace(create("lenet5"), (1, 48, 48))
    confine()
    assert why_too_large(traced, "train", 1000, torch.device("cpu")) == ""
    confine(limits=((0.25, 0.2),))
    assert why_too_large(traced, "train", 1000, torch.device("cpu")).endswith(
        f"and 0.1 GiB are free (a limit of 0.2 GiB, {MEMORY_FILE})"
    )


def test_records_and_measurements_name_what_the_limits_leave(confine: Confine) -> None:
    confine(cpus=2.0, limits=((4.0, 1.0),))
    described = machine.describe_machine.__wrapped__()
    assert (described.logical_cores, described.usable_cores, described.memory_gib) == (16, 2, 4.0)
    inside = measured_machine(described, "cpu")
    confine()
    outside = measured_machine(machine.describe_machine.__wrapped__(), "cpu")
    assert (inside.usable_cores, outside.usable_cores) == (2, 16)
    assert inside != outside
    confine(limits=((0.01, 0.0),))
    assert measured_machine(machine.describe_machine.__wrapped__(), "cpu").memory_gib > 0


def test_doctor_prints_the_limits(confine: Confine, monkeypatch: pytest.MonkeyPatch) -> None:
    confine(cpus=1.5, limits=((4.0, 1.0),))
    monkeypatch.setattr("fbench.benchmark.machine.diagnosis.describe_machine", machine.describe_machine.__wrapped__)
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 0, result.output
    assert f"1 of 16 cores usable (a quota of 1.5 CPUs, {CPU_FILE})" in result.output
    assert f"4.0 GiB of memory, 3.0 GiB free (a limit of 4.0 GiB, {MEMORY_FILE})" in result.output
    assert f"trials at a time: 1 (at most 1, as this machine has 1 usable core (a quota of 1.5 CPUs, {CPU_FILE}))" in (
        result.output
    )
    found = json.loads(CliRunner().invoke(app, ["doctor", "--json"]).output)
    assert found["cores_because"] == f"a quota of 1.5 CPUs, {CPU_FILE}"
    assert found["machine"]["usable_cores"] == 1


@pytest.mark.parametrize(("given", "used"), [(None, "1"), ("3", "3")])
def test_the_command_line_gives_openmp_no_more_threads_than_the_quota(
    confine: Confine, monkeypatch: pytest.MonkeyPatch, given: str | None, used: str
) -> None:
    from fbench.cli.app import main

    confine(cpus=1.5)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if given:
        monkeypatch.setenv("OMP_NUM_THREADS", given)
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", "")  # so that what main() sets is put back
        del os.environ["OMP_NUM_THREADS"]
    monkeypatch.setattr(sys, "argv", ["fbench", "--version"])
    with pytest.raises(SystemExit):
        main()
    assert os.environ["OMP_NUM_THREADS"] == used


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux binds a process to cores")
def test_a_process_that_is_bound_to_one_core_runs_one_trial_at_a_time() -> None:
    code = (
        "import os; all = os.cpu_count(); os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from fbench.core.capacity import cores_because, usable_cores\n"
        "from fbench.benchmark.machine.jobs import choose_jobs\n"
        "print(usable_cores(), choose_jobs(None, 'cpu'), bool(cores_because()) == (all > 1))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["1", "1", "True"], done.stderr


def test_without_proc_how_busy_the_machine_is_stays_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError("/proc/stat")

    for name in ("cpu_percent", "getloadavg", "cpu_freq"):
        monkeypatch.setattr(psutil, name, missing, raising=False)
    found = read_conditions(torch.device("cpu"))
    assert (found.busy_percent, found.load_average_1min, found.processor_mhz) == (None, None, None)


def test_without_proc_memory_is_still_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing() -> None:
        raise FileNotFoundError("/proc/meminfo")

    total = psutil.virtual_memory().total / GIB
    monkeypatch.setattr(psutil, "virtual_memory", missing)
    assert memory_gib(tmp_path) == pytest.approx(total, rel=0.05)
    assert 0 < available_memory_gib(tmp_path) <= memory_gib(tmp_path)
