"""Trials as tasks of worker processes, alone or several together, and the results that come of what workers say."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress

from fbench.benchmark.records.events import Event
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.runs.executors import TrialLimits, WorkerContext
from fbench.benchmark.runs.together_task import ended_trial, left_because, together_task
from fbench.benchmark.runs.training_task import event_of, result_of, result_of_outcome, training_task
from fbench.benchmark.runs.trial_groups import groups_of
from fbench.benchmark.store.trial_result import TrialResult
from fbench.benchmark.workers.messages import Task
from fbench.benchmark.workers.supervisor import Outcome
from fbench.core.errors import UserError

_log = logging.getLogger(__name__)


class TrialTasks:
    """What is to be done for trials, and who is in which task.

    Attributes:
        first: the tasks to begin with, in the order of their first trials.
    """

    def __init__(
        self, specs: Sequence[TrialSpec], context: WorkerContext, limits: TrialLimits, together: int = 1
    ) -> None:
        self._context, self._limits = context, limits
        self._alone = {
            spec.trial_id: training_task(spec, context, limits.timeouts_s.get(spec.trial_id)) for spec in specs
        }
        self._specs = {spec.trial_id: spec for spec in specs}
        self._members: dict[str, tuple[str, ...]] = {trial_id: (trial_id,) for trial_id in self._specs}
        self._retries_left = dict.fromkeys(self._specs, context.retries)
        self._told: list[TrialResult] = []
        self._ended: set[str] = set()
        self.first = [self._task_of(group) for group in groups_of(specs, together)]

    def may_begin(self, task: Task) -> bool:
        """Whether there is time enough for a task, of trials together for each of them."""
        return all(self._limits.may_begin(trial_id) for trial_id in self._members[task.name])

    def heard(self, task: Task, value: object) -> Event | None:
        """What a worker told of the trials in its hand, where that is an event of one; a result is kept."""
        members = self._members[task.name]
        if (found := ended_trial(value, members)) is None:
            return event_of(members, value, self._context.scratch)
        trial_id, answer = found
        with suppress(UserError, ValueError, KeyError, TypeError):  # else it is trained again, alone
            self._told.append(result_of(answer, trial_id, self._context.scratch))
            self._ended.add(trial_id)
        return None

    def results(self, outcome: Outcome) -> tuple[list[TrialResult], list[Task]]:
        """The results of a task that has ended, and what is to be done now: a trial again that failed in a way that may
        pass, and alone what another's error has left.

        Raises:
            UserError: the disk refuses.
        """
        task, failure = outcome.task, outcome.failure
        if task.name not in self._specs:
            if failure is not None and failure.by_user:
                raise UserError(failure.reason)
            left = [trial_id for trial_id in self._members[task.name] if trial_id not in self._ended]
            if left:
                reason = left_because(outcome.value) if failure is None else failure.reason
                _log.warning("%d trials that ran together go on alone: %s", len(left), reason)
            return [], [self._alone[trial_id] for trial_id in left]
        result = result_of_outcome(outcome, self._specs[task.name], self._context.scratch)
        if result.may_pass and self._retries_left[task.name] > 0:
            self._retries_left[task.name] -= 1
            return [], [task]
        return [result], []

    def told(self) -> Iterator[TrialResult]:
        """The results, each once, of trials that have ended while others of their task may go on."""
        while self._told:
            yield self._told.pop(0)

    def _task_of(self, group: Sequence[TrialSpec]) -> Task:
        if len(group) == 1:
            return self._alone[group[0].trial_id]
        task = together_task(group, self._context, self._limits)
        self._members[task.name] = tuple(spec.trial_id for spec in group)
        return task
