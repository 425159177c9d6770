"""Processes that end with another one, whatever ended that."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress
from typing import Final

_PR_SET_PDEATHSIG: Final = 1  # prctl(2)
_PR_SET_CHILD_SUBREAPER: Final = 36

_MOST_ROUNDS: Final = 5
"""Processes that start others while they are ended are looked for again so often."""


def end_with(parent: int) -> None:
    """On Linux the kernel ends this process when its parent ends, even one that never lets a thread of Python run, or
    was stopped; elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the kernel knew
            os._exit(1)


def adopt_orphans() -> None:
    """On Linux what this process's children have started stays below it when they end, so that :func:`end_started`
    finds it; elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_started(pid: int) -> None:
    """End all processes that a process has started, and those that they have, but not itself."""
    import psutil

    for _ in range(_MOST_ROUNDS):
        try:
            started = psutil.Process(pid).children(recursive=True)
        except (psutil.Error, OSError):
            return
        alive = [one for one in started if one.status() != psutil.STATUS_ZOMBIE]
        if not alive:
            return
        for one in alive:
            with suppress(psutil.Error, OSError):
                one.kill()
        psutil.wait_procs(alive, timeout=0.2)


def copies_end_with_this_process() -> None:
    """What is forked from this process, as by somebody's network in the middle of its work, ends with it too."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_end_with_parent)


def _end_with_parent() -> None:
    end_with(os.getppid())
