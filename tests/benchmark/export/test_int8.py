from __future__ import annotations

import sys

import numpy as np
import numpy.typing as npt
import onnx
import pytest
import torch
from support import make_stripes
from torch import nn

from fbench.architectures.registry import create
from fbench.benchmark.export.calibration import calibration_pixels
from fbench.benchmark.export.int8 import quantise
from fbench.benchmark.export.onnx_file import onnx_bytes
from fbench.benchmark.export.onnx_session import deviation, open_session
from fbench.benchmark.export.trained import FromPixels
from fbench.benchmark.records.trial_records import PixelNormalisation
from fbench.core.errors import UserError

FloatArray = npt.NDArray[np.float64]


def symmetric(weights: FloatArray) -> FloatArray:
    """Weights (out, in) as int8 with one scale for each output, zero point 0, and back."""
    scale = np.abs(weights).max(axis=1, keepdims=True) / 127
    return np.clip(np.round(weights / scale), -128, 127) * scale


def affine(values: FloatArray, low: float, high: float) -> FloatArray:
    """Values as int8 with the scale and zero point of a range that holds 0, and back (ONNX, QuantizeLinear)."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / 255
    zero = np.round(-128 - low / scale)
    return (np.clip(np.round(values / scale) + zero, -128, 127) - zero) * scale


def test_a_linear_layer_is_quantised_as_worked_by_hand() -> None:
    """Two inputs, two outputs whose weights differ a hundredfold: one scale for both would lose the second."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False))
    weights = np.array([[1.0, -0.37], [0.004, 0.01]])
    with torch.no_grad():
        network[1].weight.copy_(torch.from_numpy(weights))
    calibration = np.array([[[[-1.0, 3.0]]], [[[0.5, -0.2]]]], dtype=np.float32)
    exported = onnx_bytes(network, (1, 1, 2))
    model = open_session(quantise(exported, [calibration]), 1)
    inputs = np.array(
        [[[[0.31, 2.7]]], [[[-0.9, 1.1]]], [[[5.0, -7.0]]]], dtype=np.float32
    )  # the last beyond the range
    seen = affine(inputs.reshape(-1, 2).astype(np.float64), -1.0, 3.0)
    outputs = seen @ symmetric(weights).T
    learnt = calibration.reshape(-1, 2) @ weights.T
    expected = affine(outputs, float(learnt.min()), float(learnt.max()))
    step = (max(learnt.max(), 0) - min(learnt.min(), 0)) / 255
    assert np.abs(model.logits(inputs) - expected).max() <= 1.01 * step  # a tie may round the other way
    exact = inputs[:2].reshape(-1, 2) @ weights.T
    assert np.abs(model.logits(inputs[:2]) - exact).max() < 3 * step
    assert np.abs(model.logits(inputs[2:]) - inputs[2:].reshape(-1, 2) @ weights.T).max() > 2


@pytest.mark.slow
@pytest.mark.parametrize("fitted", [None, PixelNormalisation(mean=(128.0,), inverse_deviation=(1 / 50,))])
def test_a_network_in_int8_is_smaller_close_and_keeps_names_and_metadata(fitted: PixelNormalisation | None) -> None:
    torch.manual_seed(0)
    stripes = make_stripes()
    network = create("ires", image_size=16, num_classes=3)
    network.train()(torch.randn(32, 1, 16, 16))
    exported = onnx_bytes(FromPixels(network, fitted), (1, 16, 16), {"trial_id": "x"})
    pixels = calibration_pixels(stripes, 64)
    quantised = quantise(exported, (pixels[start : start + 16] for start in range(0, 64, 16)))
    model = onnx.load_model_from_string(quantised)
    assert {entry.key: entry.value for entry in model.metadata_props} == {"trial_id": "x"}
    assert [model.graph.input[0].name, model.graph.output[0].name] == ["images", "logits"]
    assert len(quantised) < 0.75 * len(exported)
    kinds = {entry.name: entry.data_type for entry in model.graph.initializer}
    weights = [node.input[0] for node in model.graph.node if node.op_type == "DequantizeLinear"]
    assert sum(kinds.get(name) == onnx.TensorProto.INT8 for name in weights) >= 20
    first = next(node for node in model.graph.node if "images" in node.input)
    assert first.op_type in {"LayerNormalization", "Sub"}  # pixels reach the normalisation in fp32
    before, after = open_session(exported, 1).logits(pixels), open_session(quantised, 1).logits(pixels)
    assert deviation(after, before) < 0.25


def test_it_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2))
    exported = onnx_bytes(network, (1, 4, 4))
    quantise(exported, [np.random.default_rng(0).normal(size=(4, 1, 4, 4)).astype(np.float32)])
    assert capfd.readouterr() == ("", "")


def test_without_images_there_is_nothing_to_learn_from() -> None:
    exported = onnx_bytes(nn.Sequential(nn.Flatten(), nn.Linear(2, 2)), (1, 1, 2))
    for nothing in ([], [np.zeros((0, 1, 1, 2), np.float32)]):
        with pytest.raises(UserError, match="No calibration image was given"):
            quantise(exported, nothing)


def test_a_missing_package_is_a_sentence_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r"pip install 'fbench\[onnx\]'"):
        quantise(b"", [])


def test_calibration_images_are_training_images_and_the_same_each_time() -> None:
    stripes = make_stripes()
    drawn = calibration_pixels(stripes, 20)
    assert drawn.shape == (20, 1, 16, 16)
    np.testing.assert_array_equal(drawn, calibration_pixels(stripes, 20))
    train = {image.tobytes() for image in stripes.images[stripes.rows("train")].astype(np.float32)}
    assert {image.tobytes() for image in drawn} <= train
    assert len(calibration_pixels(stripes, 10_000)) == stripes.rows("train").size
