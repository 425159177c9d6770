"""What several processes of one test run need, made by the first that asks for it."""

from __future__ import annotations

import os
import pickle
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")
LONGEST_S = 300


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], T]) -> T:
    """What ``make`` gives for an empty folder, once in all workers of a test run; the others wait for it.

    Args:
        factory: of temporary folders.
        name: of the folder, unique in the test run.
        make: fills the folder; its result is handed to the other workers by pickle.
    """
    own = factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / name
    done, lock = folder.with_name(f"{name}.pickle"), folder.with_name(f"{name}.lock")
    deadline = time.monotonic() + LONGEST_S
    while not done.exists() and time.monotonic() < deadline:
        try:
            lock.touch(exist_ok=False)
        except FileExistsError:
            time.sleep(0.05)
            continue
        if not done.exists():
            _make(folder, done, lock, make)
    result: T = pickle.loads(done.read_bytes())  # noqa: S301 - of this test run
    return result


def _make(folder: Path, done: Path, lock: Path, make: Callable[[Path], T]) -> None:
    try:
        folder.mkdir()
        part = done.with_suffix(".part")
        part.write_bytes(pickle.dumps(make(folder)))
        part.replace(done)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        lock.unlink()  # the next that asks tries it again
        raise
