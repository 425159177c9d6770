"""A small process around each worker on Linux: when the worker ends, or who started it, so does all that it started.

The kernel hands a process whose parent has ended to the nearest ancestor that asked for such, by
``PR_SET_CHILD_SUBREAPER`` of prctl(2). The keeper asks for it before anything else runs, so that a program which
somebody's network starts stays below it, also one with a session or an environment of its own, or forked by one that
has ended. Worker and keeper have process groups of their own: a signal that a network sends to its group reaches nobody
else.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from typing import Final, NoReturn

from fbench.core.processes import adopt_orphans, end_with
from fbench.core.working_clock import WORKING_CLOCK

END: Final[int] = getattr(signal, "SIGUSR1", signal.SIGTERM)
"""Sent to a keeper, by the kernel too when its parent has ended, ends it with its worker and all below. SIGTSTP stops
the worker until SIGCONT comes, so that a person can stop a run for a while; the worker's clock stands meanwhile."""
_WATCH_S: Final = 1.0
LONGEST_S: Final = 2.0
"""How long processes that do not end, as those of another user, are waited for."""


def become_kept(parent: int) -> int:
    """Go on in a process that a keeper, which this one becomes, ends with all that it starts; the number of the keeper.

    Elsewhere than on Linux nothing happens, and the number is that of the parent. To be called while this process has
    one thread.
    """
    if sys.platform != "linux":
        return parent
    keeper, heard = os.getpid(), {int(signal.SIGCHLD), int(signal.SIGCONT), int(signal.SIGTSTP), END}
    os.setpgid(0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it is ignored, nobody learns how a child ended
    before = signal.pthread_sigmask(signal.SIG_BLOCK, heard)
    adopt_orphans()
    end_with(parent, END)
    worker = os.fork()
    if worker != 0:
        with suppress(OSError):  # it may have done so itself
            os.setpgid(worker, worker)
        _leave_streams()
        _keep(worker, heard)
    os.setpgid(0, 0)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return keeper


def _leave_streams() -> None:
    """The channel is the worker's, and closed when that ends."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def _keep(worker: int, heard: set[int]) -> NoReturn:
    while True:
        came = signal.sigtimedwait(heard, _WATCH_S)
        WORKING_CLOCK.watch()
        match None if came is None else came.si_signo:
            case signal.SIGCHLD:
                changed: dict[int, int] = {}
                _reap(changed)
                _follow(worker, changed.get(worker))
            case signal.SIGTSTP:
                _signal_group(worker, signal.SIGSTOP)
                WORKING_CLOCK.halt()
            case signal.SIGCONT:
                WORKING_CLOCK.go_on()
                _signal_group(worker, signal.SIGCONT)
            case number if number == END:
                _signal_group(worker, signal.SIGKILL)
                _end_children()
                os._exit(1)


def _follow(worker: int, status: int | None) -> None:
    """Do as the worker did, if it did anything: it ended, was stopped by somebody, or went on."""
    if status is None:
        return
    if os.WIFSTOPPED(status):
        WORKING_CLOCK.halt()
    elif os.WIFCONTINUED(status):
        WORKING_CLOCK.go_on()
    else:
        _end_children()
        _end_as(status)


def _signal_group(worker: int, number: signal.Signals) -> None:
    with suppress(OSError):
        os.killpg(worker, number)


def _reap(changed: dict[int, int]) -> bool:
    """Note what children did last, as :func:`os.waitpid` says it; whether there are others."""
    with suppress(ChildProcessError):
        while (found := os.waitpid(-1, os.WNOHANG | os.WUNTRACED | os.WCONTINUED))[0]:
            changed[found[0]] = found[1]
        return True
    return False


def _end_children() -> None:
    """End whatever is below this process; what a child leaves when it ends is a child a moment later."""
    deadline = time.monotonic() + LONGEST_S
    while _reap({}) and time.monotonic() < deadline:
        import psutil  # most workers have started nothing

        for one in psutil.Process().children(recursive=True):
            with suppress(psutil.Error, OSError):
                one.kill()
        time.sleep(0.001)


def _end_as(status: int) -> NoReturn:
    """End as the worker did, so that whoever started it learns how."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        import resource  # not everywhere

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the worker may have left its memory, and that is enough
        with suppress(OSError, ValueError):
            signal.signal(-code, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {-code})
        os.kill(os.getpid(), -code)
    os._exit(code if code >= 0 else 1)
