"""The counter against numbers worked out by hand, and against torch's own counter."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from fbench.architectures.layers import GlobalAveragePool, SqueezeExcite, max_pool, separable_convolution
from fbench.architectures.registry import create
from fbench.architectures.tracing.trace import trace


def test_convolution_counts_kernel_times_channels_times_output_positions() -> None:
    counted = trace(nn.Sequential(nn.Conv2d(3, 8, 5, padding=2, stride=2)), (3, 9, 9))
    assert counted.output_shape == (8, 5, 5)
    assert counted.macs == 8 * 5 * 5 * 3 * 5 * 5
    assert counted.elementwise_ops_by_kind == {"bias": 8 * 5 * 5}
    assert counted.trainable_params == 8 * 3 * 5 * 5 + 8


def test_separable_convolution_is_a_depthwise_and_a_pointwise_one() -> None:
    counted = trace(separable_convolution(16, 32), (16, 24, 24))
    assert counted.trainable_params == 16 * 9 + 16 * 32 == 656
    assert counted.macs == 24 * 24 * 16 * 9 + 24 * 24 * 16 * 32
    assert counted.elementwise_ops == 0


def test_transposed_convolution_counts_each_input_position() -> None:
    counted = trace(nn.Sequential(nn.ConvTranspose2d(4, 6, 3, stride=2, bias=False)), (4, 5, 5))
    assert counted.macs == 5 * 5 * 4 * 6 * 9


def test_linear_layer_counts_its_weights_and_its_bias_apart() -> None:
    counted = trace(nn.Sequential(nn.Flatten(), nn.Linear(18, 5), nn.Linear(5, 2, bias=False)), (2, 3, 3))
    assert counted.macs == 18 * 5 + 5 * 2
    assert counted.elementwise_ops_by_kind == {"bias": 5}


def test_squeeze_excite_counts_both_layers_the_mean_the_gate_and_the_product() -> None:
    block = SqueezeExcite(64, 4, bias=False, gate=nn.Hardsigmoid)
    counted = trace(block, (64, 6, 6))
    assert counted.macs == 64 * 16 + 16 * 64
    assert counted.elementwise_ops_by_kind == {
        "mean": 64 * 36,
        "relu": 16,
        "hard_sigmoid": 64,
        "multiply": 64 * 36,
    }


def test_batch_norm_and_activations_count_one_for_each_output_element() -> None:
    layers = (nn.BatchNorm2d(4), nn.ReLU(), nn.Hardswish(), nn.Sigmoid(), nn.Hardsigmoid(), nn.ReLU6())
    counted = trace(nn.Sequential(*layers), (4, 3, 3))
    kinds = ("batch_norm", "relu", "hard_swish", "sigmoid", "hard_sigmoid", "hard_tanh")
    assert counted.elementwise_ops_by_kind == dict.fromkeys(sorted(kinds), 36)
    assert counted.macs == 0
    assert (counted.trainable_params, counted.bn_running_stats, counted.total_params_keras) == (8, 8, 16)


def test_a_pool_counts_the_elements_of_its_windows() -> None:
    counted = trace(nn.Sequential(max_pool(), nn.AvgPool2d(3, stride=1, padding=1)), (2, 4, 4))
    assert counted.elementwise_ops_by_kind == {"average_pool": 2 * 2 * 2 * 9, "max_pool": 2 * 2 * 2 * 4}


def test_global_average_counts_every_input_element() -> None:
    assert trace(GlobalAveragePool(), (5, 4, 4)).elementwise_ops_by_kind == {"mean": 80}


class Functional(nn.Module):
    """A network without any layer of torch inside its forward."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 1, 3, 3))
        self.shift = torch.ones(4, 1, 1)  # a plain tensor, neither parameter nor buffer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = nn.functional.conv2d(x, self.weight, padding=1) + self.shift
        maps.relu_()
        both = torch.cat([maps, maps * 0.5], dim=1)
        return both.flatten(1) @ torch.ones(8 * 16, 3)


