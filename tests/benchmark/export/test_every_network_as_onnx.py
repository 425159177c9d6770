"""Every registered architecture as ONNX, against PyTorch; most of the time is that of PyTorch's exporter."""

from __future__ import annotations

import pytest
import torch
from networks_by_builder import by_builder

from fbench.architectures.registry import create, list_architectures
from fbench.benchmark.export.onnx_file import onnx_bytes
from fbench.benchmark.export.onnx_session import open_session, require_equal

INPUT = (1, 48, 48)
COSTLY = ("arch", "ires", "mini_xception", "resnet50", "simple_cnn")
"""LeNet and simpler_CNN, which has batch normalisation, export within a second."""


@pytest.mark.parametrize("name", by_builder(list_architectures(), costly=COSTLY))
def test_it_exports_and_computes_the_same_for_any_batch(name: str) -> None:
    torch.manual_seed(0)
    network = create(name)
    network.train()(torch.randn(8, *INPUT))  # so that running moments are not the 0 and 1 they start as
    model = open_session(onnx_bytes(network, INPUT), threads=1)
    require_equal(network, model, INPUT, batch_size=3)
