"""How long each layer takes by itself: its operations recorded in one pass, then called one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any, Final

import torch
from torch import nn

from fbench.architectures.network_copy import copy_network
from fbench.architectures.tracing.passes import plain_kernels
from fbench.architectures.tracing.recorder import Recorder
from fbench.benchmark.cost.calls import Call
from fbench.benchmark.cost.clock import Clock, clock_of
from fbench.benchmark.machine.device import autocast, lay_out, memory_format
from fbench.benchmark.records.numerics import Numerics
from fbench.core.working_clock import working_s

MOST_CALLS: Final = 50
FEWEST_CALLS: Final = 5


@dataclass(frozen=True)
class RecordedOperation:
    """An operation of a node with the tensors of its pass; ``restore`` undoes what it does to them."""

    node: int
    run: Callable[[], object]
    restore: Callable[[], object]


class OperationRecorder(Recorder):
    """A recorder that keeps every operation, to be called again."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__(network)
        self.operations: list[RecordedOperation] = []

    def computed(self, node: int, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Keep the operation; one that works in place is undone after each call, or its numbers would run away."""
        restore: Callable[[], object] = _nothing
        if func._schema.is_mutable and args and isinstance(args[0], torch.Tensor):
            restore = partial(args[0].copy_, args[0].clone())
        self.operations.append(RecordedOperation(node, partial(func, *args, **kwargs), restore))


def layer_times_s(
    network: nn.Module,
    input_shape: tuple[int, int, int],
    batch_size: int,
    numerics: Numerics,
    device: torch.device,
    seconds: float = 2.0,
) -> dict[int, float]:
    """Median seconds of each node of the network's trace, by its place there, in evaluation mode.

    A node's operations are called alone with their inputs where the pass had left them, without the Python of the
    modules around them and by the plain kernels of the trace; about ``seconds`` in all. Nodes that compute nothing are
    left out.
    """
    held = lay_out(copy_network(network).eval().to(device), memory_format(numerics))
    recorder = OperationRecorder(held)
    images = torch.randn(batch_size, *input_shape, generator=torch.Generator().manual_seed(0)).to(device)
    images = images.contiguous(memory_format=memory_format(numerics))
    with recorder.hooked(held), plain_kernels(), autocast(numerics):
        recorder.start(images)
        with recorder:
            held(images)
    clock, share = clock_of(device), seconds / max(1, len(recorder.operations))
    times: dict[int, float] = {}
    with torch.inference_mode(), autocast(numerics):
        for operation in recorder.operations:
            times[operation.node] = times.get(operation.node, 0.0) + _call_s(operation, clock, share)
    return times


def _call_s(operation: RecordedOperation, clock: Clock, seconds: float) -> float:
    call = Call(_nothing, lambda mark: _run(operation), _nothing)
    operation.restore()
    clock.time(call)  # the first call chooses an algorithm
    taken: list[float] = []
    ends = working_s() + seconds
    while len(taken) < FEWEST_CALLS or (len(taken) < MOST_CALLS and working_s() < ends):
        operation.restore()
        taken.append(clock.time(call)[0])
    return median(taken)


def _run(operation: RecordedOperation) -> None:
    operation.run()


def _nothing() -> None:
    pass
