"""Stage: trainings together in one process, each on a stream of its own: which bits, and how many steps a second."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

from fbench.benchmark.machine.device import pick_device
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.numerics import Precision
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.store.trial_result import TrialResult
from fbench.benchmark.training.together import run_together
from fbench.benchmark.training.together_speed import measure_together
from fbench.benchmark.training.trial import TrialContext, run_trial
from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import Measurement
from tests.gpu.contact.trials import data_of, numerics_of, patterned_images, trial_of
from tests.gpu.same_bits import same_bits

DRAWING: Final[tuple[str, Precision]] = ("simple_cnn", "bf16")
"""Draws for dropout, so that generators of its own are tried."""
TIMED: Final[tuple[tuple[str, Precision], ...]] = (("arch1", "bf16"), ("ires", "bf16"), ("arch1", "fp32"))
AT_A_TIME: Final = (1, 2, 4, 8)
FEW, MANY = 2, 8
SECONDS: Final = 1.0
"""Of steps, of each number."""


def measurements(settings: Settings) -> Iterator[Measurement]:
    """What decides most first, as each training has to be recorded: whether two together have the bits of each alone,
    the speed of each number of trainings, and the bits of others and of more."""
    yield _bits(DRAWING, FEW, settings)
    for timed in TIMED[: 1 if settings.small else None]:
        for number in AT_A_TIME[: 2 if settings.small else None]:
            name, network, chosen = _named(timed, settings)
            yield Measurement(f"{name} {number}", partial(speed, network, chosen, number, settings))
        yield _bits(timed, FEW, settings)
    if not settings.small:
        yield _bits(DRAWING, MANY, settings)


def _bits(of: tuple[str, Precision], number: int, settings: Settings) -> Measurement:
    name, network, chosen = _named(of, settings)
    return Measurement(f"{name} bits of {number}", partial(bits, network, chosen, number, settings))


def _named(of: tuple[str, Precision], settings: Settings) -> tuple[str, str, Precision]:
    network, precision = of
    chosen: Precision = precision if settings.is_cuda else "fp32"
    return f"{network} {chosen}", network, chosen


def bits(network: str, precision: Precision, number: int, settings: Settings) -> Mapping[str, Any]:
    """Whether trials that are trained together come to what each comes to alone, bit for bit."""
    images, specs = patterned_images(_images(settings)), trials(network, precision, number, settings)
    context = TrialContext(pick_device(settings.device))
    found = run_together(specs, images, context)
    if found.failure is not None:
        raise RuntimeError(f"{found.failure.reason}\n{found.failure.details}")
    together = {result.record.trial_id: result for result in found.results}
    alone = [run_trial(spec, images, context) for spec in specs]
    equal = [one.record.trial_id in together and _same(together[one.record.trial_id], one) for one in alone]
    return {"equal": all(equal), "ended_together": len(together)}


def speed(network: str, precision: Precision, number: int, settings: Settings) -> Mapping[str, Any]:
    """Steps a second of so many trainings, all together."""
    images, (spec,) = patterned_images(_images(settings)), trials(network, precision, 1, settings)
    seconds = 0.01 if settings.small else SECONDS
    found = measure_together(spec, images, pick_device(settings.device), (number,), seconds)[number]
    return {"trainings": number, "steps_per_s": found, "us_a_step_of_all": 1e6 / found}


def trials(network: str, precision: Precision, number: int, settings: Settings) -> Sequence[TrialSpec]:
    """Trials of one network with different seeds."""
    numerics, data = numerics_of(settings, precision), data_of(patterned_images(_images(settings)))
    budget = Budget(epochs=1 if settings.small else 4, batch_size=16 if settings.small else 128)
    return [trial_of(network, data, numerics, budget, seed=seed) for seed in range(number)]


def _same(one: TrialResult, other: TrialResult) -> bool:
    return one.weights is not None and other.weights is not None and same_bits(one, other)


def _images(settings: Settings) -> int:
    return 64 if settings.small else 6400
