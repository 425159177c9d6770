"""A run that is asked to stop, and what is then still to run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.runs.executors import Executor


class UnfinishedRunError(Exception):
    """A run ended with trials still to run.

    Attributes:
        left: these trials; the same request goes on with them, from their checkpoints where they have one.
    """

    def __init__(self, left: Sequence[TrialSpec]) -> None:
        super().__init__(f"{len(left)} trials are still to run: {', '.join(spec.label for spec in left)}")
        self.left = tuple(left)


class Stopping:
    """How a run is asked to stop from outside, as by a signal: trials end where they can be gone on with."""

    def __init__(self) -> None:
        self._executor: Executor | None = None
        self._asked = False

    def ask(self) -> None:
        """Ask; nothing is waited for.

        Raises:
            KeyboardInterrupt: no trial runs, or it is the second time.
        """
        if self._executor is None or self._asked:
            raise KeyboardInterrupt
        self._asked = True
        self._executor.ask_to_stop()

    @contextmanager
    def of(self, executor: Executor) -> Iterator[None]:
        """Within the block, trials run that are to stop where they can be gone on with."""
        self._executor = executor
        try:
            yield
        finally:
            self._executor = None
