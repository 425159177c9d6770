"""What signals do to a run: SIGTERM, SIGHUP and Ctrl-C let it keep its work and end, Ctrl-Z lets it rest."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Final

from fbench.core.working_clock import WORKING_CLOCK

if TYPE_CHECKING:
    import psutil

    from fbench.benchmark.runs.stopping import Stopping

STOPPED: Final = 4
INTERRUPTED: Final = 130
AT_MOST_S: Final = 16
"""After so long work that does not end by itself is left as it is."""


class EndedBySignal(BaseException):
    """A signal ended a command that has nothing to keep; the message is a sentence that says so.

    No KeyboardInterrupt, which the parser of arguments turns into an exit of its own.
    """


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """End what goes on in the block on SIGTERM and SIGHUP by an exception, so that its processes and files go too; a
    run within the block handles them itself. A signal that is ignored stays so."""

    def end(number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        raise EndedBySignal(f"{name} ended the command where it had no work to keep; the same command begins again.")

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, end) for number in numbers if signal.getsignal(number) == signal.SIG_DFL}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _rest(number: int, frame: FrameType | None) -> None:
    """Stop for a while, as Ctrl-Z asks it, with the workers, which are in process groups of their own."""
    import psutil

    children = psutil.Process().children()
    _send(children, number)
    WORKING_CLOCK.halt()
    signal.raise_signal(signal.SIGSTOP)  # and here it goes on
    WORKING_CLOCK.go_on()
    _send(children, signal.SIGCONT)


def _send(children: list[psutil.Process], number: int) -> None:
    import psutil

    for child in children:
        with suppress(psutil.Error, OSError):
            child.send_signal(number)


class StopSignals:
    """Passes signals on to a run, and knows the exit code that the first of them asks for."""

    def __init__(self, stopping: Stopping) -> None:
        self._stopping = stopping
        self._first: int | None = None

    @property
    def was_asked(self) -> bool:
        """Whether a signal came."""
        return self._first is not None

    @property
    def exit_code(self) -> int:
        """130 after Ctrl-C, as after an interrupt without a signal; else 4."""
        return INTERRUPTED if self._first in (None, signal.SIGINT) else STOPPED

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Ask the run to stop; the second time, or when time is over, it is interrupted wherever it is."""
        if number == getattr(signal, "SIGALRM", None):
            raise KeyboardInterrupt
        if self._first is None:
            self._first = number
            if hasattr(signal, "alarm"):
                signal.alarm(AT_MOST_S)
        self._stopping.ask()

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Handle signals within the block, but those that whoever started this process has it ignore (``nohup``)."""
        names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGALRM")
        numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
        wanted = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]
        before = {number: signal.signal(number, self.handle) for number in wanted}
        if hasattr(signal, "SIGTSTP") and signal.getsignal(signal.SIGTSTP) == signal.SIG_DFL:
            before[signal.SIGTSTP] = signal.signal(signal.SIGTSTP, _rest)
        try:
            yield
        finally:
            if hasattr(signal, "alarm"):
                signal.alarm(0)
            for number, handler in before.items():
                signal.signal(number, handler)
