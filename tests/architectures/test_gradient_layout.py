from __future__ import annotations

import pytest
import torch
from torch import nn

from fbench.architectures.contract import built_in_contract
from fbench.architectures.layers import GlobalAveragePool, flatten
from fbench.architectures.registry import create


def contiguous_gradients(network: nn.Module) -> list[str]:
    """The batch normalisations whose gradient arrives in another layout than their channels_last input."""
    found = []

    def note(path: str) -> object:
        def hook(module: nn.Module, gradients: tuple[torch.Tensor, ...]) -> None:
            if not gradients[0].is_contiguous(memory_format=torch.channels_last):
                found.append(path)

        return hook

    for path, module in network.named_modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_full_backward_pre_hook(note(path))  # type: ignore[arg-type] # nothing is returned
    network(torch.randn(4, 1, 48, 48).to(memory_format=torch.channels_last)).sum().backward()
    return found


@pytest.mark.parametrize("name", sorted(built_in_contract()))
def test_no_batch_normalisation_is_given_a_gradient_in_another_layout(name: str) -> None:
    assert contiguous_gradients(create(name).to(memory_format=torch.channels_last)) == []  # type: ignore[call-overload] # torch's stub lacks memory_format alone


def test_pytorch_s_own_flatten_would_give_one() -> None:
    stem = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))
    theirs = nn.Sequential(stem, nn.Flatten()).to(memory_format=torch.channels_last)  # type: ignore[call-overload] # see above
    assert contiguous_gradients(theirs) == ["0.1"]


@pytest.mark.parametrize(
    ("ours", "reference"),
    [(flatten(), nn.Flatten()), (GlobalAveragePool(keep_dims=True), nn.AdaptiveAvgPool2d(1))],
)
@pytest.mark.parametrize("training", [True, False])
def test_values_and_gradients_are_those_of_pytorch(ours: nn.Module, reference: nn.Module, training: bool) -> None:
    x = torch.randn(3, 5, 4, 7, dtype=torch.float64).to(memory_format=torch.channels_last)
    results = []
    for module in (ours.train(training), reference.train(training)):
        leaf = x.clone().requires_grad_()
        y = module(leaf * 1.5)
        (y * torch.arange(y.numel(), dtype=y.dtype).view(y.shape)).sum().backward()
        results.append((y.detach(), leaf.grad))
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected)
