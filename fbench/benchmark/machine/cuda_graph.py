"""Work on a CUDA device, recorded once as a graph and replayed with one launch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch

from fbench.benchmark.machine.device import generator_state, set_generator_state

WARM_UP_CALLS: Final = 3


def recorded(
    work: Callable[[], None], device: torch.device, before_recording: Callable[[], None] = lambda: None
) -> torch.cuda.CUDAGraph:
    """A graph of what ``work`` does on ``device``.

    It is called three times off the record, as recording needs warm libraries, and once to be recorded, which computes
    nothing: what it changed in the warm-up is for the caller to put back. The generator that dropout draws from is put
    back here, so that the first replay draws what the first eager call would have drawn. Warm-up and recording share a
    stream, and with it cuBLAS' workspace: the current one, or a new one where that is the default stream, which cannot
    be recorded.

    Args:
        work: launches kernels, and never waits for one.
        device: where.
        before_recording: is called between warm-up and recording.
    """
    generator, current = generator_state(device), torch.cuda.current_stream(device)
    side = torch.cuda.Stream(device) if current == torch.cuda.default_stream(device) else current
    side.wait_stream(current)
    with torch.cuda.stream(side):
        for _ in range(WARM_UP_CALLS):
            work()
    current.wait_stream(side)
    before_recording()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=side):
        work()
    set_generator_state(device, generator)
    return graph
