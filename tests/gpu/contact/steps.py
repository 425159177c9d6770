"""One training step as a trial takes it, on images that stay."""

from __future__ import annotations

from collections.abc import Callable

import torch

from fbench.architectures.registry import build
from fbench.benchmark.machine.device import lay_out, memory_format
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.training.augment import MixedBatch
from fbench.benchmark.training.optimizers import build_optimizer
from fbench.benchmark.training.step import Totals, make_step
from tests.gpu.contact.trials import CLASSES, face_network


def step_of(network: str, numerics: Numerics, batch_size: int, device: torch.device) -> Callable[[], None]:
    """A step of the default protocol; numerics must be in force where it is called, and where it is made."""
    layout, protocol = memory_format(numerics), load_protocol("fbench")
    torch.manual_seed(0)
    spec = face_network(network)
    module = lay_out(build(spec.resolved).to(device), layout)
    optimizer = build_optimizer(module, protocol, batch_size, numerics)
    images = torch.randn(batch_size, *spec.input_shape).to(device).contiguous(memory_format=layout)
    batch = MixedBatch(images, (torch.arange(batch_size) % CLASSES).to(device))
    step = make_step(module, optimizer, protocol, numerics, Totals(device))
    return lambda: step(batch)
