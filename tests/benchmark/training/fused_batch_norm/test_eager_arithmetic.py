"""The eager arithmetic gives what PyTorch's own layers give, and its gradients are the derivatives."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows
from torch import nn

from fbench.benchmark.training.fused_batch_norm.arithmetic import (
    Activation,
    RunningStatistics,
    normalise_and_activate,
)
from fbench.benchmark.training.fused_batch_norm.eager import EagerArithmetic, activated, gradient_before
from tests.benchmark.training.fused_batch_norm.cases import CASES, RESULTS, Case, beyond, computed, differences

LAYERS: dict[Activation, type[nn.Module]] = {"none": nn.Identity, "relu": nn.ReLU, "hard_swish": nn.Hardswish}
CPU = torch.device("cpu")


class Noted(EagerArithmetic):
    """Computes as asked, and keeps what it was given."""

    def forward(self, maps, weight, bias, *rest):  # type: ignore[no-untyped-def] # as it is given
        self.maps, self.weight, self.bias = (value.detach().double() for value in (maps, weight, bias))
        return super().forward(maps, weight, bias, *rest)

    def backward(self, gradient, *rest):  # type: ignore[no-untyped-def] # as it is given
        self.gradient = gradient.double()
        return super().backward(gradient, *rest)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_results_are_those_of_pytorchs_layers_in_float64(case: Case) -> None:
    noted = Noted()
    found = computed(noted, case, CPU)
    maps, weight, bias = (value.requires_grad_() for value in (noted.maps, noted.weight, noted.bias))
    mean, variance = torch.zeros(case.shape[1]).double(), torch.ones(case.shape[1]).double()
    normalised = F.batch_norm(maps, mean, variance, weight, bias, training=True, momentum=0.1, eps=1e-5)
    output = LAYERS[case.activation]()(normalised)
    gradients = torch.autograd.grad(output, (maps, weight, bias), noted.gradient)
    expected = dict(zip(RESULTS, (output.detach(), *gradients, mean, variance), strict=True))
    assert beyond(differences(found, expected), case) == {}


@pytest.mark.parametrize("activation", ["none", "relu", "hard_swish"])
def test_gradients_are_the_derivatives(activation: Activation) -> None:
    generator = torch.Generator().manual_seed(0)
    given = [torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in ((3, 2, 2, 2), (2,), (2,))]

    def of(*values: torch.Tensor) -> torch.Tensor:
        followed = RunningStatistics(torch.zeros(2).double(), torch.ones(2).double(), 0.1)
        return normalise_and_activate(EagerArithmetic(), *values, followed, 1e-5, activation)

    assert torch.autograd.gradcheck(of, [value.requires_grad_() for value in given])


@pytest.mark.parametrize("activation", ["relu", "hard_swish"])
def test_activations_and_their_corners_are_those_of_pytorch(activation: Activation) -> None:
    values = torch.tensor([-7.0, -3.0, -2.9, -0.0, 0.0, 1.0, 2.9, 3.0, 7.0, float("inf")], requires_grad=True)
    expected = LAYERS[activation]()(values)
    (gradient,) = torch.autograd.grad(expected, values, torch.full_like(values, 2.0))
    torch.testing.assert_close(activated(values.detach(), activation), expected.detach())
    torch.testing.assert_close(gradient_before(torch.full_like(values, 2.0), values.detach(), activation), gradient)


@pytest.mark.parametrize("activation", ["none", "relu", "hard_swish"])
def test_what_is_no_number_shows_in_what_comes_of_it(activation: Activation) -> None:
    """A training that diverged is told by its loss."""
    maps = torch.randn(2, 1, 2, 2)
    maps[0, 0, 0, 0] = float("nan")
    followed = RunningStatistics(torch.zeros(1), torch.ones(1), 0.1)
    found = normalise_and_activate(EagerArithmetic(), maps, torch.ones(1), torch.zeros(1), followed, 1e-5, activation)
    assert found.isnan().all()
    assert followed.mean.isnan()
