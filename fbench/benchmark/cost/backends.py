"""From a setting to the call that is timed: PyTorch eager, compiled, or recorded as a CUDA graph."""

from __future__ import annotations

import torch

from fbench.architectures.errors import UserError
from fbench.architectures.registry import build
from fbench.benchmark.cost.calls import Call, inference_call, training_call
from fbench.benchmark.cost_specs import Backend, CostMode, Setting
from fbench.benchmark.numerics import Numerics
from fbench.benchmark.specs import NetworkSpec


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
    refuse_impossible(Setting(mode=mode, batch_size=batch_size, backend=backend), device)
    torch.manual_seed(seed)
    chosen = numerics.model_copy(update={"compile": backend == "compile", "cuda_graph": backend == "cuda_graph"})
    if mode == "inference":
        return inference_call(build(network.resolved), network.input_shape, batch_size, chosen, device)
    return training_call(network, batch_size, chosen, device)


def refuse_impossible(setting: Setting, device: torch.device) -> None:
    """Nothing, where the backend can do what the setting asks for on this device.

    Raises:
        UserError: it cannot.
    """
    if setting.backend == "cuda_graph" and device.type != "cuda":
        raise UserError(f"Backend cuda_graph was given, which exists on CUDA only; on {device.type} use eager.")
