"""How a trial failed, of what was raised."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Self

import torch

from fbench.core.errors import reason_of, traceback_of

_MAY_PASS: Final = (MemoryError, OSError, torch.OutOfMemoryError, torch.AcceleratorError)
"""What is raised for lack of memory, by a disk or by a device, which may be well the next time."""


@dataclass(frozen=True)
class TrialFailure:
    """Why a trial failed: in a sentence, with the traceback, and whether the reason may be gone the next time."""

    reason: str
    details: str = ""
    may_pass: bool = False
    out_of_device_memory: bool = False

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """What an exception of any type tells; it holds on to nothing of the trial."""
        return cls(
            reason_of(error),
            traceback_of(error),
            isinstance(error, _MAY_PASS),
            isinstance(error, torch.OutOfMemoryError),
        )

    def with_device(self, lost: str) -> Self:
        """The same failure of a trial that has lost its device with it: the reason may be another trial's, and nothing
        more is tried in its process. The text is what the device said; nothing where it is as it was."""
        if not lost:
            return self
        details = f"{self.details}\n--- the device afterwards\n{lost}"
        return replace(self, details=details, may_pass=True, out_of_device_memory=False)

    def with_fitting(self, microbatch: int) -> str:
        """The sentence with a microbatch that fits."""
        return (
            f"{self.reason}; a microbatch of {microbatch} fits: --uniform-microbatch plans the whole run anew with it"
        )
