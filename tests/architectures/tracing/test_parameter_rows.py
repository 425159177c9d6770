"""Every parameter has one row, and who shares it is said."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils import parametrizations

from fbench.architectures.tracing.parameters import SharedParameter
from fbench.architectures.tracing.trace import trace


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1, bias=False)
        self.second.weight = self.first.weight
        self.never_called = nn.Linear(5, 2)
        self.never_called.bias = self.first.bias
        self.held = nn.ParameterList([nn.Parameter(torch.zeros(7)), nn.Parameter(torch.zeros(3), requires_grad=False)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.second(self.first(x)) + self.held[0].sum()
        return result


def test_a_shared_parameter_counts_in_the_first_row_and_the_others_name_it() -> None:
    traced = trace(Tied(), (2, 4, 4))
    rows = {node.path: node for node in traced.nodes if node.layer}
    assert rows["first"].trainable_params == 2 * 2 * 9 + 2
    assert rows["second"].trainable_params == 0
    assert rows["second"].shared_params == (SharedParameter("weight", "first.weight", 36),)


def test_a_module_that_is_never_called_has_a_row_of_what_it_holds() -> None:
    held = {one.path: one.held for one in trace(Tied(), (2, 4, 4)).holders}
    assert held["never_called"].trainable == 10
    assert held["never_called"].shared == (SharedParameter("bias", "first.bias", 2),)
    assert (held["held"].trainable, held["held"].frozen) == (7, 3)


def test_rows_add_up_to_what_torch_counts() -> None:
    network = Tied()
    traced = trace(network, (2, 4, 4))
    grads = [parameter.requires_grad for parameter in network.parameters()]
    sizes = [parameter.numel() for parameter in network.parameters()]
    assert traced.trainable_params == sum(size for size, grad in zip(sizes, grads, strict=True) if grad)
    assert traced.trainable_params + traced.frozen_params == sum(sizes) == traced.total_params_keras


def test_a_parametrised_layer_has_a_row_of_its_parameters() -> None:
    traced = trace(nn.Sequential(parametrizations.weight_norm(nn.Linear(4, 3))), (2, 5, 4))
    assert traced.trainable_params == 4 * 3 + 3 + 3


def test_a_batch_norm_that_two_names_share_has_its_statistics_once() -> None:
    norm = nn.BatchNorm2d(2)
    assert trace(nn.Sequential(norm, nn.Sequential(norm)), (2, 3, 3)).bn_running_stats == 4
