"""Runs that are disturbed: started in processes of their own, ended, gone on with, and held against an undisturbed one.

A try is a small run (one network, two seeds, ``fbench run`` as a person types it) in a process that is forked from this
one, where everything is imported already. Costs are measured with a plan of a fifth of a second.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.store.run_check import check_run
from fbench.benchmark.store.run_folder import WEIGHTS_FILE, RunFolder

LONGEST_S: Final = 900.0
"""A command that takes longer on a crowded machine is stuck."""
AGAIN: Final = 4
"""How often the same command may have to be given after a fault."""

Trial = tuple[str, str | None, float | None, float | None, str]
"""Status, why it failed, accuracy on validation and test split, hash of the weights."""


def preloaded(shim: Path) -> None:
    """Go on in a process that has loaded the shim, compiled first; for the start of a program."""
    if os.environ.get("LD_PRELOAD") == str(shim):
        return
    source = Path(__file__).with_name("shim.c")
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", str(shim), str(source), "-ldl"], check=True)
    os.environ["LD_PRELOAD"] = str(shim)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - this very program


def import_all() -> None:
    """Import what a run needs, and make its costs quick."""
    import matplotlib.pyplot  # noqa: F401
    import torch._dynamo  # noqa: F401

    import fbench.benchmark.maps.making
    import fbench.benchmark.runs.session
    import fbench.benchmark.training.trial
    import fbench.cli.app
    import fbench.reports.render.html.build  # noqa: F401

    make_costs_quick()


def make_costs_quick() -> None:
    """Measure costs for a fifth of a second, and no memory."""
    import fbench.benchmark.cost.measure as measure
    from fbench.benchmark.records.cost_specs import CostPlan
    from fbench.benchmark.runs import run_cost

    def cost_plan(numerics: Numerics, *, energy: bool) -> CostPlan:
        return CostPlan(blocks=2, seconds=0.2, largest_batch_size=8)

    run_cost._cost_plan = cost_plan
    measure._read_memory = lambda *_: ()


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit status, negative for a signal, and what it said."""

    status: int
    said: str

    @property
    def is_clean(self) -> bool:
        """Whether it did its work, or said in one sentence why not."""
        sentences = [line for line in self.said.splitlines() if line.startswith("fbench: ")]
        if "Traceback" in self.said or "Exception" in self.said:
            return False
        return self.status in (0, 3, 4) or self.status < 0 or (self.status == 2 and len(sentences) == 1)


