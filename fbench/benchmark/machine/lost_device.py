"""An error that a device does not get over: its process has to end before anything is computed there again."""

from __future__ import annotations

import torch

from fbench.benchmark.machine.device import synchronize
from fbench.core.errors import reason_of


class LostDeviceError(Exception):
    """The device answers this process no more; the message is its own."""


def why_lost(device: torch.device) -> str:
    """Wait until the device has done all it was given: what it says where it cannot, as after an access beyond its
    memory, else nothing.

    Kernels run behind the host, so that an error is often told at a later call than the one that made it, and then at
    every call. Asked after an error, the device says whether it was one of those.
    """
    try:
        synchronize(device)
    except Exception as error:  # torch.AcceleratorError, or what libraries on top of it raise
        return reason_of(error)
    return ""


def refuse_lost(device: torch.device, error: BaseException) -> None:
    """Hold, after an error, that the device can still be used.

    Raises:
        LostDeviceError: it cannot, in this process.
    """
    if device.type == "cuda" and (reason := why_lost(device)):
        raise LostDeviceError(f"{reason_of(error)}; no other network can be tried in this process: {reason}") from error
