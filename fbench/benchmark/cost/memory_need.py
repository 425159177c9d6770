"""Does a batch fit into memory? Asked before it is tried, as a system that runs out of memory may kill the process."""

from __future__ import annotations

from math import prod
from typing import Final

import torch

from fbench.architectures.tracing.graph import NetworkTrace
from fbench.benchmark.records.cost_specs import CostMode
from fbench.core.capacity import available_memory_gib, in_brackets, memory_because

SPARE: Final = 0.8
"""Share of free memory that a measurement may take."""

BYTES_PER_VALUE: Final = 4
GIB: Final = 2**30


def needed_gib(traced: NetworkTrace, mode: CostMode, batch_size: int) -> float:
    """About what a call needs for maps: in training all of them and their gradients, else twice the largest pair."""
    sizes = [prod(node.output_shape) for node in traced.nodes]
    if mode == "train":
        values = 2 * sum(sizes)
    else:
        values = 2 * max(sum(map(prod, node.input_shapes)) + prod(node.output_shape) for node in traced.nodes)
    inputs = 4 * sizes[0]
    return (values + inputs) * batch_size * BYTES_PER_VALUE / GIB


def why_too_large(traced: NetworkTrace, mode: CostMode, batch_size: int, device: torch.device) -> str:
    """Why a batch cannot fit into the memory that is free now, in words; empty where it can."""
    need, free = needed_gib(traced, mode, batch_size), _free_gib(device)
    if need <= SPARE * free:
        return ""
    reason = "" if device.type == "cuda" else in_brackets(memory_because())
    return f"out of memory: batch {batch_size} needs about {need:,.1f} GiB, and {free:,.1f} GiB are free{reason}"


def together(need_gib: float, device: torch.device, most: int) -> int:
    """How many calls that each need so much fit together into the memory that is free now, from 1 up to ``most``."""
    return next((count for count in range(most, 1, -1) if count * need_gib <= SPARE * _free_gib(device)), 1)


def _free_gib(device: torch.device) -> float:
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return float(free) / GIB
    return available_memory_gib()
