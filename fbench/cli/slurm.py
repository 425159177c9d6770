"""``fbench slurm``: the script of a job array that trains a run in parts."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from fbench.cli.duration import seconds_of
from fbench.core.errors import UserError, readable

if TYPE_CHECKING:
    from fbench.benchmark.runs.request import RunRequest

_SET_BY_THE_SCRIPT: Final = {
    "--array": "; give --tasks and --at-once",
    "-a": "; give --tasks and --at-once",
    "--time": "; give --time before --suite",
    "-t": "; give --time before --suite",
    "--cpus-per-task": "; give --cores",
    "-c": "; give --cores",
    "--requeue": "",
    "--no-requeue": "",
    "--signal": "",
}
_OWN_OF_TASKS: Final = {
    "--shard": "each task is given its own; leave it out, and say with --tasks how many there are",
    "--time-budget": "each task is given its own, from --time; leave it out",
    "--jobs": "a task trains as many trials at a time as it has cores; give --cores before the options of the run",
    **dict.fromkeys(("--out", "--output", "-o"), "give the folder of all parts before the options of the run"),
    "--dry-run": "nothing runs before the script is submitted; leave it out",
    "--wait": "each part has a folder of its own, in which nobody else works; leave it out",
}


def slurm_command(
    context: typer.Context,
    tasks: Annotated[int, typer.Option(min=1, help="Into how many parts the trials are dealt, a task for each.")] = 8,
    at_once: Annotated[
        int | None, typer.Option("--at-once", min=1, help="Tasks at a time at most. Default: what the cluster gives.")
    ] = None,
    time: Annotated[
        str, typer.Option(help="The time of a task, such as 4h; one that is cut off goes on in its next turn.")
    ] = "4h",
    cores: Annotated[int, typer.Option(min=1, help="Cores of a task, which trains so many trials at a time.")] = 2,
    memory: Annotated[
        float | None, typer.Option(min=0.1, help="Gigabytes of a task. Default: what the suite's \\[resources] say.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", "--output", "-o", help="The folder for the parts, each a run of its own.")
    ] = Path("results") / "shards",
    sbatch: Annotated[
        list[str] | None,
        typer.Option("--sbatch", metavar="OPTION", help="An option of sbatch, such as --partition=long; repeatable."),
    ] = None,
) -> None:
    """Print a script for `sbatch` that trains a run as a job array; all other options are those of `fbench run`.

    Parts whose trials are done already are left out. `fbench merge` makes one run of them.
    """
    from fbench.benchmark.runs.job_arrays import LEAST_TIME_S, JobOptions, arrays_of, job_script, several
    from fbench.benchmark.runs.shards_to_do import shards_to_do
    from fbench.cli.run_request import request_of

    given = list(context.args)
    if wrong := next((one for one in given if one.partition("=")[0] in _OWN_OF_TASKS), None):
        name = wrong.partition("=")[0]
        raise UserError(f"{wrong}: {_OWN_OF_TASKS[name]}.")
    for option in sbatch or ():
        _check_sbatch(option)
    time_s = round(seconds_of(time, "--time"))
    if time_s < LEAST_TIME_S:
        raise UserError(f"--time {time} was given, of which little is left for trials; give at least 10m.")
    request = request_of(given)
    todo = shards_to_do(request, tasks, out)
    if not todo:
        raise UserError(f"All {tasks} parts in {out} are done; `{_merge(out)}` makes one run of them.")
    options = JobOptions(time_s, at_once, cores, memory, tuple(sbatch or ()))
    command = [sys.executable, "-m", "fbench", "run", *given]
    scripts = [job_script(one, tasks, command, str(out), _name(request), options) for one in arrays_of(todo)]
    out.mkdir(parents=True, exist_ok=True)  # Slurm writes its logs there, and makes no folder
    typer.echo(scripts[0] if len(scripts) == 1 else several(scripts), nl=False)
    script = "the script" if len(scripts) == 1 else "the script, with bash as it submits several arrays,"
    left = f", of which {len(todo)} have something to do" if len(todo) < tasks else ""
    typer.echo(f"{tasks} parts{left}. Submit {script} from this folder; when all are done: {_merge(out)}", err=True)


def _check_sbatch(option: str) -> None:
    """See that an option of sbatch is one, and none that the script sets.

    Raises:
        UserError: it is not.
    """
    name = option.partition("=")[0]
    if not option.startswith("-") or not option.isprintable():
        raise UserError(f"--sbatch {readable(option)} was given; give one option on a line, such as --partition=long.")
    if name in _SET_BY_THE_SCRIPT:
        raise UserError(f"--sbatch {option} was given, which the script sets itself{_SET_BY_THE_SCRIPT[name]}.")


def _merge(out: Path) -> str:
    return f"fbench merge {shlex.quote(str(out))}/shard-* --out RUN"


def _name(request: RunRequest) -> str:
    suite = request.suite if isinstance(request.suite, str) else request.suite.name
    return f"fbench-{Path(suite).stem}"
