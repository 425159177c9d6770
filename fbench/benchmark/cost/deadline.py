"""A limit on the preparation of a measurement: a compiler takes 15 seconds for each network and batch."""

from __future__ import annotations

import time


class OverTimeError(Exception):
    """Nothing more is prepared; the message says why."""


class Deadline:
    """So many seconds from now on; none means as long as it takes."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds, self._began = seconds, time.monotonic()

    @property
    def why_over(self) -> str:
        """That the time is over, in words; empty where it is not."""
        if self._seconds is None or time.monotonic() - self._began <= self._seconds:
            return ""
        return f"the {self._seconds:,.0f} s for building, compiling and warming up were over"

    def require(self) -> None:
        """
        Raises:
            OverTimeError: the time is over.
        """
        if self.why_over:
            raise OverTimeError(f"not prepared: {self.why_over}")
