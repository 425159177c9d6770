"""Every network goes forward and back in the way of CUDA, and no operand of it stays on the host."""

from __future__ import annotations

import pytest
import torch

from fbench.architectures.registry import create, list_architectures, options_of
from fbench.benchmark.machine.device import lay_out
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.training.augment import MixedBatch, augment
from fbench.benchmark.training.step import Totals, make_step
from tests.networks_by_builder import by_builder

NUMERICS = choose_numerics("cuda")
PROTOCOL = load_protocol("fbench")


@pytest.mark.parametrize("name", by_builder(list_architectures()))
def test_a_step_of_any_network_keeps_to_the_device_and_never_waits(name: str) -> None:
    """Without values: on the meta device a number that is read, or a shape that depends on one, is an error of its
    own."""
    with torch.device("meta"):
        options = {"dropout": 0.1} if "dropout" in options_of(name) else {}
        network = lay_out(create(name, **options), torch.channels_last)
    images = torch.empty(4, 1, 48, 48, dtype=torch.uint8, device="meta")
    labels = torch.zeros(4, dtype=torch.long, device="meta")
    batch = augment(images.float(), labels, PROTOCOL.augmentation, torch.Generator())
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    step = make_step(network, optimizer, PROTOCOL, NUMERICS.eager(), Totals(torch.device("meta")))
    step(MixedBatch(batch.images.contiguous(memory_format=torch.channels_last), batch.labels))
    assert all(
        one.grad is not None and one.grad.shape == one.shape for one in network.parameters() if one.requires_grad
    )
