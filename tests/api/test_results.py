"""A run in Python: frames, comparisons, claims and what a notebook shows of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import fbench
from fbench.core.errors import UserError
from tests.reports.fabricated_run import Recipe, fabricate_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> fbench.Run:
    folder = tmp_path_factory.mktemp("run") / "run"
    fabricate_run(folder, Recipe(seeds=range(10), failed=(("ires_relu", 9),)))
    return fbench.load_run(folder)


def test_every_planned_trial_is_a_row_and_its_accuracy_that_of_its_predictions(run: fbench.Run) -> None:
    trials = run.trials_frame()
    assert len(trials) == len(run.plan)
    assert trials["status"].value_counts().to_dict() == {"finished": 29, "failed": 1}
    answers = run.predictions_frame().groupby(["network", "seed"])["correct"].mean()
    finished = trials[trials["status"] == "finished"].set_index(["network", "seed"])["test_top1"]
    pd.testing.assert_series_equal(answers.sort_index(), finished.sort_index(), check_names=False)


def test_predictions_have_the_names_of_classes(run: fbench.Run) -> None:
    found = run.predictions_frame("validation")
    assert tuple(found["label"].cat.categories) == run.config.data[0].class_names
    assert ((found["label"] == found["predicted"]) == found["correct"]).all()
    with pytest.raises(UserError, match="predictions of the split train; give validation or test"):
        run.predictions_frame("train")


def test_every_evaluation_is_a_row(run: fbench.Run) -> None:
    history = run.history_frame()
    assert history.groupby(["network", "seed"]).size().eq(4).all()
    record = run.records("ires", "fer2013")[0]
    rows = history[(history["network"] == "ires") & (history["seed"] == 0)]
    assert rows["validation_top1"].tolist() == [point.validation_top1 for point in run.history(record)]


def test_every_timed_call_is_a_row(run: fbench.Run) -> None:
    calls = run.costs_frame()
    (cost,) = run.costs
    assert len(calls) == sum(len(series.times_s) for series in cost.series)
    of_ires = calls[(calls["network"] == "ires") & (calls["mode"] == "inference") & (calls["instance"] == 0)]
    assert set(of_ires["time_s"]) >= set(cost.series[0].times_s)


def test_the_summary_has_the_mean_of_the_seeds(run: fbench.Run) -> None:
    summary = run.summary_frame().set_index("network")
    trials = run.trials_frame()
    for network in ("ires", "ires_no_se", "ires_relu"):
        of_network = trials[(trials["network"] == network) & (trials["status"] == "finished")]
        assert summary.loc[network, "top1"] == pytest.approx(of_network["test_top1"].mean())
        assert summary.loc[network, "top1_new_units_low"] < summary.loc[network, "top1"]


def test_a_planned_pair_has_the_verdict_of_the_report(run: fbench.Run) -> None:
    found = run.compare("ires_no_se", "ires")
    row = run.comparisons_frame().set_index("network").loc["ires_no_se"]
    assert found.comparison.verdict == row["verdict"] == "worse"
    assert found.result.family.size == row["family_size"] == 2
    assert found.comparison.decision.p_adjusted == pytest.approx(row["p_corrected"])
    assert str(found).startswith("ires_no_se is 1")
    assert str(found).endswith("points worse than ires (" + str(found).partition("than ires (")[2])


def test_a_pair_the_other_way_round_is_the_opposite(run: fbench.Run) -> None:
    one, other = run.compare("ires_no_se", "ires").comparison, run.compare("ires", "ires_no_se").comparison
    assert one.estimate == pytest.approx(-other.estimate)
    np.testing.assert_allclose(one.interval, [-end for end in reversed(other.interval)])
    assert (one.verdict, other.verdict) == ("worse", "better")


def test_a_pair_that_was_not_planned_counts_as_one_more(run: fbench.Run) -> None:
    assert run.compare("ires_relu", "ires_no_se").result.family.size == 3


def test_what_the_run_does_not_have_is_a_sentence(run: fbench.Run) -> None:
    with pytest.raises(UserError, match="no finished trial of 'ires_rel' on fer2013"):
        run.compare("ires_rel", "ires")
    with pytest.raises(UserError, match="The run has no data set 'fer'"):
        run.compare("ires_relu", "ires", data="fer")
    with pytest.raises(UserError, match="'ires' was given twice"):
        run.compare("ires", "ires")


def test_several_data_sets_want_a_name(tmp_path: Path) -> None:
    fabricate_run(tmp_path / "run", Recipe(data=("fer2013", "imed"), with_cost=False))
    both = fbench.load_run(tmp_path / "run")
    with pytest.raises(UserError, match="has the data sets fer2013, imed; name one"):
        both.compare("ires_no_se", "ires")
    assert both.compare("ires_no_se", "ires", data="imed").comparison.network == "ires_no_se"
    assert "and 1 more data set" in both._repr_html_()


def test_claims_have_a_verdict_each(run: fbench.Run) -> None:
    claims = run.claims()
    assert set(claims["verdict"]) <= {"supported", "contradicted", "undecided", "not yet"}
    assert claims["claim"].is_unique


def test_a_notebook_shows_a_short_table(run: fbench.Run) -> None:
    shown = run._repr_html_()
    assert shown.count("<tr>") == 4
    assert "ires_no_se" in shown
    assert len(repr(run)) < 200
    assert "29 of 30 trials finished" in repr(run)


@pytest.mark.slow
def test_many_networks_are_cut_to_twenty_lines(tmp_path: Path) -> None:
    names = [*(f"net{index}" for index in range(18))]
    studies = ({"name": "one", "title": "One", "question": "?", "baseline": "net0", "levels": names},)
    accuracy = dict.fromkeys(names, 0.5)
    fabricate_run(tmp_path / "run", Recipe(accuracy=accuracy, studies=studies, images=60, with_cost=False))
    shown = fbench.load_run(tmp_path / "run")._repr_html_()
    assert shown.count("<tr>") <= 20
    assert "4 more networks: summary_frame()" in shown


def test_a_report_is_written(run: fbench.Run, tmp_path: Path, unpainted: None) -> None:
    assert run.report(tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_the_public_face_loads_its_names_lazily() -> None:
    assert set(dir(fbench)) == {*fbench.__all__, "data", "plots", "__version__"}
    assert all(callable(getattr(fbench, name)) for name in fbench.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = fbench.nothing
