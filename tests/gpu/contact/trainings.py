"""Stage: whole trainings, as a run has them: their time, accuracy, and share of the memory roofline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

import torch

from fbench.benchmark.machine.device import numerics_in_force, pick_device
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.numerics import Precision
from fbench.benchmark.training.trial import TrialContext, run_trial
from tests.calibration.accelerator import bytes_of_step, copy_bytes_per_s
from tests.gpu.contact.faces import images_of
from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import Measurement
from tests.gpu.contact.trials import numerics_of, precisions_of, trial_of

EPOCHS: Final = 100
TRAINED: Final[tuple[tuple[str, Precision], ...]] = (("arch1", "bf16"), ("ires", "bf16"), ("arch1", "fp32"))


def trained(settings: Settings) -> tuple[tuple[str, Precision], ...]:
    """Networks and their precisions, as far as they exist on the device."""
    if settings.is_cuda:
        return TRAINED
    return tuple(dict.fromkeys((network, precisions_of(settings)[0]) for network, _ in TRAINED))


def measurements(settings: Settings) -> Iterator[Measurement]:
    """Each training of 100 epochs."""
    for network, precision in trained(settings)[: 1 if settings.small else None]:
        yield Measurement(f"{network} {precision}", partial(training, network, precision, settings))


def training(network: str, precision: Precision, settings: Settings) -> Mapping[str, Any]:
    """Seconds in all and in steps, images a second, accuracy on the validation split, and the share of the roofline:
    bytes that an eager step moves by the time that this one took, beside a copy within the device.

    Raises:
        RuntimeError: the trial failed.
    """
    device, numerics = pick_device(settings.device), numerics_of(settings, precision)
    dataset, data = images_of(settings)
    spec = trial_of(network, data, numerics, Budget(epochs=1 if settings.small else EPOCHS))
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    result = run_trial(spec, dataset, TrialContext(device))
    record = result.record
    if record.times is None or record.steps_done is None or record.validation is None:
        raise RuntimeError(f"{spec.label} failed: {record.failure_reason}\n{result.failure_details}")
    peak_mib = torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else 0.0
    with numerics_in_force(numerics, device):
        moved = bytes_of_step(network, spec.protocol, numerics, device)
        roofline = copy_bytes_per_s(device, 2**24 if settings.small else 2**30)
    step_s = record.times.step_time_s / record.steps_done
    return {
        "total_time_s": record.times.total_time_s,
        "train_time_s": record.times.train_time_s,
        "step_us": 1e6 * step_s,
        "data_us": 1e6 * record.times.data_time_s / record.steps_done,
        "images_per_s": (record.images_seen or 0) / record.times.train_time_s,
        "validation_top1": record.validation.top1,
        "roofline_percent": 100 * moved / step_s / roofline,
        "step_moves_mb": moved / 1e6,
        "evaluation_time_s": record.times.evaluation_time_s,
        "highest_memory_mib": peak_mib,
        "steps": record.steps_done,
        "epochs": spec.budget.epochs,
        "without_deterministic_algorithm": list(record.without_deterministic_algorithm),
        "history": [[row.epoch, row.train_loss, row.validation_top1] for row in result.history],
    }
