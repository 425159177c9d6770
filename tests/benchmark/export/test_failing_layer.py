"""An export that fails names the layer of the user's network, and nothing of what it was wrapped in."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch import nn
from torch.nn import functional

from fbench.benchmark.export.errors import ExportError
from fbench.benchmark.export.from_pixels import FromPixels
from fbench.benchmark.export.onnx_file import onnx_bytes
from fbench.benchmark.export.torch_export_file import torch_export_bytes
from fbench.benchmark.records.trial_records import PixelNormalisation


class Branches(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x if x.sum() > 0 else -x


class ReadsAValue(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * float(x.max().item())


class LeavesTorch(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(x.numpy())


class SingularValues(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.linalg.svdvals(x)[..., None]


class Net(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(1, 4, 3, stride=4), layer)
        self.head = nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.trunk(x).mean((2, 3)))


class Pools(Net):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(functional.adaptive_max_pool2d(self.trunk(x), 3).mean((2, 3)))


def wrapped(network: nn.Module) -> FromPixels:
    return FromPixels(network, PixelNormalisation(mean=(1.0,), inverse_deviation=(1.0,))).eval()


def line_of(kind: type[nn.Module]) -> str:
    """The place of the only statement of its forward pass."""
    return f"test_failing_layer.py, line {inspect.getsourcelines(kind.forward)[1] + 1}"


@pytest.mark.parametrize("kind", [Branches, ReadsAValue, LeavesTorch])
@pytest.mark.parametrize("write", [onnx_bytes, torch_export_bytes])
@pytest.mark.parametrize("behind_pixels", [True, False])
def test_code_that_cannot_be_followed_is_named_with_its_line(
    kind: type[nn.Module],
    write: object,
    behind_pixels: bool,
    capfd: pytest.CaptureFixture[str],
) -> None:
    network = Net(kind())
    with pytest.raises(ExportError) as caught:
        write(wrapped(network) if behind_pixels else network, (1, 16, 16), {})  # type: ignore[operator]
    said = str(caught.value)
    assert said.startswith(
        f"The network Net cannot be exported at its layer 'trunk.1' ({kind.__name__}, {line_of(kind)})"
    )
    assert "FromPixels" not in said
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("layer", "operation"),
    [
        (nn.AdaptiveMaxPool2d(3), "aten.adaptive_max_pool2d"),
        (nn.FractionalMaxPool2d(2, output_size=2), "aten.fractional_max_pool2d"),
        (SingularValues(), "aten._linalg_svd"),
    ],
)
def test_an_operation_without_a_counterpart_in_onnx_is_named_with_its_layer(layer: nn.Module, operation: str) -> None:
    with pytest.raises(ExportError) as caught:
        onnx_bytes(wrapped(Net(layer)), (1, 16, 16))
    said = str(caught.value)
    assert said.startswith(
        f"The network Net cannot be written as ONNX at its layer 'trunk.1' ({type(layer).__name__}, "
    )
    assert f"by the operation {operation}" in said
    assert "FromPixels" not in said


def test_an_operation_of_the_network_itself_is_named_with_its_line() -> None:
    with pytest.raises(ExportError) as caught:
        onnx_bytes(wrapped(Pools(nn.ReLU())), (1, 16, 16))
    assert f"at its own forward pass (Pools, {line_of(Pools)}), by the operation aten.adaptive_max" in str(caught.value)
