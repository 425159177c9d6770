"""Stage: trials together in one process, each on a stream of its own: how many end in a second, and with which bits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import Any, Final

from fbench.benchmark.machine.device import pick_device, synchronize
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.numerics import Precision
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.store.trial_result import TrialResult
from fbench.benchmark.training.trial import TrialContext, run_trial
from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import Measurement, NotHereError
from tests.gpu.contact.trials import data_of, numerics_of, patterned_images, trial_of
from tests.gpu.same_bits import same_bits

TOGETHER: Final = "fbench.benchmark.training.together"
NETWORKS: Final[tuple[tuple[str, Precision], ...]] = (("arch1", "bf16"), ("ires", "bf16"), ("arch1", "fp32"))
AT_A_TIME: Final = (1, 2, 4, 8)


def measurements(settings: Settings) -> Iterator[Measurement]:
    """First whether two together have the bits of each alone, then the time of each number of trials."""
    for network, precision in NETWORKS[: 1 if settings.small else None]:
        chosen = precision if settings.is_cuda else "fp32"
        name = f"{network} {chosen}"
        yield Measurement(f"{name} bits", partial(bits, network, chosen, settings))
        for number in AT_A_TIME[: 2 if settings.small else None]:
            yield Measurement(f"{name} {number}", partial(timed, network, chosen, number, settings))


def bits(network: str, precision: Precision, settings: Settings) -> Mapping[str, Any]:
    """Whether trials that are trained together come to what each comes to alone, bit for bit."""
    images, specs = patterned_images(_images(settings)), trials(network, precision, 2, settings)
    context = TrialContext(pick_device(settings.device))
    together = run_together()(specs, images, context).results
    alone = [run_trial(spec, images, context) for spec in specs]
    return {"equal": len(together) == 2 and all(map(_same, together, alone)), "ended_together": len(together)}


def timed(network: str, precision: Precision, number: int, settings: Settings) -> Mapping[str, Any]:
    """Seconds of so many trials together, and microseconds of a step of one of them; the preparation of a trial, with
    its recording, counts in the first alone."""
    images, specs = patterned_images(_images(settings)), trials(network, precision, number, settings)
    device = pick_device(settings.device)
    run = run_together()
    synchronize(device)
    started = time.perf_counter()
    found = run(specs, images, TrialContext(device, concurrent_trials=number))
    synchronize(device)
    took_s = time.perf_counter() - started
    times = [result.record.times for result in found.results if result.record.times is not None]
    steps = sum(result.record.steps_done or 0 for result in found.results)
    longest_s = max((one.train_time_s for one in times), default=0.0)
    return {
        "took_s": took_s,
        "train_time_s": longest_s,
        "us_a_step_of_all": 1e6 * longest_s / steps if steps else 0.0,
        "trials": len(found.results),
        "left": len(found.left),
        "failed": [result.record.failure_reason for result in found.results if result.record.failure_reason],
    }


def trials(network: str, precision: Precision, number: int, settings: Settings) -> Sequence[TrialSpec]:
    """Trials of one network with different seeds."""
    numerics, data = numerics_of(settings, precision), data_of(patterned_images(_images(settings)))
    budget = Budget(epochs=1 if settings.small else 8, batch_size=16 if settings.small else 128)
    return [trial_of(network, data, numerics, budget, seed=seed) for seed in range(number)]


def run_together() -> Callable[..., Any]:
    """What trains several trials in one process.

    Raises:
        NotHereError: this fbench has it not.
    """
    try:
        found: Callable[..., Any] = import_module(TOGETHER).run_together
    except (ImportError, AttributeError) as error:
        raise NotHereError(f"fbench trains no trials together yet ({error})") from error
    return found


def _same(one: TrialResult, other: TrialResult) -> bool:
    return one.weights is not None and other.weights is not None and same_bits(one, other)


def _images(settings: Settings) -> int:
    return 64 if settings.small else 6400
