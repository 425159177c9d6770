"""A run as a job array of Slurm: a task for each shard, which goes on where it was cut off until all is done."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fbench.ablations.suite import Resources

STOPS_BEFORE_S: Final = 120
"""How long before the end of its time a task is asked to end, where nothing else made it: it needs 20 s."""
BUDGET_ENDS_BEFORE_S: Final = 180
"""How long before the end of its time a task begins nothing more."""
LEAST_TIME_S: Final = 600
UNFINISHED_EXIT: Final = 4
KILLED_EXIT: Final = 143
"""Of a command that SIGTERM ended while it started."""


@dataclass(frozen=True)
class JobOptions:
    """What is asked of the scheduler.

    Attributes:
        time_s: the limit of a task; it is put back into the queue until its trials are done.
        at_once: tasks at a time at most; none: as many as the scheduler gives.
        cores: of each task, which trains so many trials at a time on a CPU.
        memory_gb: of each task; none: that of its networks, or what the scheduler gives.
        more: further options of ``sbatch``, such as ``--partition=long``.
    """

    time_s: int
    at_once: int | None = None
    cores: int = 2
    memory_gb: float | None = None
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class JobArray:
    """The tasks of an array: the shards that have something left to do, and what their trials need."""

    shards: tuple[int, ...]
    resources: Resources


def arrays_of(todo: Mapping[int, Resources]) -> list[JobArray]:
    """An array for each kind of machine that shards need; ``todo`` are those with something left to do, by number."""
    kinds: dict[Resources, list[int]] = {}
    for number, needs in todo.items():
        kinds.setdefault(needs, []).append(number)
    return [JobArray(tuple(shards), needs) for needs, shards in kinds.items()]


def job_script(array: JobArray, of: int, command: Sequence[str], folder: str, name: str, options: JobOptions) -> str:
    """The script that ``sbatch`` takes.

    Preemption, and the end of a task's time, come as SIGTERM: fbench keeps what runs within 20 s and exits with 4, and
    the task goes back into the queue. The step's shell waits for that.

    Args:
        array: its tasks.
        of: shards in all.
        command: ``fbench run`` with its options, but for the shard, the folder, the time and the jobs.
        folder: where the folders of the shards lie.
        name: of the job.
        options: what is asked of the scheduler.
    """
    needs = array.resources
    memory_gb = options.memory_gb or (None if needs.memory_gb is None else needs.memory_gb * options.cores)
    wanted = [
        f"--job-name={shlex.quote(name)}",
        f"--array={_ranges(array.shards)}" + (f"%{options.at_once}" if options.at_once else ""),
        "--ntasks=1",
        f"--cpus-per-task={options.cores}",
        f"--time={_minutes(options.time_s)}",
        *([f"--mem={math.ceil(1024 * memory_gb)}M"] if memory_gb else []),
        *(["--gpus-per-task=1"] if needs.gpu else []),
        f"--signal=TERM@{STOPS_BEFORE_S}",
        "--requeue",
        "--open-mode=append",
        f"--output={shlex.quote(folder)}/slurm-%a.log",
        *options.more,
    ]
    jobs = [] if needs.gpu else ["--jobs", str(options.cores)]
    budget = ["--time-budget", f"{options.time_s - BUDGET_ENDS_BEFORE_S}s"]
    shard, place = f'"$SLURM_ARRAY_TASK_ID/{of}"', f'{shlex.quote(folder)}/"shard-$SLURM_ARRAY_TASK_ID-of-{of}"'
    line = f"{shlex.join([*command, *jobs, *budget])} --shard {shard} --out {place}"
    return "\n".join(
        [
            "#!/bin/bash",
            *(f"#SBATCH {one}" for one in wanted),
            "export FBENCH_STEP=" + shlex.quote("\n".join([*_STEP_BEGINS, line, *_STEP_ENDS])),
            "# SIGTERM reaches fbench, which keeps its work; the shell around it waits, and asks for another turn",
            'exec srun --ntasks=1 --cpus-per-task="$SLURM_CPUS_PER_TASK" bash -c "$FBENCH_STEP"',
            "",
        ]
    )


_STEP_BEGINS: Final = ("trap : TERM",)
_STEP_ENDS: Final = (
    "code=$?",
    # SLURM_JOB_ID of the last task is the number of the whole array, all of which would be put back
    'me="${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"',
    # a task that a person cancelled is not running any more, and stays cancelled
    f'if [ "$code" = {UNFINISHED_EXIT} ] || [ "$code" = {KILLED_EXIT} ]; then',
    '  [ "$(squeue -h -j "$me" -o %T)" = RUNNING ] && scontrol requeue "$me"',
    "fi",
    'exit "$code"',
)


def several(scripts: Sequence[str]) -> str:
    """One shell script that submits several, for networks that need other machines."""
    parts = [f"sbatch <<'FBENCH_JOB_{number}'\n{script}FBENCH_JOB_{number}" for number, script in enumerate(scripts, 1)]
    return "\n".join(["#!/bin/bash", "set -e", *parts, ""])


def _ranges(numbers: Sequence[int]) -> str:
    """``1-3,7`` of 1, 2, 3 and 7."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ",".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)


def _minutes(seconds: int) -> str:
    """Days, hours, minutes and seconds as Slurm writes them."""
    hours, rest = divmod(seconds, 3600)
    days, hours = divmod(hours, 24)
    return f"{days}-{hours:02d}:{rest // 60:02d}:{rest % 60:02d}"
