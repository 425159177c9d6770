"""Processes that are killed, stopped or have their clock set while they run, and folders that go away beneath them."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from tests.calibration.faults.bench import Bench, Command, Ended, Found, small_run


def _random_moment(command: Command, chance: random.Random, most_s: float) -> bool:
    """Wait for a moment between the start and the usual end of a command; whether it goes on then."""
    until = command.began + chance.uniform(0, most_s)
    while time.monotonic() < until:
        if not os.path.exists(f"/proc/{command.pid}"):  # noqa: PTH110 - asked often
            return False
        time.sleep(0.005)
    return True


class Moments:
    """Moments spread over the length of an undisturbed command, measured once."""

    def __init__(self, bench: Bench, jobs: int) -> None:
        self.bench, self.jobs = bench, jobs
        folder = bench.new_folder()
        command = Command(small_run(folder, jobs), folder.parent / "length.log")
        command.wait()
        self.length_s = time.monotonic() - command.began
        shutil.rmtree(folder, ignore_errors=True)

    def disturbed(self, number: int, disturb: Callable[[Command, random.Random], None], *, ends: bool) -> Found:
        """One try: the command is disturbed at a moment, and given again until it is done.

        ``ends`` says that the disturbance ends the command, so that nothing is asked of what it said.
        """
        chance = random.Random(number)
        while True:
            run = self.bench.new_folder()
            arguments = small_run(run, self.jobs)
            command = Command(arguments, run.parent / f"{run.name}.first.log")
            if _random_moment(command, chance, self.length_s) and command.poll() is None:
                break
            with suppress(ChildProcessError):
                command.wait()
            shutil.rmtree(run, ignore_errors=True)
        disturb(command, chance)
        ended = command.wait()
        left = command.left_behind()
        found = self.bench.finish(run, first=None if ends else ended, left=left)
        shutil.rmtree(run, ignore_errors=True)
        return found


def kill_parent(command: Command, chance: random.Random) -> None:
    """SIGKILL to the process that a person started."""
    os.kill(command.pid, signal.SIGKILL)


def kill_worker(command: Command, chance: random.Random) -> None:
    """SIGKILL to one of its workers, as soon as it has one."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and os.path.exists(f"/proc/{command.pid}"):  # noqa: PTH110 - asked often
        if workers := command.workers():
            with suppress(ProcessLookupError):
                os.kill(chance.choice(workers), signal.SIGKILL)
            return
        time.sleep(0.002)


def kill_group(command: Command, chance: random.Random) -> None:
    """SIGKILL to all of them at once."""
    command.signal_all(signal.SIGKILL)


def stop_and_go_on(command: Command, chance: random.Random) -> None:
    """SIGSTOP to one or all of them, and SIGCONT a while later."""
    targets = [command.pid, *command.workers()]
    chosen = targets if chance.random() < 0.5 else [chance.choice(targets)]
    for number in (signal.SIGSTOP, signal.SIGCONT):
        for pid in chosen:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        time.sleep(chance.uniform(0.5, 3))


def set_clock(bench: Bench, number: int, length_s: float) -> Found:
    """The time of day is set back by an hour, or forward by a day, at a moment."""
    chance = random.Random(number)
    run = bench.new_folder()
    arguments = small_run(run, 2)
    environment = {
        "FAULT_CLOCK": str(chance.uniform(0, length_s)),
        "FAULT_SHIFT": str(chance.choice([-3600, -86400 * 400, 86400])),
    }
    ended = Command(arguments, run.parent / f"{run.name}.first.log", environment).wait()
    found = bench.finish(run, first=ended)
    shutil.rmtree(run, ignore_errors=True)
    return found


def remove_folder(command: Command, chance: random.Random) -> None:
    """The run's folder is removed beneath it."""
    run = command.log.with_name(command.log.name.removesuffix(".first.log"))
    aside = run.with_name(f"{run.name}.aside")
    with suppress(OSError):
        run.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)


def two_at_once(bench: Bench, number: int) -> Found:
    """The same command twice at a time: one works, and the other says so or waits for it."""
    chance = random.Random(number)
    run = bench.new_folder()
    wait = ["--wait"] if number % 2 else []
    arguments = [*small_run(run, 2), *wait]
    first = Command(arguments, run.parent / f"{run.name}.first.log")
    time.sleep(chance.uniform(0, 2))
    second = Command(arguments, run.parent / f"{run.name}.second.log")
    ended = [second.wait(), first.wait()]
    statuses = sorted(one.status for one in ended)
    expected = statuses == [0, 0] or (not wait and statuses == [0, 2])
    said = "" if expected else "Traceback: "
    whole = Ended(max(statuses), said + "\n".join(one.said for one in ended if one.status))
    found = bench.finish(run, first=whole)
    shutil.rmtree(run, ignore_errors=True)
    return found
