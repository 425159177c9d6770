"""How many batches each batch normalisation has seen, counted for all of them in one operation.

Each layer adds one to a counter of its own: 20 kernels of a step of IRes, to count what no result depends on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch
from torch import nn

COUNTER: Final = "num_batches_tracked"


@contextmanager
def batches_counted_together(network: nn.Module) -> Iterator[None]:
    """Within the block, which trains, batch normalisations note how often they are called; after it they count it.

    A layer without a momentum averages by its counter, and is left alone.
    """
    noted: dict[int, tuple[torch.Tensor, _Calls]] = {}
    places = []
    for module in network.modules():
        counter = module._buffers.get(COUNTER)
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d) and module.momentum is not None:
            if counter is None:
                continue
            places.append((module._buffers, counter))
            module._buffers[COUNTER] = noted.setdefault(id(counter), (counter, _Calls()))[1]  # type: ignore[assignment] # all that the layer asks of it
    try:
        yield
    finally:
        for buffers, counter in places:
            buffers[COUNTER] = counter
    counted = [(counter, calls.count) for counter, calls in noted.values() if calls.count]
    for count in sorted({count for _, count in counted}):  # one operation, unless a layer is called twice
        torch._foreach_add_([counter for counter, of_it in counted if of_it == count], count)


class _Calls:
    """Stands in a counter's place and counts on the host."""

    def __init__(self) -> None:
        self.count = 0

    def add_(self, batches: int) -> None:
        """So many batches more."""
        self.count += batches
