"""Maps on which one way to compute fused batch normalisation is held to another.

    TRITON_INTERPRET=1 python -m tests.benchmark.training.fused_batch_norm.cases

prints how far Triton's kernels, interpreted on the CPU, are from the eager arithmetic, as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from typing import Final

import torch

from fbench.benchmark.training.fused_batch_norm.arithmetic import (
    Activation,
    Arithmetic,
    RunningStatistics,
    normalise_and_activate,
)
from fbench.benchmark.training.fused_batch_norm.eager import EagerArithmetic
from fbench.benchmark.training.fused_batch_norm.with_triton import TritonArithmetic

RESULTS: Final = ("output", "of_input", "of_weight", "of_bias", "running_mean", "running_variance")


@dataclass(frozen=True)
class Case:
    """Maps of a shape and type about a mean, and the activation after them."""

    shape: tuple[int, int, int, int]
    activation: Activation
    dtype: str = "float32"
    mean: float = 1.0


CASES: Final = (  # with few values at the corner of relu, to whose sides sums of another order may take one
    *(Case((4, 5, 7, 9), activation, dtype) for activation in ("none", "relu", "hard_swish") for dtype in
      ("float32", "bfloat16")),
    Case((6, 16, 12, 12), "none", mean=1000.0),  # far from zero
    Case((3, 100, 6, 6), "hard_swish"),  # two groups of channels, the second not full
    Case((20, 3, 33, 33), "hard_swish"),  # several parts, the last not full
    Case((5, 64, 60, 61), "none", "bfloat16"),  # parts of two tiles
    Case((2, 1, 1, 1), "none"),  # the smallest
    Case((3, 33, 1, 1), "hard_swish"),
)  # fmt: skip


NO_NUMBERS: Final = tuple(Case((2, 3, 4, 4), kind, mean=float("nan")) for kind in ("none", "relu", "hard_swish"))


def computed(arithmetic: Arithmetic, case: Case, device: torch.device) -> dict[str, torch.Tensor]:
    """What comes of a case: the activated maps, all gradients, and the running statistics."""
    generator = torch.Generator().manual_seed(0)
    dtype, channels = getattr(torch, case.dtype), case.shape[1]
    maps = (torch.randn(case.shape, generator=generator) * 2 + case.mean).to(device, dtype)
    maps = maps.contiguous(memory_format=torch.channels_last).requires_grad_()
    weight = (torch.rand(channels, generator=generator) + 0.5).to(device).requires_grad_()
    bias = torch.randn(channels, generator=generator).to(device).requires_grad_()
    mean, variance = torch.zeros(channels, device=device), torch.ones(channels, device=device)
    running = RunningStatistics(mean, variance, 0.1)
    output = normalise_and_activate(arithmetic, maps, weight, bias, running, 1e-5, case.activation)
    output.backward(torch.randn(case.shape, generator=generator).to(device, dtype))
    found = (output.detach(), maps.grad, weight.grad, bias.grad, mean, variance)
    return {name: value for name, value in zip(RESULTS, found, strict=True) if value is not None}


def differences(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> dict[str, float]:
    """The largest difference of each result, in units of the largest value of the other where that is above one."""
    found = {}
    for name in RESULTS:
        values, expected = one[name].double(), other[name].double()
        found[name] = float((values - expected).abs().max() / expected.abs().max().clamp_min(1.0))
    return found


def allowed(case: Case, name: str) -> float:
    """How far a result may be off: sums in another order, and one rounding of bf16."""
    rounded = case.dtype == "bfloat16" and name in ("output", "of_input")
    return 2**-7 if rounded else 2e-6 * max(1.0, case.mean / 10)


def beyond(off: dict[str, float], case: Case) -> dict[str, float]:
    """The differences that are larger than allowed, or no number."""
    return {name: value for name, value in off.items() if not value <= 2 * allowed(case, name)}


def main() -> None:
    """Print what the module says."""
    here, rows = torch.device("cpu"), []
    for case in CASES:
        found, again = (computed(TritonArithmetic(), case, here) for _ in range(2))
        same = all(torch.equal(found[name], again[name]) for name in RESULTS)
        off = differences(found, computed(EagerArithmetic(), case, here))
        rows.append({"case": asdict(case), "off": off, "same_again": same})
    nowhere = [computed(TritonArithmetic(), case, here)["output"] for case in NO_NUMBERS]
    json.dump({"rows": rows, "no_number_stays_none": all(bool(one.isnan().all()) for one in nowhere)}, sys.stdout)


if __name__ == "__main__":
    main()
