from __future__ import annotations

import copy
import logging
import sys

import onnx
import pytest
import torch
from torch import nn

from fbench.architectures.registry import create
from fbench.benchmark.export.errors import ExportError
from fbench.benchmark.export.onnx_file import onnx_bytes
from fbench.benchmark.export.onnx_session import open_session, require_equal
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.training.prepare import as_built, prepare_for_training
from fbench.benchmark.training.quick_dropout import QuickDropout
from fbench.core.errors import UserError

SMALL = (1, 16, 16)


def tiny() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3))


def test_names_types_and_the_free_batch_axis_are_in_the_file() -> None:
    network = tiny()
    network(torch.zeros(2, *SMALL))
    model = onnx.load_model_from_string(onnx_bytes(network, SMALL))
    onnx.checker.check_model(model, full_check=True)
    (images,), (logits,) = model.graph.input, model.graph.output
    assert (images.name, logits.name) == ("images", "logits")
    shape = images.type.tensor_type.shape.dim
    assert shape[0].dim_param
    assert [axis.dim_value for axis in shape[1:]] == list(SMALL)
    assert images.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert logits.type.tensor_type.shape.dim[0].dim_param == shape[0].dim_param
    assert logits.type.tensor_type.shape.dim[1].dim_value == 3


def test_metadata_comes_back_from_the_file_and_from_a_session() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(256, 3))
    given = {"trial_id": "0123456789abcdef", "class_names": '["Freude", "Überraschung"]', "empty": ""}
    content = onnx_bytes(network, SMALL, given)
    kept = {entry.key: entry.value for entry in onnx.load_model_from_string(content).metadata_props}
    assert kept == given
    assert open_session(content, 1).metadata == given


def test_a_prepared_network_in_training_is_exported_and_left_as_it_was() -> None:
    network = create("simpler_cnn", image_size=16, dropout=0.5).to(memory_format=torch.channels_last)  # type: ignore[call-overload] # torch's stub lacks memory_format alone
    prepare_for_training(network, choose_numerics("cpu"))
    network(torch.randn(8, *SMALL)).sum().backward()
    quick = sum(type(module) is QuickDropout for module in network.modules())
    hooks = [len(module._forward_hooks) for module in network.modules()]
    before, gradients = copy.deepcopy(network.state_dict()), [p.grad for p in network.parameters()]
    model = open_session(onnx_bytes(network, SMALL), 1)
    require_equal(network, model, SMALL)
    assert quick > 0
    assert network.training
    assert all(p.requires_grad for p in network.parameters())
    assert [p.grad for p in network.parameters()] == gradients
    assert sum(type(module) is QuickDropout for module in network.modules()) == quick
    assert [len(module._forward_hooks) for module in network.modules()] == hooks
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, before[name], rtol=0, atol=0)
        assert value.stride() == before[name].stride()


def test_as_built_undoes_what_training_needs_and_keeps_hooks_of_others() -> None:
    network = create("simpler_cnn", image_size=16, dropout=0.5)
    kinds, called = [type(module) for module in network.modules()], []
    network.register_forward_hook(lambda *_: called.append(1))
    prepare_for_training(network, choose_numerics("cpu"))
    plain = as_built(network)
    assert [type(module) for module in plain.modules()] == kinds
    assert not plain.training
    assert [len(module._forward_hooks) for module in plain.modules()] == [1] + [0] * (len(kinds) - 1)


def test_nothing_is_said_and_no_place_of_this_machine_enters_the_file(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    network = create("lenet5")
    with caplog.at_level(logging.WARNING):
        content = onnx_bytes(network, (1, 48, 48))
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
    assert b"site-packages" not in content
    assert b".py" not in content


class Branching(nn.Module):
    """Takes another way for bright images, which no exporter can follow."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(256, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.linear(x.flatten(1))
        return logits if x.mean() > 0 else -logits


class FixedBatch(nn.Module):
    """Works for two images alone."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.reshape(2, 256)[:, :3]


class Complex(nn.Module):
    """Uses an operation of PyTorch that ONNX does not have."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.linalg.eigvals(x[:, 0, :3, :3]).real


@pytest.mark.parametrize("network", [Branching(), FixedBatch(), Complex()])
def test_a_network_that_cannot_be_exported_is_one_sentence(network: nn.Module) -> None:
    with pytest.raises(ExportError, match=f"The network {type(network).__name__} cannot be") as raised:
        onnx_bytes(network, SMALL)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_a_missing_package_is_a_sentence_that_names_the_extra(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(UserError, match=rf"{package} cannot be imported .* pip install 'fbench\[onnx\]'"):
        onnx_bytes(tiny(), SMALL)
