"""A run that is asked to stop, by a signal or as its time is over, and what is then still to run."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

from fbench.benchmark.records.specs import TrialSpec
from fbench.core.errors import UserError

STOP_S: Final = 15.0
"""How long before the end of its time work is asked to stop: a step, a checkpoint and the end of the processes."""


class UnfinishedRunError(Exception):
    """A run ended with work left.

    Attributes:
        left: the trials that are still to run; the same request goes on with them, from their checkpoints where they
            have one.
        also: what else is still to be done, in words; empty where nothing is.
    """

    def __init__(self, left: Sequence[TrialSpec], also: str = "") -> None:
        amount = "1 trial is" if len(left) == 1 else f"{len(left)} trials are"
        trials = f"{amount} still to run: {', '.join(spec.label for spec in left)}"
        super().__init__(trials if left else f"{also} is still to be done")
        self.left = tuple(left)
        self.also = also


class Stoppable(Protocol):
    """Work that can be asked to stop."""

    def ask_to_stop(self) -> None:
        """Begin nothing more, and let what is at work end where nothing of it is lost; for signal handlers and other
        threads."""


class Stopping:
    """How work is asked to stop from outside, as by a signal, or as its time is over: trials end where they can be gone
    on with.

    ``time_budget_s`` are the seconds from now on that all of it may take.

    Raises:
        UserError: no time at all.
    """

    def __init__(self, time_budget_s: float | None = None) -> None:
        if time_budget_s is not None and not time_budget_s > 0:
            raise UserError(f"A time budget of {time_budget_s:g} s was given; give more than 0, or none.")
        self.time_budget_s = time_budget_s
        self._end = math.inf if time_budget_s is None else time.monotonic() + time_budget_s
        self._at_work: Stoppable | None = None
        self._asked = False
        self._over = threading.Event()

    def ask(self) -> None:
        """Ask; nothing is waited for.

        Raises:
            KeyboardInterrupt: nothing is at work that can be asked, or it is the second time.
        """
        if self._at_work is None or self._asked:
            raise KeyboardInterrupt
        self._asked = True
        self._at_work.ask_to_stop()

    @property
    def was_asked(self) -> bool:
        """Whether it was asked to stop, or its time was over while it was at work."""
        return self._asked or self._over.is_set()

    @property
    def time_left_s(self) -> float:
        """Seconds for work that is still to begin, without those that it takes to stop; infinite without a budget."""
        return max(0.0, self._end - STOP_S - time.monotonic())

    @property
    def spent_s(self) -> float:
        """Seconds of the time budget that are gone; 0 without one."""
        return 0.0 if self.time_budget_s is None else self.time_budget_s - (self._end - time.monotonic())

    @contextmanager
    def of(self, at_work: Stoppable) -> Iterator[None]:
        """Within the block, this is at work: an executor of trials, or a measurement in a worker process."""

        def end() -> None:
            self._over.set()
            at_work.ask_to_stop()

        timer = None if math.isinf(self._end) else threading.Timer(self.time_left_s, end)
        self._at_work = at_work
        try:
            if timer is not None:
                timer.daemon = True
                timer.start()
            yield
        finally:
            self._at_work = None
            if timer is not None:
                timer.cancel()
