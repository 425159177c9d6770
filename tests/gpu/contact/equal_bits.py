"""Stage: does a training whose step is recorded have the bits of the eager one, and its own bits again?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

import torch

from fbench.benchmark.machine.device import pick_device
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.numerics import Numerics, Precision
from fbench.benchmark.store.trial_result import TrialResult
from fbench.benchmark.training.trial import TrialContext, run_trial
from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import Measurement
from tests.gpu.contact.trials import data_of, numerics_of, patterned_images, precisions_of, trial_of
from tests.gpu.same_bits import same_bits

NETWORKS: Final = ("arch1", "ires", "simple_cnn", "mini_xception")
"""ires has squeeze-and-excitation, simple_cnn dropout."""


def measurements(settings: Settings) -> Iterator[Measurement]:
    """Each network, in bf16 and fp32."""
    precisions: tuple[Precision, ...] = ("bf16", "fp32") if settings.is_cuda else precisions_of(settings)
    for network in NETWORKS[: 1 if settings.small else None]:
        for precision in precisions:
            yield Measurement(f"{network} {precision}", partial(equal_bits, network, precision, settings))


def equal_bits(network: str, precision: Precision, settings: Settings) -> Mapping[str, Any]:
    """Train three times from one seed: as a run does, again, and eagerly."""
    numerics = numerics_of(settings, precision)
    first, again = (_trained(network, numerics, settings) for _ in range(2))
    eager = _trained(network, numerics.eager(), settings)
    return {
        "again": same_bits(first, again),
        "eager": same_bits(first, eager),
        "furthest_weight_again": furthest(first, again),
        "furthest_weight_eager": furthest(first, eager),
        "recorded": numerics.cuda_graph,
        "steps": first.record.steps_done,
        "without_deterministic_algorithm": list(first.record.without_deterministic_algorithm),
    }


def furthest(one: TrialResult, other: TrialResult) -> float:
    """The largest difference of a weight, as a share of the largest weight."""
    pairs = [(value, (other.weights or {})[name]) for name, value in (one.weights or {}).items()]
    real = [(left.double(), right.double()) for left, right in pairs if left.is_floating_point() and left.numel()]
    most = max(float(left.abs().max()) for left, _ in real)
    return max(float((left - right).abs().max()) for left, right in real) / most


def _trained(network: str, numerics: Numerics, settings: Settings) -> TrialResult:
    images = patterned_images(64 if settings.small else 1280)
    budget = Budget(epochs=1 if settings.small else 2, batch_size=16 if settings.small else 128)
    spec = trial_of(network, data_of(images), numerics, budget)
    result = run_trial(spec, images, TrialContext(pick_device(settings.device)))
    if result.record.status != "finished" or result.weights is None:
        raise RuntimeError(f"{spec.label} failed: {result.record.failure_reason}\n{result.failure_details}")
    return TrialResult(
        result.record, result.history, weights={n: torch.as_tensor(v) for n, v in result.weights.items()}
    )
