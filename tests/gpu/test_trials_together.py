"""Several trainings in one process, each on a stream of its own, have the bits that each has alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.machine import cuda_graph
from fbench.benchmark.records.events import Checkpointed, Event
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.training import step, trial
from fbench.benchmark.training.checkpoints import CheckpointPlace
from fbench.benchmark.training.loop import DivergedError
from fbench.benchmark.training.together import TrainedTogether, run_together
from fbench.benchmark.training.together_speed import fastest_number, measure_together
from fbench.benchmark.training.trial import TrialContext
from tests.gpu.pretended import DEVICE, pretended_cuda
from tests.gpu.test_recorded_steps import MIXUP, SGD, same_bits
from tests.gpu.training import cuda_spec, eager, trained

CONTEXT = TrialContext(DEVICE)


def three(dataset: ImageDataset, **changes: Any) -> list[TrialSpec]:
    """Trials that draw for dropout, of two seeds and two networks."""
    options = {"dropout": 0.4}
    first = cuda_spec(dataset, options=options, **changes)
    other = cuda_spec(dataset, "mini_xception", options={}, **changes)
    return [first, first.model_copy(update={"seed": 1}), other]


def run(specs: list[TrialSpec], dataset: ImageDataset, **given: Any) -> TrainedTogether:
    with pretended_cuda():
        return run_together(specs, dataset, CONTEXT, **given)


@pytest.mark.parametrize(
    "changes",
    [{}, {"optimizer": SGD, "ema_decay": 0.95}, {"augmentation": MIXUP}],
    ids=["adamw", "momentum and average", "mixup"],
)
@pytest.mark.parametrize("is_recorded", [True, False], ids=["recorded", "eager"])
def test_together_each_has_the_bits_that_it_has_alone(
    stripes: ImageDataset, changes: dict[str, Any], is_recorded: bool
) -> None:
    specs = [spec if is_recorded else eager(spec) for spec in three(stripes, **changes)]
    found = run(specs, stripes)
    assert found.left == ()
    alone = {spec.trial_id: trained(spec, stripes) for spec in specs}
    assert {one.record.trial_id for one in found.results} == set(alone)
    assert all(same_bits(one, alone[one.record.trial_id]) for one in found.results)
    assert {one.record.times.concurrent_trials for one in found.results if one.record.times} == {3}


def test_on_a_cpu_too(stripes: ImageDataset) -> None:
    from fbench.benchmark.records.numerics import choose_numerics
    from fbench.benchmark.training.trial import run_trial

    cpu = TrialContext(torch.device("cpu"))
    specs = [spec.model_copy(update={"numerics": choose_numerics("cpu")}) for spec in three(stripes)]
    found = run_together(specs, stripes, cpu)
    alone = {spec.trial_id: run_trial(spec, stripes, cpu) for spec in specs}
    assert all(same_bits(one, alone[one.record.trial_id]) for one in found.results)
    assert len(found.results) == 3


def test_each_is_recorded_and_replayed_on_a_stream_of_its_own(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    graphs: list[Any] = []
    own = cuda_graph.recorded

    def kept(*given: Any) -> Any:
        graphs.append(own(*given))
        return graphs[-1]

    monkeypatch.setattr(step, "recorded", kept)
    found = run(three(stripes), stripes)
    assert [graph.replays for graph in graphs] == [one.record.steps_done for one in found.results]
    streams = [graph.recorded_on for graph in graphs]
    assert len(set(map(id, streams))) == 3
    assert all(set(map(id, graph.replayed_on)) == {id(stream)} for graph, stream in zip(graphs, streams, strict=True))


def test_steps_are_taken_in_turn(stripes: ImageDataset) -> None:
    heard: list[Event] = []
    specs = three(stripes)
    run(specs, stripes, listen=heard.append)
    first_round = [event.trial_id for event in heard if type(event).__name__ == "Stepped"][:3]
    assert sorted(first_round) == sorted(spec.trial_id for spec in specs)


def failing_steps(failing: str, error: BaseException, after: int = 2) -> Any:
    """Steps of a training, of which those of one network raise."""
    own = trial.training_steps

    def training_steps(state: Any, *rest: Any) -> Any:
        steps = own(state, *rest)
        for _ in range(after):
            next(steps)
            yield
        if state.trial_id == failing:
            raise error
        return (yield from steps)

    return training_steps


def test_one_that_diverges_fails_by_itself(stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    specs = three(stripes)
    monkeypatch.setattr(trial, "training_steps", failing_steps(specs[1].trial_id, DivergedError("training", "loss")))
    found = run(specs, stripes)
    assert found.left == ()
    states = {one.record.trial_id: one.record.status for one in found.results}
    assert states == {spec.trial_id: "failed" if spec is specs[1] else "finished" for spec in specs}


def test_after_another_error_all_that_had_not_ended_are_left(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = three(stripes)
    error = torch.OutOfMemoryError("CUDA out of memory")
    monkeypatch.setattr(trial, "training_steps", failing_steps(specs[1].trial_id, error))
    found = run(specs, stripes)
    assert found.results == ()
    assert {spec.trial_id for spec in found.left} == {spec.trial_id for spec in specs}
    assert found.failure is not None
    assert found.failure.out_of_device_memory


def test_one_that_cannot_begin_leaves_all(stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    specs = three(stripes)
    built: list[str] = []

    def build(resolved: Any) -> Any:
        built.append(resolved.builder)
        raise MemoryError(resolved.builder)

    monkeypatch.setattr(trial, "build", build)
    found = run(specs, stripes)
    assert len(built) == 1
    assert {spec.trial_id for spec in found.left} == {spec.trial_id for spec in specs}


def test_asked_to_stop_each_keeps_a_checkpoint_and_goes_on_alone_with_the_same_bits(
    stripes: ImageDataset, tmp_path: Path
) -> None:
    specs, steps, files = three(stripes), [0], dict[str, Path]()

    def asks_to_stop() -> bool:
        steps[0] += 1
        return steps[0] > 7

    def listen(event: Event) -> None:
        if isinstance(event, Checkpointed):
            files[event.trial_id] = event.file

    def place_of(spec: TrialSpec) -> CheckpointPlace:
        return CheckpointPlace(files.get(spec.trial_id, tmp_path / spec.trial_id), tmp_path)

    with pretended_cuda():
        found = run_together(specs, stripes, TrialContext(DEVICE, asks_to_stop=asks_to_stop), listen, place_of=place_of)
    assert found.results == ()
    assert found.failure is None
    assert set(files) == {spec.trial_id for spec in found.left} == {spec.trial_id for spec in specs}
    for spec in specs:
        with pretended_cuda():
            result = trial.run_trial(spec, stripes, TrialContext(DEVICE, checkpoints=place_of(spec)))
        assert result.record.resumed_after_steps
        assert same_bits(result, trained(spec, stripes))


def test_the_number_of_trainings_is_measured_and_the_fewest_that_are_fast_enough_are_taken(
    stripes: ImageDataset,
) -> None:
    with pretended_cuda():
        found = measure_together(three(stripes)[0], stripes, DEVICE, numbers=(1, 2), seconds=0.01)
    assert list(found) == [1, 2]
    assert min(found.values()) > 0
    assert fastest_number({1: 100.0, 2: 180.0, 4: 198.0, 8: 199.0}) == 4
    assert fastest_number({1: 100.0, 2: 60.0}) == 1


def test_more_trainings_than_the_memory_carries_are_left_out(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    own = trial.TrialCourse._begin

    def begin(course: Any, data: Any) -> Any:
        begun.append(course.spec.seed)
        if course.spec.seed == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return own(course, data)

    monkeypatch.setattr(trial.TrialCourse, "_begin", begin)
    with pretended_cuda():
        found = measure_together(three(stripes)[0], stripes, DEVICE, numbers=(1, 2, 4), seconds=0.01)
    assert list(found) == [1]
    assert begun == [0, 0, 1]
