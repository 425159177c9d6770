"""What TensorBoard itself reads back of a run."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from fbench.benchmark.runs.listener import RunListener
from fbench.benchmark.store.run_table import RunTable
from fbench.benchmark.trackers.choice import mirrors_of, parse_trackers
from tests.benchmark.trackers.told_run import EVALUATIONS, Interrupts, prepare, told

pytest.importorskip("tensorboard", reason="TensorBoard comes with the extra [tensorboard]")


@pytest.fixture(autouse=True)
def small_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """TensorBoard reads without TensorFlow, where that is installed."""
    monkeypatch.setitem(sys.modules, "tensorboard.compat.notf", ModuleType("tensorboard.compat.notf"))
    monkeypatch.chdir(tmp_path)
    prepare(monkeypatch, tmp_path / "cache")


def tracked(*listeners: RunListener) -> RunTable:
    with mirrors_of(parse_trackers(["tensorboard=tb"]), pytest.fail) as mirrors:
        return told(Path("run"), *mirrors, *listeners)


def read(folder: Path) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder))
    found.Reload()
    return found


def text(found: Any, tag: str) -> str:
    (event,) = found.Tensors(tag)
    read: str = event.tensor_proto.string_val[0].decode()
    return read


def test_a_folder_a_trial_with_curves_settings_and_results(tmp_path: Path) -> None:
    table = tracked()
    folders = sorted((tmp_path / "tb" / "run").iterdir())
    trials = sorted(table.trials.values(), key=lambda one: one.spec.network.name)
    names = [row.network for row in table.plan]
    assert [one.name for one in folders] == [
        f"{name}-stripes-seed0-{row.trial_id[:8]}" for name, row in sorted(zip(names, table.plan, strict=True))
    ]
    for folder in folders:
        found = read(folder)
        record = next(one for one in trials if folder.name.endswith(one.trial_id[:8]))
        rows = table.folder.history(record.trial_id)
        for tag, field in {
            "loss/train": "train_loss",
            "loss/validation": "validation_loss",
            "top1/train": "train_top1",
            "top1/validation": "validation_top1",
            "learning_rate": "learning_rate",
            "epoch": "epoch",
        }.items():
            points = found.Scalars(tag)
            assert [point.step for point in points] == [row.images_seen for row in rows]
            assert [point.value for point in points] == pytest.approx([getattr(row, field) for row in rows])
        assert record.test is not None
        assert [point.value for point in found.Scalars("top1/test")] == pytest.approx([record.test.top1])
        assert text(found, "status") == "finished"
        assert f"| trial_id | {record.trial_id} |" in text(found, "settings")


def test_hyperparameters_and_how_a_trial_ended_are_those_of_the_plugin(tmp_path: Path) -> None:
    from tensorboard.plugins.hparams.api_pb2 import Status
    from tensorboard.plugins.hparams.metadata import parse_session_end_info_plugin_data as end_of
    from tensorboard.plugins.hparams.metadata import parse_session_start_info_plugin_data as start_of

    tracked()
    folder = min((tmp_path / "tb" / "run").iterdir())
    content = read(folder).PluginTagToContent("hparams")
    start = start_of(content["_hparams_/session_start_info"])
    assert start.hparams["network"].string_value == "lenet5"
    assert start.hparams["seed"].number_value == 0
    assert end_of(content["_hparams_/session_end_info"]).status == Status.Value("STATUS_SUCCESS")


@pytest.mark.slow
def test_a_trial_that_goes_on_adds_to_its_folder_and_no_point_is_there_twice(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        tracked(Interrupts(after=EVALUATIONS + 2))
    before = sorted((tmp_path / "tb" / "run").iterdir())
    tracked()
    tracked()
    assert sorted((tmp_path / "tb" / "run").iterdir()) == before
    assert sorted(len(list(folder.glob("events.*"))) for folder in before) == [1, 2]
    for folder in before:
        assert len(read(folder).Scalars("loss/train")) == EVALUATIONS
        assert len(read(folder).Scalars("top1/test")) == 1


def test_a_failed_trial_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_memory(*_: object) -> None:
        raise MemoryError("no room for it")

    monkeypatch.setattr("fbench.benchmark.training.trial.training_steps", out_of_memory)
    tracked()
    for folder in (tmp_path / "tb" / "run").iterdir():
        assert "no room for it" in text(read(folder), "status")


def test_nothing_needs_tensorflow(tmp_path: Path) -> None:
    already = "tensorflow" in sys.modules
    tracked()
    assert ("tensorflow" in sys.modules) == already
