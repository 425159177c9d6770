"""How long the trials of searches may take, and which of them may still begin in the time that there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fbench.benchmark.records.budget import plan_steps
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.runs.executors import TrialLimits
from fbench.benchmark.runs.network_tasks import NetworkTasks
from fbench.benchmark.runs.stopping import Stopping
from fbench.benchmark.runs.time_budget import refuse_short_budget, seconds_left, trial_limits
from fbench.benchmark.store.run_folder import RunFolder

if TYPE_CHECKING:
    import torch


class SearchLimits:
    """The limits of the trials of a rung. A network is timed once, as trials of all rungs and candidates take equally
    long a step.

    Args:
        folder: the trials are kept there, and their checkpoints.
        device: they are trained on it.
        networks: times them.
        timeout_s: the seconds that each may take; none: a multiple of its estimate.
        stopping: knows when time is over.
    """

    def __init__(
        self,
        folder: RunFolder,
        device: torch.device,
        networks: NetworkTasks,
        timeout_s: float | None,
        stopping: Stopping,
    ) -> None:
        self._folder, self._device, self._networks = folder, device, networks
        self._timeout_s, self._stopping = timeout_s, stopping
        self._step_s: dict[tuple[str, str], float] = {}

    def __call__(self, specs: Sequence[TrialSpec]) -> TrialLimits:
        """The limits of these trials.

        Raises:
            UserError: not one trial has begun, and there is no time for the shortest.
        """
        is_first = not self._step_s
        self._time({_timed_as(spec): spec for spec in specs if _timed_as(spec) not in self._step_s})
        trials_s = {spec.trial_id: self._step_s[_timed_as(spec)] * _steps(spec) for spec in specs}
        has_end = self._stopping.time_budget_s is not None
        left_s = seconds_left(self._folder, specs, trials_s) if has_end else trials_s
        if is_first:
            refuse_short_budget(left_s, self._stopping)
        return trial_limits(trials_s, left_s, self._timeout_s, self._stopping)

    def _time(self, specs: dict[tuple[str, str], TrialSpec]) -> None:
        trials_s = self._networks.estimate_trials_s(list(specs.values()), self._device)
        self._step_s |= {key: trials_s[spec.trial_id] / _steps(spec) for key, spec in specs.items()}


def _timed_as(spec: TrialSpec) -> tuple[str, str]:
    return spec.network.digest, spec.data.fingerprint


def _steps(spec: TrialSpec) -> int:
    return plan_steps(spec.protocol, spec.budget, spec.data.images_by_split["train"]).steps
