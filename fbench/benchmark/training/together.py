"""Several trials at a time in one process, on one CUDA device, each on a stream of its own: a step of one, then one of
the next."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Self

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.machine.allocator import freed_memory_kept
from fbench.benchmark.machine.determinism import nondeterministic_operations
from fbench.benchmark.machine.device import numerics_in_force
from fbench.benchmark.machine.streams import OwnPlace, own_place
from fbench.benchmark.records.events import Listen, ignore
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.store.trial_result import TrialResult
from fbench.benchmark.training.checkpoints import CheckpointPlace
from fbench.benchmark.training.failures import TrialFailure
from fbench.benchmark.training.loop import DivergedError
from fbench.benchmark.training.trial import TrialContext, TrialCourse
from fbench.core.errors import StoppedError


@dataclass(frozen=True)
class TrainedTogether:
    """What came of trials that ran together.

    Attributes:
        results: of those that ended, in that order.
        left: those that did not, to go on alone from their checkpoints; none where all ended.
        failure: why they are left; none where they were asked to stop, or none is left.
    """

    results: tuple[TrialResult, ...]
    left: tuple[TrialSpec, ...] = ()
    failure: TrialFailure | None = None


class Lane:
    """One of several trials, with its place."""

    def __init__(self, course: TrialCourse, place: OwnPlace) -> None:
        self.spec, self._course, self._place = course.spec, course, place
        self._steps = course.steps()

    @classmethod
    def of(cls, spec: TrialSpec, dataset: ImageDataset, context: TrialContext, listen: Listen = ignore) -> Self:
        """A trial that begins with its first step, in a place of its own."""
        return cls(TrialCourse(spec, dataset, context, listen), own_place(context.device))

    def step(self) -> TrialResult | None:
        """Take the next step; the result where that was the last."""
        with self._place.entered(), nondeterministic_operations(self._course.without_deterministic_algorithm):
            try:
                next(self._steps)
            except StopIteration as ended:
                result: TrialResult = ended.value
                return result
            except DivergedError as error:
                return self._course.diverged(error)
        return None


def run_together(
    specs: Sequence[TrialSpec],
    dataset: ImageDataset,
    context: TrialContext,
    listen: Listen = ignore,
    *,
    place_of: Callable[[TrialSpec], CheckpointPlace | None] = lambda spec: None,
    ended: Callable[[TrialResult], None] = lambda result: None,
) -> TrainedTogether:
    """Train several networks at a time, each with the draws that it would have alone.

    A trial whose loss is no number fails by itself. After any other error none of them is trained on here, as what a
    device says may be about another's work, and its memory may carry one where it does not carry all. Networks of users
    are not for this: they share a process.

    On another device, which has no streams, steps are taken in turn all the same.

    Args:
        specs: trials of equal numerics and data.
        dataset: their data.
        context: where they run; ``place_of`` has the checkpoints.
        listen: is told when each starts, of its steps, its evaluations and its checkpoints.
        place_of: where checkpoints of a trial are.
        ended: is told of each result as soon as it is there.

    Raises:
        KeyboardInterrupt: as it is.
    """
    at_a_time = context.concurrent_trials * len(specs)
    waiting, lanes, stopped = deque(specs), deque[Lane](), list[TrialSpec]()
    results: list[TrialResult] = []

    def begin() -> None:
        spec = waiting[0]
        here = replace(context, concurrent_trials=at_a_time, checkpoints=place_of(spec))
        lanes.append(Lane.of(spec, dataset, here, listen))
        waiting.popleft()

    def step() -> TrialResult | None:
        try:
            result = lanes[0].step()
        except StoppedError:
            stopped.append(lanes.popleft().spec)
            return None
        lanes.rotate(-1)
        return result

    with freed_memory_kept(), numerics_in_force(specs[0].numerics, context.device):
        while waiting or lanes:
            result = None
            try:
                if waiting and context.asks_to_stop():
                    stopped.append(waiting.popleft())
                elif waiting:
                    begin()
                else:
                    result = step()
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # SystemExit too, as of a trial alone
                left = (*stopped, *(lane.spec for lane in lanes), *waiting)
                return TrainedTogether(tuple(results), left, TrialFailure.of(error))
            if result is not None:
                lanes.pop()
                results.append(result)
                ended(result)
    return TrainedTogether(tuple(results), tuple(stopped))