class Command:
    """``fbench`` with arguments in a process group of its own."""

    def __init__(self, arguments: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self.log = log
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            _become(arguments, log, environment or {})
        self.began = time.monotonic()

    def poll(self) -> Ended | None:
        """How it ended; none where it goes on."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        return None if pid == 0 else self._ended(status)

    def wait(self) -> Ended:
        """Wait for its end; one that takes too long is killed, and says so."""
        while time.monotonic() - self.began < LONGEST_S:
            if (ended := self.poll()) is not None:
                return ended
            time.sleep(0.02)
        self.signal_all(signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        return Ended(status, "Traceback: it took too long")

    def workers(self) -> list[int]:
        """The processes that it has started, and those that they have."""
        with suppress(psutil.NoSuchProcess):
            return sorted(
                one.pid
                for one in psutil.Process(self.pid).children(recursive=True)
                if one.status() != psutil.STATUS_ZOMBIE
            )
        return []

    def signal_all(self, number: int) -> None:
        """Send a signal to it and to all that it started."""
        for one in (self.pid, *self.workers()):
            with suppress(ProcessLookupError):
                os.kill(one, number)

    def left_behind(self) -> bool:
        """Whether processes of its session are still there some time after its end; they are then ended."""
        deadline = time.monotonic() + 30
        while left := _session(self.pid):
            if time.monotonic() > deadline:
                for one in left:
                    with suppress(ProcessLookupError):
                        os.kill(one, signal.SIGKILL)
                return True
            time.sleep(0.05)
        return False

    def _ended(self, status: int) -> Ended:
        code = os.waitstatus_to_exitcode(status)
        return Ended(code, self.log.read_text(encoding="utf-8", errors="replace"))


def _session(number: int) -> list[int]:
    """The processes of a session, whatever their group."""
    found = []
    for one in psutil.pids():
        with suppress(OSError):
            if os.getsid(one) == number:
                found.append(one)
    return found


def _become(arguments: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
    """Be the command; never returns."""
    status: Any = 70
    try:
        os.setsid()
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for stream in (1, 2):
            os.dup2(descriptor, stream)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.environ.update(environment)
        ctypes.CDLL(None).fault_configure()
        sys.argv = ["fbench", *arguments]
        from fbench.cli.app import main

        main()
    except SystemExit as error:
        status = error.code or 0
    except BaseException:  # what no command may let out
        import traceback

        traceback.print_exc()
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
        with suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(status if isinstance(status, int) else 70)


@dataclass(frozen=True)
class Found:
    """What a try came to; each is true where something is wrong."""

    lost: bool = False
    doubled: bool = False
    wrong: bool = False
    message: bool = False
    note: str = ""


class Bench:
    """A folder for tries, a cache of their own, and what an undisturbed run gives."""

    def __init__(self, place: Path) -> None:
        self.place = place
        place.mkdir(parents=True, exist_ok=True)
        self.cache = place / "cache"
        os.environ["FBENCH_CACHE_DIR"] = str(self.cache)
        self._number = 0
        whole = place / "undisturbed"
        if not (whole / "report.html").exists():
            shutil.rmtree(whole, ignore_errors=True)
            ended = Command(small_run(whole), place / "undisturbed.log").wait()
            if ended.status != 0:
                raise RuntimeError(ended.said)
        self.reference = trials_of(whole)

    def new_folder(self) -> Path:
        """A place for the run of a try."""
        self._number += 1
        folder = self.place / "tries" / f"try-{os.getpid()}-{self._number}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(exist_ok=True)
        return folder

    def finish(self, run: Path, *, first: Ended | None, left: bool = False) -> Found:
        """Give the command again until it is done, in one process, and hold the run against the undisturbed one.

        Args:
            run: its folder.
            first: how the disturbed command ended; none where nothing is asked of that.
            left: whether it left processes behind.
        """
        before = _bytes_of_records(run)
        log, said = run.parent / f"{run.name}.log", []
        messages = first is not None and not first.is_clean
        for _ in range(AGAIN):
            ended = Command(small_run(run), log).wait()
            said.append(ended)
            messages |= not ended.is_clean
            if ended.status == 0:
                break
        after = trials_of(run)
        kept = all(_bytes_of_records(run).get(trial_id) == content for trial_id, content in before.items())
        missing = [one for one in self.reference if one not in after or after[one][0] != "finished"]
        other = [one for one in self.reference if one in after and after[one] != self.reference[one]]
        checked = [] if missing else check_run(RunFolder.open(run)).found
        # what is not finished beside run.json may be another command's, and stays for an hour
        problems = [one for one in checked if one.outcome != "note" and not one.file.startswith(".writing-")]
        note = "; ".join(
            [f"{len(missing)} missing"] * bool(missing)
            + [f"{after[one]} is not {self.reference[one]}" for one in other if after[one][0] == "finished"]
            + [f"{one.file} {one.wrong}" for one in problems]
            + ["a process was left"] * left
            + [(first or said[-1]).said[-600:]] * messages
        )
        return Found(
            lost=bool(missing) or said[-1].status != 0,
            doubled=not kept or len(after) > len(self.reference) or len(RunFolder(run).plan()) != len(self.reference),
            wrong=any(after[one][0] == "finished" for one in other) or bool(problems) or left,
            message=messages,
            note=note,
        )


def small_run(out: Path, jobs: int = 1, *more: str) -> list[str]:
    """The command of a try."""
    arguments = ["run", "--arch", "lenet5", "--preset", "smoke", "--seeds", "2", "--jobs", str(jobs)]
    return [*arguments, *more, "--out", str(out)]


def trials_of(run: Path) -> dict[str, Trial]:
    """What is compared of a run's trials."""
    if not (run / "run.json").exists():
        return {}
    folder, found = RunFolder(run), {}
    for trial_id in folder.trial_ids():
        record = folder.trial(trial_id)
        weights = run / "trials" / trial_id / WEIGHTS_FILE
        digest = hashlib.sha256(weights.read_bytes()).hexdigest() if weights.exists() else ""
        top1 = [None if split is None else split.top1 for split in (record.validation, record.test)]
        found[trial_id] = (record.status, record.failure_reason, top1[0], top1[1], digest)
    return found


def _bytes_of_records(run: Path) -> dict[str, bytes]:
    """The records of finished trials as they are."""
    records = {file.parent.name: file.read_bytes() for file in (run / "trials").glob("[!.]*/record.json")}
    return {trial_id: content for trial_id, content in records.items() if b'"finished"' in content}


Disturb = Callable[[Command], None]
