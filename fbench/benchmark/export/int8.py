"""Post-training quantisation to 8-bit integers with ONNX Runtime.

Weights symmetric with a scale for each output channel, activations with a scale and zero point each, from their range
over calibration images (Jacob et al. 2018, Quantization and Training of Neural Networks for Efficient
Integer-Arithmetic-Only Inference; Krishnamoorthi 2018, arXiv 1806.08342, section 3.1). Format, types and preparation
are those that onnxruntime.ai/docs/performance/model-optimizations/quantization.html recommends: QDQ, S8S8, the graph
optimised and its shapes inferred first.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.export.errors import ExportError, first_cause, require_packages
from fbench.benchmark.export.onnx_file import INPUT, metadata_of, set_metadata
from fbench.core.errors import UserError

if TYPE_CHECKING:
    from onnx import ModelProto

_WITH_WEIGHTS: Final = frozenset({"Conv", "Gemm", "MatMul"})


def quantise(model: bytes, calibration: Iterable[npt.NDArray[np.float32]]) -> bytes:
    """An ONNX model with weights and activations in int8; input and output stay float32, and so does its metadata.

    ``calibration`` are batches float32 (N, C, H, W) of what the model will see; the batches may differ in N. What
    lies before the first layer with weights (a normalisation of the pixels) stays float32.

    Raises:
        ExportError: ONNX Runtime cannot quantise the model.
        UserError: there is no calibration image, or the packages of the extra ``onnx`` are not installed.
    """
    require_packages("onnx", "onnxruntime")
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc] # ONNX Runtime ships no types
        """Hands out one batch after another."""

        def __init__(self, batches: Iterator[npt.NDArray[np.float32]]) -> None:
            self._batches = batches

        def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
            """The next batch by the name of the input, none at the end."""
            batch = next(self._batches, None)
            return None if batch is None else {INPUT: batch}

    batches = [batch for batch in calibration if len(batch)]
    if not batches:
        raise UserError("No calibration image was given, and int8 needs some to learn the ranges; give at least one.")
    original = onnx.load_model_from_string(model)
    with tempfile.TemporaryDirectory(prefix="fbench-int8-") as folder:
        prepared, quantised = Path(folder) / "prepared.onnx", Path(folder) / "quantised.onnx"
        try:
            quant_pre_process(original, prepared)
            quantize_static(
                prepared,
                quantised,
                Reader(iter(batches)),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
                nodes_to_exclude=_before_weights(onnx.load(prepared)),
            )
        except Exception as error:  # ONNX Runtime raises a dozen classes of its own, and plain RuntimeError
            raise ExportError(
                f"The network was written as ONNX and cannot be quantised ({first_cause(error)}); export it to onnx."
            ) from error
        result = onnx.load(quantised)
    set_metadata(result, metadata_of(original))
    content: bytes = result.SerializeToString()
    return content


def _before_weights(model: ModelProto) -> list[str]:
    """The names of the nodes that no layer with weights precedes, and that are none themselves."""
    after: set[str] = set()
    names = []
    for node in model.graph.node:  # in the order of their dependence, as ONNX demands
        if node.op_type in _WITH_WEIGHTS or after.intersection(node.input):
            after.update(node.output)
        else:
            names.append(node.name)
    return names
