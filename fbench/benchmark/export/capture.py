"""A network as a graph of operations, whatever the batch: what both ONNX and PyTorch's own format are written from."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

import torch
from torch import nn
from torch.export import Dim, ExportedProgram

from fbench.benchmark.export.blame import failing_layer, network_name
from fbench.benchmark.export.errors import ExportError, first_cause
from fbench.benchmark.training.prepare import as_built

_EXAMPLE_BATCH = 2  # PyTorch takes a batch of 1 for a constant


def capture(module: nn.Module, input_shape: tuple[int, int, int]) -> ExportedProgram:
    """The graph of a copy of ``module`` in evaluation mode, from (N, C, H, W) float32 to logits, for every N.

    Raises:
        ExportError: PyTorch cannot follow the network.
    """
    copied = module
    try:
        with quiet_exporter():
            copied = as_built(module).requires_grad_(False)
            example = torch.zeros(_EXAMPLE_BATCH, *input_shape)
            return torch.export.export(copied, (example,), dynamic_shapes=({0: Dim("batch")},))
    except Exception as error:  # whatever a network's own code raises while it is followed
        layer = failing_layer(error, copied)
        raise ExportError(
            f"The network {network_name(module)} cannot be exported{f' at {layer}' if layer else ''} "
            f"({first_cause(error)}); keep to operations of PyTorch that do not branch on the values or the number of "
            "images."
        ) from error


@contextmanager
def quiet_exporter() -> Iterator[None]:
    """Hold back what PyTorch's exporter says about its own inner workings and about packages that fbench does not use.

    Its FutureWarning about LeafSpec and its notes on torchvision come with every export; what it makes is checked.
    Where it fails it logs and prints the graph so far, to standard error; the error that it raises says enough.
    """
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
