"""A trial that is interrupted goes on from its checkpoint, and ends with the bits of an undisturbed one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import odd_networks as odd
import pytest
import torch
from support import make_stripes, trial_spec_of
from torch import nn

from fbench.architectures import registry
from fbench.architectures.registry import create
from fbench.benchmark.data import loaded
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.events import Checkpointed, Event, Stepped
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.runs.driver import run_trials
from fbench.benchmark.runs.executors import WorkerContext
from fbench.benchmark.runs.local_executor import LocalExecutor
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.trial_result import TrialResult
from fbench.benchmark.training import checkpoints
from fbench.benchmark.training.checkpoints import CheckpointPlace
from fbench.benchmark.training.trial import TrialContext, run_trial
from fbench.core.errors import StoppedError

CPU = torch.device("cpu")
MIXED = {"mixup_alpha": 0.2, "erasing_probability": 0.5, "flip_probability": 0.5}
EVERY = Budget(image_passes=96, evaluation_points=4, batch_size=12)  # 8 steps, an evaluation after each second


@pytest.fixture(autouse=True)
def any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine writes as often as an idle one."""
    monkeypatch.setattr(checkpoints, "FREE_S", 1e9)


class Drawing(odd.Small):
    """It has batch normalisation, and draws at every step."""

    def make(self) -> None:
        self.normalisation, self.dropout = nn.BatchNorm2d(8), nn.Dropout(0.5)

    def features(self, x: torch.Tensor) -> torch.Tensor:
        return self.dropout(torch.relu(self.normalisation(self.c(x)))).mean((2, 3))


@pytest.fixture(scope="module")
def spec() -> Iterator[TrialSpec]:
    """Of a network with dropout and batch normalisation, averaged, with everything drawn that can be."""
    create("lenet5")  # all built-in networks are registered from here on
    builders, entries = dict(registry._REGISTRY.builders), dict(registry._REGISTRY.entries)
    name = odd.registered(Drawing)
    yield trial_spec_of(make_stripes(), name, budget=EVERY, ema_decay=0.9, augmentation=MIXED)
    registry._REGISTRY.builders, registry._REGISTRY.entries = builders, entries


@pytest.fixture(scope="module")
def undisturbed(spec: TrialSpec) -> TrialResult:
    return run_trial(spec, make_stripes(), TrialContext(CPU))


class Interrupter:
    """Keeps the checkpoints of a trial, and stops it after so many steps."""

    def __init__(self, folder: Path, after: int) -> None:
        self.place, self._after, self._steps = CheckpointPlace(folder / "kept", folder / "scratch"), after, 0
        self.written: list[int] = []

    def hear(self, event: Event) -> None:
        if isinstance(event, Checkpointed):
            event.file.replace(self.place.kept)
            self.written.append(event.steps)
        if isinstance(event, Stepped):
            self._steps = event.steps

    def stop(self) -> bool:
        return self._steps >= self._after

    def context(self) -> TrialContext:
        return TrialContext(CPU, 1, self.place, self.stop)


def same(found: TrialResult, wanted: TrialResult) -> None:
    assert found.record.test == wanted.record.test
    assert found.record.validation == wanted.record.validation
    assert found.record.chosen_step == wanted.record.chosen_step
    assert found.weights is not None
    assert wanted.weights is not None
    assert all(torch.equal(value, wanted.weights[name]) for name, value in found.weights.items())
    assert [(row.step, row.validation_loss) for row in found.history] == [
        (row.step, row.validation_loss) for row in wanted.history
    ]


def test_a_trial_that_is_stopped_goes_on_with_the_same_bits_and_says_so(
    spec: TrialSpec, undisturbed: TrialResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fbench.benchmark.training.loop.STEPS_BETWEEN_EVENTS", 1)
    first, second = Interrupter(tmp_path, after=3), Interrupter(tmp_path, after=6)
    with pytest.raises(StoppedError):
        run_trial(spec, make_stripes(), first.context(), first.hear)
    assert first.written == [2, 3]  # after the evaluation, and in the middle of an epoch, where it was stopped
    with pytest.raises(StoppedError):
        run_trial(spec, make_stripes(), second.context(), second.hear)
    torch.rand(7)  # other draws were made before
    last = Interrupter(tmp_path, after=99)
    result = run_trial(spec, make_stripes(), last.context(), last.hear)
    same(result, undisturbed)
    assert result.record.resumed_after_steps == (3, 6)
    assert undisturbed.record.resumed_after_steps == ()
    assert result.record.times is not None
    assert result.record.times.total_time_s > result.record.times.train_time_s


def test_a_trial_that_is_killed_goes_on_from_its_last_evaluation(
    spec: TrialSpec, undisturbed: TrialResult, tmp_path: Path
) -> None:
    def kill(event: Event) -> None:
        heard.hear(event)
        if isinstance(event, Checkpointed) and event.steps == 4:
            raise KeyboardInterrupt  # nothing is written any more, as after a kill

    heard = Interrupter(tmp_path, after=99)
    with pytest.raises(KeyboardInterrupt):
        run_trial(spec, make_stripes(), heard.context(), kill)
    result = run_trial(spec, make_stripes(), heard.context(), heard.hear)
    assert result.record.resumed_after_steps == (4,)
    same(result, undisturbed)


def test_a_training_without_evaluations_is_kept_every_five_minutes(
    spec: TrialSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 10_000, 150))
    monkeypatch.setattr(checkpoints, "working_s", lambda: next(clock))
    long = spec.model_copy(update={"budget": Budget(image_passes=96, batch_size=12)})
    heard = Interrupter(tmp_path, after=99)
    run_trial(long, make_stripes(), heard.context(), heard.hear)
    assert len(heard.written) > 2
    assert heard.written[-1] == 8


