"""Processes that end with another one, whatever ended that."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from typing import Final

import psutil

_PR_SET_PDEATHSIG: Final = 1  # prctl(2)
_PR_SET_CHILD_SUBREAPER: Final = 36
KILL: Final = getattr(signal, "SIGKILL", signal.SIGTERM)
"""Ends a process whatever it does; Windows knows it by another name."""
_MOST_ROUNDS: Final = 5
"""Processes that start others while they are ended are looked for again so often."""
_TO_DIE_S: Final = 0.02


def end_with(parent: int, number: int = KILL) -> None:
    """On Linux the kernel sends this process a signal when its parent ends, by default the one that ends even a process
    that never lets a thread of Python run, or was stopped; elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it ended before the kernel knew
            os._exit(1)


def adopt_orphans() -> None:
    """On Linux a process below this one whose parent ends becomes a child of this one; elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_all_with(name: str, value: str) -> None:
    """End all processes of this machine that were started with a variable of the environment, or forked by such a one:
    also those that outlived who started them, or have a session of their own."""
    for _ in range(_MOST_ROUNDS):
        found = [process for process in psutil.process_iter() if _was_given(process, name, value)]
        if not found:
            return
        for process in found:
            with suppress(psutil.Error, OSError):
                process.kill()
        time.sleep(_TO_DIE_S)


def _was_given(process: psutil.Process, name: str, value: str) -> bool:
    with suppress(psutil.Error, OSError, ValueError):  # it has ended, or is somebody else's
        return process.status() != psutil.STATUS_ZOMBIE and process.environ().get(name) == value
    return False


def copies_end_with_this_process() -> None:
    """What is forked from this process, as by somebody's network in the middle of its work, ends with it too."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_end_with_parent)


def _end_with_parent() -> None:
    end_with(os.getppid())
