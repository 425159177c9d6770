"""One inference in ONNX Runtime, in fp32 or int8, timed as the others are."""

from __future__ import annotations

import itertools

import torch

from fbench.architectures.registry import build
from fbench.benchmark.cost.calls import ROTATED_BATCHES, Call, Mark
from fbench.benchmark.export.int8 import quantise
from fbench.benchmark.export.onnx_file import onnx_bytes
from fbench.benchmark.export.onnx_session import open_session, require_equal
from fbench.benchmark.numerics import Numerics
from fbench.benchmark.specs import NetworkSpec

CALIBRATED_IMAGES = 32
"""Random ones: ranges decide what int8 answers, not how long it takes."""


def onnx_call(network: NetworkSpec, batch_size: int, numerics: Numerics, *, int8: bool) -> Call:
    """A forward pass on random images float32 (N, C, H, W) on the CPU, with the threads of the numerics.

    The exported network is held against PyTorch's before it is timed, and before it is quantised. Placing opens the
    model anew.

    Raises:
        ExportError: the network cannot be exported, or does not compute the same.
        UserError: the packages of the extra ``onnx`` are not installed.
    """
    module, shape = build(network.resolved), network.input_shape
    generator = torch.Generator().manual_seed(0)
    images = [torch.randn(batch_size, *shape, generator=generator).numpy() for _ in range(ROTATED_BATCHES)]
    threads = numerics.threads_per_trial
    model = onnx_bytes(module, shape)
    session = open_session(model, threads)
    require_equal(module, session, shape)
    if int8:
        model = quantise(model, [torch.randn(CALIBRATED_IMAGES, *shape, generator=generator).numpy()])
        session = open_session(model, threads)
    turns = itertools.cycle(range(ROTATED_BATCHES))

    def run(mark: Mark) -> None:
        session.logits(images[next(turns)])

    def place() -> None:
        nonlocal session
        session = open_session(model, threads)
        images[:] = [batch.copy() for batch in images]

    return Call(lambda: None, run, place)
