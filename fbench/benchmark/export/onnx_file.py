"""A network as ONNX (onnx.ai): one file that runs without fbench and without PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from fbench.benchmark.export.errors import ExportError, first_cause, require_packages

if TYPE_CHECKING:
    from onnx import ModelProto
    from torch import nn

INPUT: Final = "images"
OUTPUT: Final = "logits"


def onnx_bytes(module: nn.Module, input_shape: tuple[int, int, int], metadata: Mapping[str, str] = {}) -> bytes:
    """The ONNX file of a network in evaluation mode; ``module`` itself does not change.

    Its input ``images`` is float32 (N, C, H, W) with ``input_shape`` = (C, H, W) and any N, its output ``logits``
    float32 (N, classes). ``metadata`` goes into ``metadata_props``. Batch normalisations are folded into the
    convolutions before them.

    Raises:
        ExportError: the network cannot be exported.
        UserError: the packages of the extra ``onnx`` are not installed.
    """
    require_packages("onnx", "onnxscript")
    import torch

    from fbench.benchmark.export.blame import failing_layer, network_name
    from fbench.benchmark.export.capture import capture, quiet_exporter

    program = capture(module, input_shape)
    try:
        with quiet_exporter():
            exported = torch.onnx.export(
                program, dynamo=True, input_names=[INPUT], output_names=[OUTPUT], verbose=False
            )
    except Exception as error:  # an operation without a counterpart in ONNX, of any kind
        layer = failing_layer(error, module)
        raise ExportError(
            f"The network {network_name(module)} cannot be written as ONNX{f' at {layer}' if layer else ''} "
            f"({first_cause(error)}); keep to operations that PyTorch's exporter knows, or export it to torch-export."
        ) from error
    if exported is None:
        raise ExportError(f"The network {network_name(module)} gave no ONNX model; export it to torch-export.")
    model = exported.model_proto
    _without_traces(model)
    set_metadata(model, metadata)
    content: bytes = model.SerializeToString()
    return content


def set_metadata(model: ModelProto, metadata: Mapping[str, str]) -> None:
    """Put names and values into a model's ``metadata_props``, in place of what was there."""
    del model.metadata_props[:]
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value


def metadata_of(model: ModelProto) -> dict[str, str]:
    """The names and values in a model's ``metadata_props``."""
    return {entry.key: entry.value for entry in model.metadata_props}


def _without_traces(model: ModelProto) -> None:
    """Drop PyTorch's notes on where each operation came from: a third of IRes' file, with paths of this machine."""
    graph = model.graph
    del graph.metadata_props[:]
    for node in graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in (*graph.value_info, *graph.initializer, *graph.input, *graph.output):
        del value.metadata_props[:]