@pytest.mark.parametrize(("write_s", "written"), [(0.0, 4), (0.25, 1), (0.1, 3)])
def test_checkpoints_at_evaluations_keep_to_their_share_of_the_time(
    write_s: float, written: int, spec: TrialSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within 0.3 s in all: four of no time, one of 0.25 s, three of 0.1 s."""
    monkeypatch.setattr(checkpoints, "FREE_S", 0.3001)
    monkeypatch.setattr(
        checkpoints, "write_checkpoint", lambda file, *_: file.parent.mkdir(exist_ok=True) or file.touch()
    )
    heard, now = Interrupter(tmp_path, after=99), [0.0]

    def hear(event: Event) -> None:
        now[0] += write_s if isinstance(event, Checkpointed) else 0.0
        heard.hear(event)

    monkeypatch.setattr(checkpoints, "working_s", lambda: now[0])
    run_trial(spec, make_stripes(), heard.context(), hear)
    assert len(heard.written) == written


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:1000])


def of_another_trial(file: Path) -> None:
    content = file.read_bytes()
    own = content[content.index(b"trial_id") :][15:31]
    file.write_bytes(content.replace(own, b"0" * 16))


@pytest.mark.parametrize("spoil", [cut, of_another_trial])
def test_a_checkpoint_that_is_of_no_use_is_left_and_the_trial_begins_anew(
    spoil: Callable[[Path], None],
    spec: TrialSpec,
    undisturbed: TrialResult,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard = Interrupter(tmp_path, after=2)
    with pytest.raises(StoppedError):
        run_trial(spec, make_stripes(), heard.context(), heard.hear)
    spoil(heard.place.kept)
    last = Interrupter(tmp_path, after=99)
    with caplog.at_level(logging.WARNING):
        result = run_trial(spec, make_stripes(), last.context(), last.hear)
    same(result, undisturbed)
    assert result.record.resumed_after_steps == ()
    assert "is of no use" in caplog.text


def test_a_disk_that_refuses_a_checkpoint_does_not_fail_the_trial(
    spec: TrialSpec, undisturbed: TrialResult, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "scratch").write_text("a file where a folder should be")
    heard = Interrupter(tmp_path, after=99)
    with caplog.at_level(logging.WARNING):
        same(run_trial(spec, make_stripes(), heard.context(), heard.hear), undisturbed)
    assert caplog.text.count("no checkpoint of trial") == 1


def test_the_driver_keeps_the_checkpoint_of_what_was_stopped_and_drops_that_of_what_has_a_record(
    spec: TrialSpec, undisturbed: TrialResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stripes: ImageDataset = make_stripes()
    monkeypatch.setattr(loaded, "_load_once", lambda reference: stripes)
    folder = RunFolder(tmp_path / "run")
    specs = [spec, replace_seed(spec, 1)]

    def run(stop_after: int) -> list[TrialSpec]:
        executor = LocalExecutor(WorkerContext(tmp_path / "run" / ".writing-1", checkpoints=folder.checkpoints))

        def listen(event: Event) -> None:
            if isinstance(event, Stepped) and event.steps >= stop_after:
                executor.ask_to_stop()

        with executor:
            return run_trials(executor, specs, folder, listen)

    assert run(stop_after=4) == specs
    assert [file.stem for file in folder.checkpoints.iterdir()] == [spec.trial_id]
    assert run(stop_after=99) == []
    assert not folder.checkpoints.exists()
    assert folder.trial(spec.trial_id).test == undisturbed.record.test
    assert folder.trial(spec.trial_id).resumed_after_steps == (4,)


def replace_seed(spec: TrialSpec, seed: int) -> TrialSpec:
    return spec.model_copy(update={"seed": seed})
