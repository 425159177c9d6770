"""One inference in ONNX Runtime, in fp32 or int8, timed as the others are."""

from __future__ import annotations

import functools
import itertools

import torch

from fbench.architectures.registry import build
from fbench.benchmark.cost.calls import ROTATED_BATCHES, Call, Mark
from fbench.benchmark.export.int8 import quantise
from fbench.benchmark.export.onnx_file import onnx_bytes
from fbench.benchmark.export.onnx_session import open_session, require_equal
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.specs import NetworkSpec

KEPT_MODELS = 64
"""An export takes seconds, and a search for the best batch asks for it nine times."""

CALIBRATED_IMAGES = 32
"""Random ones: ranges decide what int8 answers, not how long it takes."""


def onnx_call(network: NetworkSpec, batch_size: int, numerics: Numerics, seed: int, *, int8: bool) -> Call:
    """A forward pass on random images float32 (N, C, H, W) on the CPU, with the threads of the numerics.

    Initial weights follow from ``seed``. Placing opens the model anew.

    Raises:
        ExportError: the network cannot be exported, or does not compute the same.
        UserError: the packages of the extra ``onnx`` are not installed.
    """
    generator, threads = torch.Generator().manual_seed(0), numerics.threads_per_trial
    images = [
        torch.randn(batch_size, *network.input_shape, generator=generator).numpy() for _ in range(ROTATED_BATCHES)
    ]
    model = _model(network.model_dump_json(), seed, int8)
    session = open_session(model, threads)
    turns = itertools.cycle(range(ROTATED_BATCHES))

    def run(mark: Mark) -> None:
        session.logits(images[next(turns)])

    def place() -> None:
        nonlocal session
        session = open_session(model, threads)
        images[:] = [batch.copy() for batch in images]

    return Call(lambda: None, run, place)


@functools.lru_cache(maxsize=KEPT_MODELS)
def _model(network_json: str, seed: int, int8: bool) -> bytes:
    """The exported network, held against PyTorch's before it is timed or quantised; the same for every batch size."""
    network = NetworkSpec.model_validate_json(network_json)
    shape = network.input_shape
    if int8:
        generator = torch.Generator().manual_seed(0)
        calibration = torch.randn(CALIBRATED_IMAGES, *shape, generator=generator).numpy()
        return quantise(_model(network_json, seed, False), [calibration])
    torch.manual_seed(seed)
    module = build(network.resolved)
    model = onnx_bytes(module, shape)
    require_equal(module, open_session(model, 1), shape)
    return model
