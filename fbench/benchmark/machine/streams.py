"""Several trainings on one CUDA device at a time, in one process: each has a stream and a generator of its own.

A recorded step of a compact network is some hundred small kernels, of which none fills a device. Steps of several
trainings that are launched on streams of their own overlap there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol

import torch

from fbench.benchmark.machine.device import generator_state, set_generator_state

EQUAL_BITS_ON: Final[frozenset[tuple[str, str]]] = frozenset()
"""Devices, by the name that CUDA has for them, and versions of PyTorch, as ``torch.__version__`` has them, with which
trainings together were shown to have the bits of each alone. Their number is then no part of the numerics. None has
been tried yet."""


def number_changes_no_bits(device: torch.device) -> bool:
    """Whether trainings together have the bits of each alone on a device, with this PyTorch, as far as was shown."""
    if not EQUAL_BITS_ON or device.type != "cuda":
        return False
    return (torch.cuda.get_device_name(device), str(torch.__version__)) in EQUAL_BITS_ON


class OwnPlace(Protocol):
    """Where one of several trainings of a process computes and what it draws from."""

    def entered(self) -> AbstractContextManager[None]:
        """Compute and draw there within the block, and as before after it."""


def own_place(device: torch.device) -> OwnPlace:
    """A new one on a device: on CUDA with a stream of its own."""
    return TrainingStream(device) if device.type == "cuda" else OwnDraws(device)


class OwnDraws:
    """A state of the device's default generator that is one training's."""

    def __init__(self, device: torch.device) -> None:
        self._device, self._state = device, generator_state(device)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Draw from the state within the block."""
        before = generator_state(self._device)
        set_generator_state(self._device, self._state)
        try:
            yield
        finally:
            self._state = generator_state(self._device)
            set_generator_state(self._device, before)


class TrainingStream:
    """A stream of a CUDA device with what one training draws from and computes in.

    Within :meth:`entered` new work goes to the stream, and the device's default generator is the training's: dropout
    draws from it, and a graph that is recorded there registers it, so that replays count its draws and no other's.
    Memory that is allocated there is the stream's. cuBLAS keeps a workspace for each stream, and a graph a pool of its
    own. Streams come from a fixed set, so that they are kept for as long as graphs are that were recorded on them.
    """

    def __init__(self, device: torch.device) -> None:
        self._stream = torch.cuda.Stream(device)  # the first also makes the generators
        self._default = torch.cuda.default_generators[self._stream.device_index]
        self._own = self._default.clone_state()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Compute on the stream and draw from its generator within the block, and as before after it."""
        before = self._default.graphsafe_get_state()
        self._default.graphsafe_set_state(self._own)
        try:
            with torch.cuda.stream(self._stream):
                yield
        finally:
            self._default.graphsafe_set_state(before)
