"""What MLflow itself reads back of a run."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fbench.benchmark.runs.listener import RunListener
from fbench.benchmark.store.run_table import RunTable
from fbench.benchmark.trackers.choice import mirrors_of, parse_trackers
from fbench.benchmark.trackers.quiet import quiet
from fbench.benchmark.trackers.tracker import TrackedTrial, measures_of, results_of
from fbench.core.errors import UserError
from tests.benchmark.trackers.told_run import EVALUATIONS, Interrupts, prepare, told

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    mlflow = pytest.importorskip("mlflow", reason="MLflow comes with the extra [mlflow]")

pytestmark = pytest.mark.slow  # MLflow makes its tables in seconds


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables, and nothing in them."""
    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    with mirrors_of(parse_trackers([f"mlflow=sqlite:///{file}"]), pytest.fail):
        pass
    return file


@pytest.fixture
def place(tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A copy of it, in a working directory of its own."""
    monkeypatch.chdir(tmp_path)
    prepare(monkeypatch, tmp_path / "cache")
    (tmp_path / "mlflow.db").write_bytes(tables.read_bytes())
    yield "mlflow=sqlite:///mlflow.db"
    assert sorted(one.name for one in tmp_path.iterdir() if one.name != "run") == ["cache", "mlflow.db"]


def tracked(place: str, *listeners: RunListener) -> RunTable:
    with mirrors_of(parse_trackers([place]), pytest.fail) as mirrors:
        return told(Path("run"), *mirrors, *listeners)


def runs_in_mlflow() -> tuple[Any, list[Any]]:
    with quiet():
        client = mlflow.MlflowClient(tracking_uri="sqlite:///mlflow.db")
        experiment = client.get_experiment_by_name("run")
        return client, list(client.search_runs([experiment.experiment_id]))


def test_a_run_a_trial_with_settings_curves_and_results(place: str) -> None:
    table = tracked(place)
    client, found = runs_in_mlflow()
    assert {one.data.params["trial_id"] for one in found} == set(table.trials)
    for one in found:
        record = table.trials[one.data.params["trial_id"]]
        rows = table.folder.history(record.trial_id)
        assert one.info.status == "FINISHED"
        assert one.info.run_name == f"{one.data.params['network']} on stripes, seed 0"
        settings = TrackedTrial("run", "smoke", one.data.params["network"], record.spec).every_setting()
        assert one.data.params == {name: str(value) for name, value in settings.items()}
        with quiet():
            curve = client.get_metric_history(one.info.run_id, "validation_loss")
        assert [(point.step, point.value) for point in curve] == [
            (row.images_seen, row.validation_loss) for row in rows
        ]
        wanted = {**measures_of(rows[-1]), **results_of(record)}
        assert one.data.metrics == pytest.approx(wanted)
        assert one.data.tags["fbench.status"] == "finished"


def test_an_interrupted_trial_is_shown_as_killed_and_its_run_is_gone_on_with(place: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        tracked(place, Interrupts(after=EVALUATIONS + 2))
    _, before = runs_in_mlflow()
    assert sorted(one.info.status for one in before) == ["FINISHED", "KILLED"]
    tracked(place)
    client, after = runs_in_mlflow()
    assert {one.info.run_id for one in after} == {one.info.run_id for one in before}
    for one in after:
        assert one.info.status == "FINISHED"
        with quiet():
            assert len(client.get_metric_history(one.info.run_id, "train_loss")) == EVALUATIONS


def test_a_failed_trial_says_why(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_memory(*_: object) -> None:
        raise MemoryError("no room for it")

    with monkeypatch.context() as patch:
        patch.setattr("fbench.benchmark.training.trial.training_steps", out_of_memory)
        table = tracked(place)
    assert [record.status for record in table.trials.values()] == ["failed"] * 2
    _, found = runs_in_mlflow()
    assert {one.info.status for one in found} == {"FAILED"}
    assert all("no room for it" in one.data.tags["fbench.failure_reason"] for one in found)
    tracked(place)
    _, again = runs_in_mlflow()
    assert [(one.info.status, one.data.tags["fbench.failure_reason"]) for one in again] == [("FINISHED", "")] * 2


@pytest.mark.parametrize("place", ["mlflow=http://127.0.0.1:9", "mlflow=sqlite:///broken.db"])
def test_a_place_that_does_not_answer_is_refused_in_a_sentence(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.db").write_text("this is no database at all, but a text of some length", encoding="utf-8")
    with pytest.raises(UserError) as error, mirrors_of(parse_trackers([place]), pytest.fail):
        pass
    assert str(error.value).startswith(f"--track {place} cannot be used (")
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")