def test_operations_outside_layers_are_counted_and_joined() -> None:
    counted = trace(Functional(), (1, 4, 4))
    assert [node.kind for node in counted.nodes] == [
        "input", "convolution", "add", "relu", "multiply", "concatenate", "linear",
    ]  # fmt: skip  # the graph in one line
    assert counted.macs == 4 * 16 * 9 + 8 * 16 * 3
    assert counted.elementwise_ops_by_kind == {"add": 64, "multiply": 64, "relu": 64}
    assert {(edge.source, edge.target) for edge in counted.edges} == {
        (0, 1), (1, 2), (2, 3), (3, 4), (3, 5), (4, 5), (5, 6),
    }  # fmt: skip  # the graph in one line
    assert counted.outputs == (6,)
    assert counted.nodes[1].trainable_params == counted.trainable_params == 36


class Branches(nn.Module):
    """A shortcut beside a dropout, which gives its input back at inference."""

    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        total: torch.Tensor = self.dropout(x) + x
        return total


def test_a_layer_that_does_nothing_at_inference_keeps_its_branch_apart() -> None:
    counted = trace(Branches(), (1, 2, 2))
    assert [node.kind for node in counted.nodes] == ["input", "dropout", "add"]
    assert [(edge.source, edge.target) for edge in counted.edges] == [(0, 1), (1, 2), (0, 2)]


class NeedsNumbers(nn.Module):
    """Its path depends on the values of the image, which the meta device does not have."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(1, 2, 1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) if float(x.sum()) < 1 else x


def test_a_network_that_looks_at_its_numbers_is_traced_on_the_cpu() -> None:
    assert trace(NeedsNumbers(), (1, 3, 3)).macs == 18


def test_tracing_leaves_the_module_as_it_was() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.5)).train()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    trace(module, (1, 8, 8))
    assert all(child.training for child in module.modules())
    assert not any(child._forward_hooks or child._forward_pre_hooks for child in module.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())


def test_attention_counts_its_projections_and_products() -> None:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attend = nn.MultiheadAttention(8, 2, bias=False, batch_first=True)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            tokens = x.flatten(2).transpose(1, 2)
            result: torch.Tensor = self.attend(tokens, tokens, tokens, need_weights=False)[0]
            return result

    tokens, width = 9, 8
    counted = trace(Attention(), (width, 3, 3))
    assert counted.macs == 4 * tokens * width * width + 2 * tokens * tokens * width


@pytest.mark.parametrize("name", ["ires", "ires_flatten_fc256", "arch2", "mini_xception", "lenet5"])
def test_macs_are_half_of_the_flops_of_torchs_counter(name: str) -> None:
    with torch.device("meta"):
        network = create(name).eval()
        with FlopCounterMode(display=False) as counter:
            network(torch.zeros(1, 1, 48, 48))
    assert 2 * trace(network, (1, 48, 48)).macs == counter.get_total_flops()


@settings(max_examples=25, deadline=None)
@given(
    groups=st.sampled_from([1, 2, 4]),
    factor=st.integers(1, 3),
    kernel=st.sampled_from([1, 3, 5]),
    stride=st.integers(1, 3),
    size=st.integers(5, 12),
    bias=st.booleans(),
)
def test_any_grouped_convolution(groups: int, factor: int, kernel: int, stride: int, size: int, bias: bool) -> None:
    in_channels, out_channels = 4, 4 * factor
    layer = nn.Conv2d(in_channels, out_channels, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=bias)
    counted = trace(nn.Sequential(layer), (in_channels, size, size))
    side = -(-size // stride)
    assert counted.output_shape == (out_channels, side, side)
    assert counted.macs == side * side * out_channels * (in_channels // groups) * kernel * kernel
    assert counted.elementwise_ops == (side * side * out_channels if bias else 0)


def test_description_is_plain_json_and_equal_for_equal_networks() -> None:
    first, second = (trace(create("ires"), (1, 48, 48)).to_json() for _ in range(2))
    assert first == second
    assert first["counts"]["macs"] == 2_877_632
    assert first["counts"]["elementwise_ops"] == sum(first["counts"]["elementwise_ops_by_kind"].values())
    assert sum(module["macs"] for module in first["modules"]) == first["counts"]["macs"]
    assert sum(module["trainable_params"] for module in first["modules"]) == 52_663
    targets = {edge["target"] for edge in first["edges"]}
    assert targets == set(range(1, len(first["modules"])))
