"""Bytes that operations move at least, worked by hand. Maps of fp32 have 4 bytes an element."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fbench.architectures.registry import create
from fbench.architectures.tracing.graph import NetworkTrace
from fbench.architectures.tracing.trace import trace


def traced(*layers: nn.Module, shape: tuple[int, int, int]) -> NetworkTrace:
    return trace(nn.Sequential(*layers), shape)


def moved(network: NetworkTrace) -> tuple[int, int]:
    return network.activation_bytes, network.parameter_bytes


def test_a_convolution_reads_its_map_and_writes_another_and_reads_weights_and_bias_once() -> None:
    found = traced(nn.Conv2d(3, 8, 3, padding=1), shape=(3, 10, 10))
    assert moved(found) == (4 * (3 * 100 + 8 * 100), 4 * (8 * 3 * 9 + 8))
    assert found.bytes_moved(64) == 64 * 4400 + 896


@pytest.mark.parametrize(
    ("layer", "rows_read"),
    [
        (nn.Conv2d(2, 2, 1, stride=2, bias=False), 5),  # 0, 2, 4, 6, 8 of 10
        (nn.Conv2d(2, 2, 2, stride=2, bias=False), 10),
        (nn.Conv2d(2, 2, 3, stride=2, bias=False), 9),  # four windows, 0..8; row 9 is in none
        (nn.Conv2d(2, 2, 3, stride=4, padding=1, bias=False), 8),  # -1..1, 3..5, 7..9
        (nn.Conv2d(2, 2, 2, dilation=3, stride=7, bias=False), 2),  # 0 and 3
        (nn.MaxPool2d(1, stride=3), 4),  # 0, 3, 6, 9
        (nn.AvgPool2d(2, stride=3), 6),  # 0, 1, 3, 4, 6, 7
        (nn.MaxPool2d(4, ceil_mode=True), 10),
        (nn.MaxPool2d(4), 8),
        (nn.MaxPool2d(3, stride=2, padding=1), 10),  # -1..1, ..., 7..9
    ],
)
def test_rows_and_columns_that_no_window_covers_are_not_read(layer: nn.Module, rows_read: int) -> None:
    found = traced(layer, shape=(2, 10, 10))
    side = found.output_shape[1]
    assert found.activation_bytes == 4 * 2 * (rows_read**2 + side**2)


def test_a_linear_layer_reads_its_weights_and_bias_once_whatever_the_batch() -> None:
    found = traced(nn.Flatten(), nn.Linear(18, 5), shape=(2, 3, 3))
    assert moved(found) == (4 * (18 + 5), 4 * (18 * 5 + 5))
    assert found.bytes_moved(10) == 10 * 92 + 380


def test_batch_norm_reads_four_vectors_once_and_its_map_per_image() -> None:
    assert moved(traced(nn.BatchNorm2d(4), shape=(4, 3, 3))) == (2 * 4 * 36, 4 * 4 * 4)


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.ReLU(inplace=True), nn.Hardswish(), nn.Sigmoid(), nn.Softmax(1)])
def test_an_activation_reads_and_writes_its_map_in_place_or_not(activation: nn.Module) -> None:
    assert moved(traced(activation, shape=(4, 3, 3))) == (2 * 4 * 36, 0)


def test_reshapes_and_layers_that_do_nothing_move_nothing() -> None:
    assert moved(traced(nn.Identity(), nn.Dropout(0.5), nn.Flatten(), shape=(4, 3, 3))) == (0, 0)


def test_double_precision_moves_twice_the_bytes() -> None:
    single, double = (traced(nn.Conv2d(1, 2, 3).to(kind), shape=(1, 5, 5)) for kind in (torch.float32, torch.float64))
    assert moved(double) == (2 * single.activation_bytes, 2 * single.parameter_bytes)


class Function(nn.Module):
    """A function of the image as a network."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.weight = nn.Parameter(torch.ones(4, 2, 3, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        match self.name:
            case "square":
                return x * x
            case "sum with an alias":
                return nn.functional.dropout(x, 0.5, self.training) + x
            case "scaled channels":
                return x * x.mean((2, 3))[:, :, None, None]
            case "expanded":
                return torch.relu(x[:, :, :1, :1].expand(-1, -1, 4, 4))
            case "halves":
                first, second = x.chunk(2, dim=1)
                return first + second
            case "concatenated":
                return torch.cat([x, x + 1], dim=1)
            case "picked":
                return x.index_select(1, torch.tensor([1], device=x.device))
            case "centred weights":
                return nn.functional.conv2d(x, self.weight - 1, padding=1)
            case "zeros beside":
                return torch.cat([x, torch.zeros_like(x)], dim=1)
            case _:
                raise ValueError(self.name)


@pytest.mark.parametrize(
    ("name", "activation_elements", "other_bytes"),
    [
        ("square", 32 + 32, 0),
        ("sum with an alias", 32 + 32, 0),
        ("scaled channels", (32 + 2) + (32 + 2 + 32), 0),
        ("expanded", 2 + 32, 0),
        ("halves", 16 + 16 + 16, 0),
        ("concatenated", (32 + 32) + (32 + 32 + 64), 0),
        ("picked", 16 + 16, 8),  # and an index of 8 bytes
        # the subtraction reads and writes 72 weights, whatever the batch, and the convolution reads them
        ("centred weights", 32 + 64, 4 * 3 * 72),
        ("zeros beside", 32 + (32 + 32 + 64), 0),
    ],
)
def test_operations_outside_layers(name: str, activation_elements: int, other_bytes: int) -> None:
    """On a 2x4x4 image, 32 elements."""
    assert moved(trace(Function(name), (2, 4, 4))) == (4 * activation_elements, other_bytes)


class LooksAtItsNumbers(nn.Module):
    """Its path depends on the image, so it is traced on the CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2), nn.Hardswish())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.layers(x) if float(x.abs().sum()) >= 0 else x
        return result


def test_shapes_without_numbers_move_what_real_numbers_move() -> None:
    network = LooksAtItsNumbers()
    on_cpu = [node for node in trace(network, (1, 8, 8)).nodes if node.path.startswith("layers")]
    on_meta = trace(network.layers, (1, 8, 8)).nodes[1:]
    assert [(n.activation_bytes, n.parameter_bytes) for n in on_cpu] == [
        (n.activation_bytes, n.parameter_bytes) for n in on_meta
    ]


@pytest.mark.parametrize("name", ["ires", "arch2", "mini_xception", "resnet50"])
def test_a_network_reads_every_parameter_and_running_statistic_once_at_least(name: str) -> None:
    """Exactly once, as each of these layers is called once: 4 bytes each."""
    with torch.device("meta"):
        found = trace(create(name), (1, 48, 48))
    assert found.parameter_bytes == 4 * found.total_params_keras
    assert found.bytes_moved(3) == sum(node.bytes_moved(3) for node in found.nodes)


def test_the_description_holds_the_bytes_of_every_module() -> None:
    description = trace(create("lenet5"), (1, 48, 48)).to_json()
    modules, counts = description["modules"], description["counts"]
    assert sum(module["activation_bytes"] for module in modules) == counts["activation_bytes"] > 0
    assert sum(module["parameter_bytes"] for module in modules) == counts["parameter_bytes"] == 4 * 168_971
