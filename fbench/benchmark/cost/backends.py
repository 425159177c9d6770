"""From a setting to the call that is timed: PyTorch eager, compiled, or recorded as a CUDA graph, or ONNX Runtime."""

from __future__ import annotations

import torch

from fbench.architectures.registry import build
from fbench.benchmark.cost.calls import Call, inference_call, training_call
from fbench.benchmark.cost.onnx_calls import onnx_call
from fbench.benchmark.records.cost_specs import ONNX_BACKENDS, Backend, CostMode, Setting
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.specs import NetworkSpec
from fbench.core.errors import UserError


def backend_of(numerics: Numerics) -> Backend:
    """What runs the training steps of these numerics."""
    return "cuda_graph" if numerics.cuda_graph else "compile" if numerics.compile else "eager"


def make_call(
    network: NetworkSpec,
    mode: CostMode,
    backend: Backend,
    batch_size: int,
    numerics: Numerics,
    device: torch.device,
    seed: int = 0,
) -> Call:
    """Build ``network`` anew and return one call of it; initial weights follow from ``seed``.

    Raises:
        UserError: the backend does not exist on this device.
        Exception: whatever building, compiling or recording the network raises.
    """
    refuse_impossible(Setting(mode=mode, batch_size=batch_size, backend=backend), numerics)
    if backend in ONNX_BACKENDS:
        return onnx_call(network, batch_size, numerics, seed, int8=backend == "onnxruntime_int8")
    torch.manual_seed(seed)
    chosen = numerics.model_copy(update={"compile": backend == "compile", "cuda_graph": backend == "cuda_graph"})
    if mode == "inference":
        return inference_call(build(network.resolved), network.input_shape, batch_size, chosen, device)
    return training_call(network, batch_size, chosen, device)


def refuse_impossible(setting: Setting, numerics: Numerics) -> None:
    """Hold that the backend can do what the setting asks for, in this arithmetic on this kind of device.

    Raises:
        UserError: it cannot.
    """
    backend, device_kind = setting.backend, numerics.device_kind
    if backend == "cuda_graph" and device_kind != "cuda":
        raise UserError(f"Backend cuda_graph was given, which exists on CUDA only; on {device_kind} use eager.")
    if backend not in ONNX_BACKENDS:
        return
    if setting.mode == "train":
        raise UserError(f"Backend {backend} was given for training, and it does inference only; use eager or compile.")
    if device_kind != "cpu":
        raise UserError(
            f"Backend {backend} was given on {device_kind}, and fbench times it on a CPU; give --device cpu."
        )
    if numerics.precision != "fp32":
        raise UserError(f"Backend {backend} was given with {numerics.precision}, and it computes in fp32 or int8.")
