"""``fbench import`` as a person types it, up to the comparison with a run."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from fbench.benchmark.trackers.quiet import quiet
from fbench.cli.app import app
from fbench.core.errors import UserError
from tests.reports.fabricated_run import Recipe, fabricate_run
from tests.reports.read_page import Page


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def typed(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def sentence(*arguments: str) -> str:
    error = typed(*arguments).exception
    assert isinstance(error, UserError)
    return str(error)


def accuracies() -> str:
    lines = [f"their_net,{seed},{0.60 + seed / 100}" for seed in range(5)]
    Path("theirs.csv").write_text("\n".join(["network,seed,top1", *lines]), encoding="utf-8")
    return "theirs.csv"


def test_accuracies_from_a_table_stand_beside_a_run_and_are_marked() -> None:
    fabricate_run(Path("run"), Recipe(accuracy={"ires": 0.7}, images=400, seeds=range(5)))
    done = typed("import", "csv", accuracies(), "--data", "fer2013")
    assert done.exit_code == 0, done.output
    assert "their_net: 5 seeds, mean top-1 62.00 %, accuracies alone" in done.output
    assert "imported, not trained here; test split of fer2013, as you say, of which nothing was read." in done.output
    assert "Next: fbench compare RUN:NETWORK imported.json:their_net" in done.output
    shown = typed("compare", "run:ires", "imported.json:their_net", "--fail-on", "accuracy:-2pt")
    assert shown.exit_code == 1
    assert "their_net (imported)" in shown.output
    assert "failed" in shown.output


def test_nothing_is_overwritten() -> None:
    typed("import", "csv", accuracies(), "--data", "fer2013")
    assert "is not overwritten" in sentence("import", "csv", "theirs.csv", "--data", "fer2013")


def test_a_page_says_what_was_imported_and_what_the_difference_rests_on() -> None:
    fabricate_run(Path("run"), Recipe(accuracy={"ires": 0.7}, images=400))
    typed("import", "csv", accuracies(), "--data", "fer2013")
    done = typed("compare", "run:ires", "imported.json:their_net", "-o", "page.html")
    assert done.exit_code == 0, done.output
    page = Page(Path("page.html").read_text(encoding="utf-8"))
    assert "imported.json:their_net, imported, not trained here: theirs.csv, " in page.text
    assert "Accuracy of their_net (imported) against ires on fer2013: −" in page.text
    assert "(test split, these images alone (accuracies without predictions), 5 and 3 seeds, unpaired" in page.text
    assert "B is imported, not trained here" in page.text


def test_a_file_that_is_no_result_any_more_is_one_sentence() -> None:
    typed("import", "csv", accuracies(), "--data", "fer2013")
    text = Path("imported.json").read_text(encoding="utf-8")
    Path("imported.json").write_text(text.replace('"top1":0.6,', '"top1":60,'), encoding="utf-8")
    assert "imported.json" in sentence("compare", "imported.json:their_net", "imported.json:their_net")


@pytest.fixture
def client() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow = pytest.importorskip("mlflow", reason="MLflow comes with the extra [mlflow]")
    with quiet():
        return mlflow.MlflowClient(tracking_uri="sqlite:///theirs.db")


@pytest.mark.slow
def test_accuracies_come_from_finished_runs_of_mlflow(client: Any) -> None:
    with quiet():
        experiment = client.create_experiment("theirs")
        for seed, status in enumerate(["FINISHED", "FINISHED", "FAILED", "FINISHED"]):
            run = client.create_run(experiment, tags={"fbench.trial_id": "x"} if seed == 3 else {}).info.run_id
            client.log_param(run, "model", "their_net")
            client.log_param(run, "seed", seed)
            client.log_metric(run, "test_accuracy", 0.5 + seed / 10)
            client.set_terminated(run, status)
    where = ("sqlite:///theirs.db", "--data", "fer2013", "--network", "model", "--top1", "test_accuracy")
    done = typed("import", "mlflow", *where, "--experiment", "theirs")
    assert done.exit_code == 0, done.output
    assert "Runs that did not finish: 1, left out." in done.output
    assert "Runs that are copies of trials of fbench: 1, left out." in done.output
    assert "their_net: 2 seeds, mean top-1 55.00 %, accuracies alone" in done.output
    other = ("-o", "other.json")
    assert "There is no experiment 'mine'; there are " in sentence(
        "import", "mlflow", *where, *other, "--experiment", "mine"
    )
    assert "has no metric 'f1'; name another with --top1" in sentence(
        "import", "mlflow", *where, *other, "--experiment", "theirs", "--top1", "f1"
    )
    assert "has no parameter or tag 'net'" in sentence(
        "import", "mlflow", *where, *other, "--experiment", "theirs", "--network", "net"
    )
    assert "There is no gone.db" in sentence(
        "import", "mlflow", "sqlite:///gone.db", "--data", "fer2013", "--experiment", "theirs", *other
    )
    assert not Path("gone.db").exists()
