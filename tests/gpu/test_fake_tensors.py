"""PyTorch's own fake tensors say where an operation's result lies and that its operands lie together, on a device that
is not there. A build of PyTorch for CPUs has no such device, and only a real one goes back through a network."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from fbench.architectures.registry import create, list_architectures
from fbench.benchmark.machine.device import autocast
from fbench.benchmark.records.numerics import Precision, choose_numerics
from fbench.benchmark.records.protocol_library import list_protocols, load_protocol
from fbench.benchmark.training import augment
from fbench.benchmark.training.augment import MixedBatch, apply_augmentation, draw_augmentation
from fbench.benchmark.training.step import batch_loss
from tests.networks_by_builder import by_builder

pytestmark = pytest.mark.skipif(torch.version.cuda is None, reason="this PyTorch is built without CUDA")

CUDA = torch.device("cuda", 0)


def images_there(count: int) -> torch.Tensor:
    made = torch.randn(count, 1, 48, 48, device=CUDA)
    return made.contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", by_builder(list_architectures()))
def test_logits_and_loss_of_every_network_lie_on_the_device(
    name: str, precision: Precision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.amp.common.amp_definitely_not_available", lambda: False)  # what autocast asks
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *_: True)
    with FakeTensorMode():
        with CUDA:
            network = create(name)
        products: set[torch.dtype] = set()
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.register_forward_hook(lambda layer, given, output: products.add(output.dtype))
        with autocast(choose_numerics("cuda", precision)):
            logits = network(images_there(4)).float()
        batch = MixedBatch(images_there(4), torch.zeros(4, dtype=torch.long, device=CUDA))
        loss = batch_loss(logits, batch, 0.1)
    assert logits.device == loss.device == CUDA
    assert products == {torch.bfloat16 if precision == "bf16" else torch.float32}


@pytest.mark.parametrize("protocol", list_protocols())
def test_augmented_batches_of_every_protocol_lie_on_the_device(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_protocol(protocol).augmentation
    settings = settings.model_copy(update={"mixup_alpha": 0.2, "erasing_probability": 0.5})
    draws = draw_augmentation(settings, 4, 2, (48, 48), torch.Generator().manual_seed(0))
    monkeypatch.setattr(augment, "to_device", lambda values, device: values.to(device))  # nothing fake can be pinned
    with FakeTensorMode(allow_non_fake_inputs=True):
        batch = MixedBatch(images_there(8), torch.zeros(8, dtype=torch.long, device=CUDA))
        found = apply_augmentation(batch, draws.to(CUDA))
        assert {value.device for value in vars(found).values() if value is not None} == {CUDA}
        with pytest.raises(RuntimeError, match="two different devices"):
            apply_augmentation(batch, draws)
        with pytest.raises(DataDependentOutputException):
            float(found.images.sum())
