"""Stage: what the device can do at most: bytes and multiplications a second, and the price of a kernel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import torch

from fbench.benchmark.machine.cuda_graph import recorded
from fbench.benchmark.machine.device import current_device, pick_device
from fbench.benchmark.records.numerics import Precision
from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import Measurement, NotHereError
from tests.gpu.contact.timing import seconds_of
from tests.gpu.contact.trials import precisions_of

NODES = 1000


def measurements(settings: Settings) -> Iterator[Measurement]:
    """A copy, a matrix product in each precision, a node of a graph."""
    device = pick_device(settings.device)
    yield Measurement("copy", partial(copy, device, settings.small))
    yield Measurement("graph node", partial(graph_node, device))
    for precision in precisions_of(settings):
        yield Measurement(f"matrix product {precision}", partial(matrix_product, precision, device, settings))


def copy(device: torch.device, small: bool) -> Mapping[str, Any]:
    """Bytes read and written in a second by a copy within the device, of a size that no cache holds and of one that
    a step's maps have."""
    with current_device(device):
        sizes = {"large": 2**24 if small else 2**30, "of_a_map": 2**20 if small else 2**23}
        found: dict[str, float] = {}
        for name, size in sizes.items():
            source = torch.ones(size, dtype=torch.uint8, device=device)
            target = torch.empty_like(source)
            found[f"{name}_gb_per_s"] = 2 * size / seconds_of(partial(target.copy_, source), 20, device) / 1e9
        return found


def matrix_product(precision: Precision, device: torch.device, settings: Settings) -> Mapping[str, Any]:
    """Floating-point operations a second of a square product, two for each multiply-accumulate."""
    size = 256 if settings.small else 8192
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    try:
        with current_device(device):
            left, right = (torch.randn(size, size, device=device, dtype=kind) for _ in range(2))
            took_s = seconds_of(lambda: left @ right, 10, device)
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
    return {"tflop_per_s": 2 * size**3 / took_s / 1e12, "size": size}


def graph_node(device: torch.device) -> Mapping[str, Any]:
    """Microseconds of a small kernel, one after another: replayed from a graph, and launched one by one."""
    if device.type != "cuda":
        raise NotHereError("graphs are recorded on CUDA alone")
    with current_device(device):
        values = torch.zeros(1024, device=device)

        def chain() -> None:
            for _ in range(NODES):
                values.add_(1.0)

        graph = recorded(chain, device)
        replayed_s, launched_s = seconds_of(graph.replay, 10, device), seconds_of(chain, 3, device)
    return {"replayed_us": 1e6 * replayed_s / NODES, "launched_us": 1e6 * launched_s / NODES, "nodes": NODES}
