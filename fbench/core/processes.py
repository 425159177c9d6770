"""Processes that end with another one, whatever ended that."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1  # prctl(2)


def end_with(parent: int) -> None:
    """On Linux the kernel ends this process when its parent ends, even one that never lets a thread of Python run, or
    was stopped; elsewhere nothing happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the kernel knew
            os._exit(1)


def copies_end_with_this_process() -> None:
    """What is forked from this process, as by somebody's network in the middle of its work, ends with it too."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_end_with_parent)


def _end_with_parent() -> None:
    end_with(os.getppid())
