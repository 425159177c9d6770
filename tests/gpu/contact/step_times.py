"""Stage: how long a training step of four networks takes, with one factor changed at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from functools import partial
from importlib.util import find_spec
from typing import Any, Final

import torch

from fbench.benchmark.machine.device import numerics_in_force, pick_device
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.protocol_library import load_protocol
from tests.gpu.contact.factors import Factor, factors
from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import Measurement, NotHereError
from tests.gpu.contact.steps import step_of
from tests.gpu.contact.timing import seconds_of
from tests.gpu.contact.trials import numerics_of

NETWORKS: Final = ("arch1", "ires", "mini_xception", "resnet50")
REPEATS: Final = 5


def measurements(settings: Settings) -> Iterator[Measurement]:
    """Each factor for each network, networks within factors, so that what is cut off is the last factors."""
    for factor in factors():
        for network in NETWORKS[: 1 if settings.small else None]:
            yield Measurement(f"{network} {factor.name}", partial(step_time, network, factor, settings))


def step_time(network: str, factor: Factor, settings: Settings) -> Mapping[str, Any]:
    """Microseconds of a step on a batch that stays: the median and the ends of a few rounds."""
    numerics = changed(numerics_of(settings, "fp32"), factor)
    if numerics.precision == "tf32" and not settings.is_cuda:
        raise NotHereError("tf32 exists on CUDA alone")
    if numerics.fused_batch_norm == "triton" and find_spec("triton") is None:
        raise NotHereError("Triton is not installed")
    batch = 8 if settings.small else load_protocol("fbench").batch_size
    device, times = pick_device(settings.device), 2 if settings.small else 50
    with numerics_in_force(numerics, device), factor.in_force():
        before = _reset_memory(device)
        step = step_of(network, numerics, batch, device)
        rounds = sorted(1e6 * seconds_of(step, times, device) for _ in range(1 if settings.small else REPEATS))
        peak = torch.cuda.max_memory_allocated(device) - before if device.type == "cuda" else 0
    return {
        "step_us": rounds[len(rounds) // 2],
        "least_us": rounds[0],
        "most_us": rounds[-1],
        "images_per_s": batch / rounds[len(rounds) // 2] * 1e6,
        "peak_memory_mib": peak / 2**20,
        "batch": batch,
        "factor": asdict(factor),
    }


def _reset_memory(device: torch.device) -> int:
    """Bytes that are allocated on a device now; the highest number is counted from here."""
    if device.type != "cuda":
        return 0
    torch.cuda.reset_peak_memory_stats(device)
    return torch.cuda.memory_allocated(device)


def changed(numerics: Numerics, factor: Factor) -> Numerics:
    """Numerics with a factor's changes.

    Raises:
        NotHereError: numerics have no such field.
    """
    for name in factor.numerics:
        if name not in type(numerics).model_fields:
            raise NotHereError(f"numerics have no field {name}")
    return type(numerics).model_validate(numerics.model_dump() | dict(factor.numerics))
