"""Changes to files that are refused or never end: each one of a run in turn, disks that are full, and disks that may
only be read."""

from __future__ import annotations

import errno
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Literal

from tests.calibration.faults.bench import Bench, Command, Found, small_run

Where = Literal["run", "cache"]
ERRORS: Final = {"killed": 0, "ENOSPC": errno.ENOSPC, "EIO": errno.EIO, "EROFS": errno.EROFS}
FULL_MB: Final = 3


class Changes:
    """Every change that a run in one process makes to its folder, or to the cache, each in turn."""

    def __init__(self, bench: Bench, where: Where) -> None:
        self.bench, self.where = bench, where
        run = bench.new_folder()
        self.count = self._counted(run, 0, 0)[1]
        shutil.rmtree(run, ignore_errors=True)

    def at(self, number: int, kind: str) -> Found:
        """The change of this number, from 1 on, is refused with an error or killed at."""
        run = self.bench.new_folder()
        command, _ = self._counted(run, number, ERRORS[kind])
        ended = command.wait_ended
        found = self.bench.finish(run, first=None if kind == "killed" else ended, left=command.left_behind())
        shutil.rmtree(run, ignore_errors=True)
        return found

    def _counted(self, run: Path, number: int, error: int) -> tuple[_Waited, int]:
        counter = run.parent / f"{run.name}.counter"
        counter.write_bytes(bytes(8))
        cache = self.bench.cache
        environment = {}
        if self.where == "cache":  # one of its own, in which all has to be made that can be made quickly
            cache = run.parent / f"{run.name}.cache"
            shutil.rmtree(cache, ignore_errors=True)
            shutil.copytree(
                self.bench.cache, cache, ignore=shutil.ignore_patterns("audits", "test_readings", "content")
            )
            environment["FBENCH_CACHE_DIR"] = str(cache)
        environment |= {
            "FAULT_ROOT": str(run if self.where == "run" else cache),
            "FAULT_COUNTER": str(counter),
            "FAULT_AT": str(number),
            "FAULT_ERROR": str(error),
            "FAULT_LOG": str(self.bench.place / f"changes-{self.where}.txt") if number == 0 else "",
        }
        command = _Waited(small_run(run), run.parent / f"{run.name}.first.log", environment)
        count = int.from_bytes(counter.read_bytes(), "little")
        counter.unlink()
        if self.where == "cache":
            shutil.rmtree(cache, ignore_errors=True)
        return command, count


class _Waited(Command):
    """A command that has ended."""

    def __init__(self, arguments: list[str], log: Path, environment: dict[str, str]) -> None:
        super().__init__(arguments, log, environment)
        self.wait_ended = self.wait()


@contextmanager
def _disk(place: Path, size: str) -> Iterator[Path]:
    """A disk of its own; only for who may make one."""
    place.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)
        with suppress(OSError):
            place.rmdir()


def _mounted_again(place: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)


def full_disk(bench: Bench, number: int) -> Found:
    """The run lies on a disk of 3 MB, on which a part is taken; there is more room when the command is given again."""
    chance = random.Random(number)
    with _disk(bench.new_folder(), f"{FULL_MB}m") as place:
        (place / "taken").write_bytes(bytes(int(chance.uniform(0, FULL_MB) * 2**20)))
        arguments = small_run(place / "run", 1 + number % 2)
        ended = Command(arguments, bench.place / "full.first.log").wait()
        _mounted_again(place, "size=64m")
        return bench.finish(place / "run", first=ended)


def full_cache(bench: Bench, number: int) -> Found:
    """The cache lies on such a disk."""
    chance = random.Random(number)
    with _disk(bench.new_folder(), f"{FULL_MB}m") as place:
        (place / "taken").write_bytes(bytes(int(chance.uniform(0.5, 1) * FULL_MB * 2**20) // 4096 * 4096))
        return _with_cache(bench, place / "cache", number)


def read_only_disk(bench: Bench, number: int) -> Found:
    """The disk may only be read from a moment on, as after an error of its own."""
    chance = random.Random(number)
    with _disk(bench.new_folder(), "64m") as place:
        arguments = small_run(place / "run", 1 + number % 2)
        command = Command(arguments, bench.place / "read-only.first.log")
        waited = 0.0
        while waited < chance.uniform(0, 8) and command.poll() is None:
            waited += 0.1
            os.sched_yield()
        with suppress(subprocess.CalledProcessError):  # it is busy where a file is open for writing
            _mounted_again(place, "ro")
        ended = command.wait()
        _mounted_again(place, "rw")
        return bench.finish(place / "run", first=ended)


def read_only_cache(bench: Bench, number: int) -> Found:
    """The cache may only be read, empty or as it was."""
    with _disk(bench.new_folder(), "64m") as place:
        if number % 2:
            shutil.copytree(bench.cache, place / "cache")
        else:
            (place / "cache").mkdir()
        _mounted_again(place, "ro")
        found = _with_cache(bench, place / "cache", number)
        _mounted_again(place, "rw")
        return found


def _with_cache(bench: Bench, cache: Path, number: int) -> Found:
    run = bench.new_folder()
    arguments = small_run(run, 1 + number % 2)
    command = Command(arguments, run.parent / f"{run.name}.first.log", {"FBENCH_CACHE_DIR": str(cache)})
    found = bench.finish(run, first=command.wait())
    shutil.rmtree(run, ignore_errors=True)
    return found
