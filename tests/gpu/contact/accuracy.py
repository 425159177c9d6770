"""Stage: does a network learn on this device what it learns on a processor?"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from fbench.benchmark.machine.device import pick_device
from fbench.benchmark.records.numerics import Precision
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.training.trial import TrialContext, run_trial
from tests.gpu.contact.faces import images_of
from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import Measurement, NotHereError
from tests.gpu.contact.trials import numerics_of, precisions_of

REFERENCE: Final = Path(__file__).parents[3] / "results" / "fer2013-standard"
"""Trainings of six epochs on a processor, ten seeds each."""
NETWORK: Final = "ires"
SEEDS: Final = 3


def measurements(settings: Settings) -> Iterator[Measurement]:
    """The same trials in each precision."""
    for precision in reversed(precisions_of(settings)):
        yield Measurement(f"{NETWORK} {precision}", partial(accuracy, precision, settings))


def accuracy(precision: Precision, settings: Settings) -> Mapping[str, Any]:
    """Top-1 on the validation split of some seeds, and of all seeds on the processor: mean and standard deviation.

    Raises:
        NotHereError: there are no faces, or others, or the reference is not there.
    """
    dataset, data = images_of(settings)
    reference = reference_trials()
    if dataset.fingerprint != reference[0].spec.data.fingerprint:
        raise NotHereError("the images are not those of FER2013 that the reference was trained on")
    numerics, found = numerics_of(settings, precision), []
    for record in reference[: 1 if settings.small else SEEDS]:
        protocol = record.spec.protocol.model_copy(update={"test": "none"})
        spec = record.spec.model_copy(update={"numerics": numerics, "data": data, "protocol": protocol})
        result = run_trial(spec, dataset, TrialContext(pick_device(settings.device)))
        if result.record.validation is None:
            raise RuntimeError(f"{spec.label} failed: {result.record.failure_reason}\n{result.failure_details}")
        found.append(result.record.validation.top1)
    there = [record.validation.top1 for record in reference if record.validation is not None]
    mean, deviation = statistics.mean(there), statistics.stdev(there)
    error = (1 / len(found) + 1 / len(there)) ** 0.5  # of the difference of two means, in deviations
    return {
        "validation_top1": statistics.mean(found),
        "processor_top1": mean,
        "processor_deviation": deviation,
        "difference_in_errors": (statistics.mean(found) - mean) / (deviation * error),
        "of_seeds": found,
        "of_seeds_on_processor": there,
    }


@cache
def reference_trials() -> list[TrialRecord]:
    """The processor's trials of the network, by seed.

    Raises:
        NotHereError: there are none.
    """
    records = RunFolder(REFERENCE).trials().values() if REFERENCE.exists() else []
    found = [record for record in records if record.spec.network.name == NETWORK and record.status == "finished"]
    if len(found) < 2:
        raise NotHereError(f"there is no reference of {NETWORK} in {REFERENCE}")
    return sorted(found, key=lambda record: record.spec.seed)
