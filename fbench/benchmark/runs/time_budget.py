"""What a run may still begin in the time that it has, and how long each trial may take."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Final

from fbench.benchmark.records.budget import plan_steps
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.runs.executors import TrialLimits
from fbench.benchmark.runs.stopping import STOP_S, Stopping
from fbench.benchmark.store.run_folder import RunFolder
from fbench.core.errors import UserError

SAFETY: Final = 1.25
"""An estimate times this is what there must be time for: it rests on a few timed steps."""
LEAST_LIMIT_S: Final = 1800.0
ESTIMATES_IN_A_LIMIT: Final = 20.0


def trial_limits(
    trials_s: Mapping[str, float], left_s: Mapping[str, float], timeout_s: float | None, stopping: Stopping
) -> TrialLimits:
    """What trials may take: as long as asked, else so much longer than their estimate that no machine is that busy; and
    none begins that would not end in time.

    Args:
        trials_s: estimated seconds of each trial by its id.
        left_s: as :func:`seconds_left`.
        timeout_s: what is asked for.
        stopping: knows when time is over.
    """
    timeouts_s = {
        trial_id: max(LEAST_LIMIT_S, ESTIMATES_IN_A_LIMIT * seconds) if timeout_s is None else timeout_s
        for trial_id, seconds in trials_s.items()
    }
    return TrialLimits(timeouts_s, lambda trial_id: SAFETY * left_s[trial_id] <= stopping.time_left_s)


def seconds_left(folder: RunFolder, specs: Sequence[TrialSpec], trials_s: Mapping[str, float]) -> dict[str, float]:
    """Estimated seconds that each trial has still before it, from its checkpoint where it has one."""
    from fbench.benchmark.training.checkpoints import steps_done

    found = {}
    for spec in specs:
        steps = plan_steps(spec.protocol, spec.budget, spec.data.images_by_split["train"]).steps
        done = steps_done(folder.files / "checkpoints" / f"{spec.trial_id}.safetensors")
        found[spec.trial_id] = trials_s[spec.trial_id] * max(0.0, 1 - done / steps)
    return found


def refuse_short_budget(left_s: Mapping[str, float], stopping: Stopping) -> None:
    """See that there is time for one trial at least, where there is one to be run.

    Raises:
        UserError: even the shortest takes longer.
    """
    if stopping.time_budget_s is None or not left_s:
        return
    shortest_s = SAFETY * min(left_s.values())
    if shortest_s > stopping.time_left_s:
        needed_s = shortest_s + STOP_S + stopping.spent_s
        raise UserError(
            f"--time-budget: of {stopping.time_budget_s:.0f} s, {stopping.time_left_s:.0f} s are left for trials, and "
            f"the shortest that is still to run takes {shortest_s:.0f} s; give at least {math.ceil(needed_s) + 1} s."
        )
