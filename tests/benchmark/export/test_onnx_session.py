from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from fbench.benchmark.export.errors import ExportError, ExportMismatch
from fbench.benchmark.export.onnx_file import onnx_bytes
from fbench.benchmark.export.onnx_session import (
    TOLERANCE,
    deviation,
    largest_deviation,
    open_session,
    require_equal,
)
from fbench.core.errors import UserError

SHAPE = (1, 4, 4)


@pytest.fixture(scope="module")
def linear() -> tuple[nn.Module, bytes]:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 3))
    return network, onnx_bytes(network, SHAPE)


def changed(content: bytes, factor: float) -> bytes:
    """The same model with its largest weight multiplied."""
    model = onnx.load_model_from_string(content)
    weight = next(entry for entry in model.graph.initializer if len(entry.dims) == 2)
    values = onnx.numpy_helper.to_array(weight).copy()
    values.flat[np.abs(values).argmax()] *= factor
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    tampered: bytes = model.SerializeToString()
    return tampered


def test_logits_are_those_of_the_weights_worked_by_hand(linear: tuple[nn.Module, bytes], tmp_path: Path) -> None:
    network, content = linear
    (tmp_path / "model.onnx").write_bytes(content)
    images = np.random.default_rng(1).normal(size=(5, *SHAPE)).astype(np.float32)
    weight, bias = (part.detach().numpy().astype(np.float64) for part in network.parameters())
    by_hand = images.reshape(5, 16) @ weight.T + bias
    for model in (open_session(content, None), open_session(tmp_path / "model.onnx", 1)):
        np.testing.assert_allclose(model.logits(images), by_hand, rtol=1e-5, atol=1e-6)
        assert model.logits(images).dtype == np.float32
        assert model.provider == "CPUExecutionProvider"


def test_deviation_is_the_largest_difference_over_the_largest_logit() -> None:
    reference = np.array([[1.0, -4.0], [2.0, 0.0]], dtype=np.float32)
    logits = np.array([[1.0, -4.0], [2.5, 0.25]], dtype=np.float32)
    assert deviation(logits, reference) == 0.125  # 0.5 of 4
    assert deviation(np.zeros((1, 2), np.float32), np.zeros((1, 2), np.float32)) == 0
    assert np.isnan(deviation(np.array([[np.nan, 1.0]], np.float32), reference[:1]))


def test_an_untouched_model_is_equal_and_a_tampered_one_is_caught(linear: tuple[nn.Module, bytes]) -> None:
    network, content = linear
    assert require_equal(network, open_session(content, 1), SHAPE) < TOLERANCE
    tampered = open_session(changed(content, 1.01), 1)
    assert largest_deviation(network, tampered, SHAPE) > TOLERANCE
    with pytest.raises(ExportMismatch, match=r"and 0\.0001 is allowed"):
        require_equal(network, tampered, SHAPE)


def test_what_is_no_number_is_a_mismatch(linear: tuple[nn.Module, bytes]) -> None:
    network, content = linear
    with pytest.raises(ExportMismatch, match="deviate by nan"):
        require_equal(network, open_session(changed(content, float("nan")), 1), SHAPE)


@pytest.mark.parametrize(
    ("kind", "message"),
    [("cuda", "asked to run on cuda, and the one installed has .*CPUExecutionProvider"), ("mps", "cpu or cuda only")],
)
def test_a_device_without_a_provider_is_one_sentence(
    kind: str, message: str, linear: tuple[nn.Module, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onnxruntime.get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(UserError, match=message):
        open_session(linear[1], 1, kind)


def test_what_is_no_model_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "no.onnx").write_bytes(b"this is no protobuf")
    for source in (b"this is no protobuf", tmp_path / "no.onnx", tmp_path / "nowhere.onnx"):
        with pytest.raises(ExportError, match="cannot be opened by ONNX Runtime") as raised:
            open_session(source, 1)
        assert len(str(raised.value).splitlines()) == 1


def test_a_missing_runtime_is_a_sentence_that_names_the_extra(
    linear: tuple[nn.Module, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r"onnxruntime cannot be imported .* pip install 'fbench\[onnx\]'"):
        open_session(linear[1], 1)


def test_a_network_that_writes_into_its_input_is_compared_by_the_input_that_both_were_given() -> None:
    class Halved(nn.Module):
        def __init__(self, in_place: bool) -> None:
            super().__init__()
            self.in_place, self.linear = in_place, nn.Linear(16, 3)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            logits: torch.Tensor = self.linear((images.mul_(0.5) if self.in_place else images * 0.5).flatten(1))
            return logits

    both = []
    for in_place in (False, True):
        torch.manual_seed(0)
        both.append(Halved(in_place))
    content = onnx_bytes(both[0], SHAPE)
    images = np.random.default_rng(2).normal(size=(4, *SHAPE)).astype(np.float32)
    assert largest_deviation(both[1], open_session(content, None), SHAPE, images=images) < TOLERANCE
