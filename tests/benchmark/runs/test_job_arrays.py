"""The script of a job array: what it asks for, that a shell can read it, and that it ends with a whole run."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typed import typed

from fbench.ablations.suite import Resources
from fbench.benchmark.runs.job_arrays import JobArray, JobOptions, _minutes, _ranges, arrays_of, job_script, several

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="scripts are for bash")
COMMAND = ["python", "-m", "fbench", "run", "--suite", "it's mine.toml"]


def script(options: JobOptions, needs: Resources | None = None) -> str:
    return job_script(JobArray((1, 2, 5), needs or Resources()), 8, COMMAND, "out put", "name", options)


def asked(text: str) -> list[str]:
    return [line.removeprefix("#SBATCH ") for line in text.splitlines() if line.startswith("#SBATCH ")]


def test_it_asks_for_what_was_wanted_and_for_an_end_that_can_be_gone_on_with() -> None:
    text = script(JobOptions(7200, at_once=2, cores=4, memory_gb=3.5, more=("--partition=long",)))
    assert asked(text) == [
        "--job-name=name",
        "--array=1-2,5%2",
        "--ntasks=1",
        "--cpus-per-task=4",
        "--time=0-02:00:00",
        "--mem=3584M",
        "--signal=TERM@120",
        "--requeue",
        "--open-mode=append",
        "--output='out put'/slurm-%a.log",
        "--partition=long",
    ]
    assert "exec srun " in text
    assert "--jobs 4 --time-budget 7020s" in text


def test_networks_that_need_a_gpu_get_one_and_their_own_array() -> None:
    small, large = Resources(), Resources(gpu=True, memory_gb=16)
    arrays = arrays_of({1: small, 2: large, 3: small})
    assert arrays == [JobArray((1, 3), small), JobArray((2,), large)]
    texts = [job_script(one, 3, COMMAND, "out", "name", JobOptions(3600)) for one in arrays]
    assert "--gpus-per-task=1" in asked(texts[1])
    assert "--mem=32768M" in asked(texts[1])  # two cores
    assert "--jobs" not in texts[1]
    assert not [line for line in asked(texts[0]) if "gpu" in line or "mem" in line]
    whole = several(texts)
    assert subprocess.run(["bash", "-n"], input=whole, text=True, check=False).returncode == 0
    assert whole.count("sbatch <<") == 2


@given(st.sets(st.integers(1, 60), min_size=1))
def test_ranges_name_every_number_once(numbers: set[int]) -> None:
    found: list[int] = []
    for part in _ranges(sorted(numbers)).split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    assert found == sorted(numbers)


def test_times_are_written_as_slurm_reads_them() -> None:
    assert [_minutes(one) for one in (600, 3661, 90061)] == ["0-00:10:00", "0-01:01:01", "1-01:01:01"]


STAND_IN = {
    # the options of a step, and then its command
    "srun": 'while [ "${1#--}" != "$1" ]; do shift; done\nexec "$@"',
    "scontrol": '[ "$1" = requeue ] && touch "$STAND_IN/requeue-${2#7_}"',
    "squeue": "echo ${STAND_IN_STATE:-RUNNING}",
}


class StandIn:
    """A scheduler of one task at a time, which ends a task's first turn by SIGTERM and gives those another that ask."""

    def __init__(self, home: Path) -> None:
        self.home, self.turns = home, dict[int, list[int]]()
        programs = home / "programs"
        programs.mkdir()
        for name, body in STAND_IN.items():
            (programs / name).write_text(f"#!/bin/bash\n{body}\n")
            (programs / name).chmod(0o755)
        self.environment = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", "STAND_IN": str(home)}

    def run(self, file: Path, numbers: range) -> None:
        for number in numbers:
            self.turns[number] = []
            while True:
                code = self._turn(file, number, preempt=not self.turns[number])
                self.turns[number].append(code)
                asks = self.home / f"requeue-{number}"
                if not asks.exists():
                    break
                asks.unlink()

    def _turn(self, file: Path, number: int, *, preempt: bool) -> int:
        told = {"SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": str(number), "SLURM_CPUS_PER_TASK": "1"}
        process = subprocess.Popen(
            ["bash", str(file)], cwd=self.home, env=self.environment | told, start_new_session=True
        )
        began = time.monotonic()
        shard = self.home / "results" / "shards" / f"shard-{number}-of-2"
        while preempt and process.poll() is None and time.monotonic() - began < 120:
            if list(shard.glob("checkpoints/*")):  # it trains
                os.killpg(process.pid, signal.SIGTERM)
                assert process.wait(20) == 4, "it did not keep its work within 20 s"
            time.sleep(0.05)
        return process.wait(300)


@pytest.mark.slow
@pytest.mark.usefixtures("faces_at_hand", "machine_at_hand", "unpainted")
@pytest.mark.skipif(sys.platform == "win32", reason="Slurm is for POSIX systems")
def test_a_scheduler_that_takes_tasks_away_ends_with_the_run_of_one_machine(tmp_path: Path) -> None:
    wanted = ["--arch", "lenet5", "--preset", "smoke", "--seeds", "2", "--epochs", "8"]
    made = typed("slurm", "--tasks", "2", "--cores", "1", "--time", "15m", *wanted, cwd=tmp_path)
    assert made.code == 0, made.err
    (tmp_path / "job.sh").write_text(made.out)
    scheduler = StandIn(tmp_path)
    scheduler.run(tmp_path / "job.sh", range(1, 3))
    assert {number: turns[-1] for number, turns in scheduler.turns.items()} == {1: 0, 2: 0}
    assert all(turns[0] == 4 for turns in scheduler.turns.values())
    nothing = typed("slurm", "--tasks", "2", *wanted, cwd=tmp_path)
    assert (nothing.code, "All 2 parts in results/shards are done" in nothing.err) == (2, True)
    shards = [f"results/shards/shard-{number}-of-2" for number in (1, 2)]
    assert typed("merge", *shards, "--out", "merged", cwd=tmp_path).code == 0
    assert typed("run", *wanted, "--jobs", "2", "--out", "whole", cwd=tmp_path).code == 0
    merged, whole = (accuracies(tmp_path / name) for name in ("merged", "whole"))
    assert merged == whole


def accuracies(run: Path) -> dict[str, float]:
    records = {file.parent.name: json.loads(file.read_text()) for file in run.glob("trials/*/record.json")}
    return {trial_id: record["test"]["top1"] for trial_id, record in records.items()}


@pytest.mark.usefixtures("faces_at_hand")
@pytest.mark.parametrize("given", ["--shard=1/2", "--jobs", "--time-budget", "--out=x", "--until-decided"])
def test_options_that_the_script_gives_itself_are_refused(tmp_path: Path, given: str) -> None:
    refused = typed("slurm", "--arch", "lenet5", "--preset", "smoke", given, cwd=tmp_path)
    assert (refused.code, refused.out, len(refused.err.splitlines())) == (2, "", 1), refused


@pytest.mark.usefixtures("faces_at_hand")
def test_what_is_done_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["--arch", "lenet5", "--preset", "smoke", "--seeds", "3"]
    place = "results/shards/shard-2-of-3"
    assert typed("run", *wanted, "--jobs", "1", "--shard", "2/3", "--out", place, cwd=tmp_path).code == 0
    made = typed("slurm", "--tasks", "3", *wanted, cwd=tmp_path)
    assert "--array=1,3" in asked(made.out)
    assert "3 parts, of which 2 have something to do." in made.err
