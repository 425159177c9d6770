"""A run that is asked to stop, and what is then still to run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from fbench.benchmark.records.specs import TrialSpec


class UnfinishedRunError(Exception):
    """A run ended with trials still to run.

    Attributes:
        left: these trials; the same request goes on with them, from their checkpoints where they have one.
    """

    def __init__(self, left: Sequence[TrialSpec]) -> None:
        super().__init__(f"{len(left)} trials are still to run: {', '.join(spec.label for spec in left)}")
        self.left = tuple(left)


class Stoppable(Protocol):
    """Work that can be asked to stop."""

    def ask_to_stop(self) -> None:
        """Begin nothing more, and let what is at work end where nothing of it is lost; for signal handlers."""


class Stopping:
    """How work is asked to stop from outside, as by a signal: trials end where they can be gone on with."""

    def __init__(self) -> None:
        self._at_work: Stoppable | None = None
        self._asked = False

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
        """Whether it was asked to stop."""
        return self._asked

    @contextmanager
    def of(self, at_work: Stoppable) -> Iterator[None]:
        """Within the block, this is at work: an executor of trials, or a measurement in a worker process."""
        self._at_work = at_work
        try:
            yield
        finally:
            self._at_work = None
