from __future__ import annotations

import pytest
import torch
from torch import nn

from fbench.benchmark.training.clipping import clip_gradients
from tests.gpu.pretended import DEVICE, pretended_cuda


def gradients(scale: float, bad: float = 0.0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    found = [scale * torch.randn(shape, generator=generator) for shape in ((3, 4), (5,), ())]
    found[1][0] += bad
    return found


def clipped(given: list[torch.Tensor], longest: float, device: torch.device) -> list[torch.Tensor]:
    parameters = [nn.Parameter(torch.zeros_like(one).to(device)) for one in given]
    parameters.append(nn.Parameter(torch.zeros(2).to(device)))  # took no part
    for parameter, one in zip(parameters, given, strict=False):
        parameter.grad = one.clone().to(device)
    clip_gradients(parameters, longest)
    return [parameter.grad.cpu() for parameter in parameters if parameter.grad is not None]


@pytest.mark.parametrize("scale", [0.01, 1.0, 1000.0])
@pytest.mark.parametrize("device", [torch.device("cpu"), DEVICE], ids=["cpu", "cuda"])
def test_gradients_are_those_that_pytorch_clips(scale: float, device: torch.device) -> None:
    expected = [nn.Parameter(one.clone()) for one in gradients(scale)]
    for parameter in expected:
        parameter.grad = parameter.detach().clone()
    nn.utils.clip_grad_norm_(expected, 2.0)
    with pretended_cuda():
        found = clipped(gradients(scale), 2.0, device)
    for one, parameter in zip(found, expected, strict=True):
        torch.testing.assert_close(one, parameter.grad)


def test_short_gradients_keep_their_bits() -> None:
    given = gradients(0.01)
    with pretended_cuda():
        found = clipped(given, 2.0, DEVICE)
    assert all(torch.equal(one, other) for one, other in zip(found, given, strict=True))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_gradient_that_is_no_number_stays_none(bad: float) -> None:
    with pretended_cuda():
        found = clipped(gradients(1.0, bad), 2.0, DEVICE)
    assert not found[1].isfinite().all()


def test_without_gradients_there_is_nothing_to_do() -> None:
    clip_gradients([nn.Parameter(torch.zeros(2))], 1.0)
