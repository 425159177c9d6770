"""What papers print of single trainings, of classes, of levels and of whole trainings' time."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.claims.epoch_time import epoch_time_parts
from fbench.reports.findings.claims.pool import gather_claim_inputs
from fbench.reports.findings.claims.trainings import _above
from fbench.statistics.prediction import predict_mean, predict_one
from fbench.statistics.single import summarise
from tests.reports.fabricated_cost import TRAIN, cost, series
from tests.reports.findings.claims.runs import claim_of, judged, run_of

LEVELS = {"ires": 0.62, "ires_no_se": 0.48}


def steps_of(**times: float) -> CostRecord:
    """Training steps that take so many times as long as each other, measured together."""
    timed = [series(name, time, TRAIN, 64, seed=seed) for seed, (name, time) in enumerate(times.items())]
    return cost(*timed, settings=(TRAIN,))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunTable:
    return run_of(tmp_path_factory.mktemp("runs") / "ten", LEVELS)


def recalls(run: RunTable, network: str, name: str) -> list[float]:
    index = [one.lower() for one in run.config.data[0].class_names].index(name)
    parts = [run.classes(record)["test"] for record in run.records(network, "fer2013")]
    return [float(part.correct[part.labels == index].mean()) for part in parts]


def test_a_printed_recall_is_held_against_that_of_a_new_training(run: RunTable) -> None:
    name = run.config.data[0].class_names[0].lower()
    middle = 100 * float(np.mean(recalls(run, "ires", name)))
    usual: dict[str, Any] = {"kind": "reaches", "network": "ires", "data": "fer2013", "class_name": name.upper()}
    assert judged(claim_of({**usual, "percent": round(middle)}), [run]).verdict == "supported"
    found = judged(claim_of({**usual, "percent": min(100, round(middle) + 35)}), [run])
    assert found.verdict == "contradicted"
    assert f"recall of {name.upper()}" in found.why
    assert judged(claim_of({**usual, "class_name": "boredom", "percent": 50}), [run]).missing == (
        "a class boredom in FER2013"
    )


def test_a_number_read_on_other_images_has_their_sampling_error(run: RunTable) -> None:
    values = [float(run.classes(record)["test"].correct.mean()) for record in run.records("ires", "fer2013")]
    plain = predict_one(values, step=1 / 500)
    percent = round(100 * (plain.mean + 2.4 * plain.deviation), 1)
    usual: dict[str, Any] = {"kind": "reaches", "network": "ires", "data": "fer2013", "percent": percent}
    assert judged(claim_of(usual), [run]).verdict == "contradicted"
    error = math.sqrt(percent / 100 * (1 - percent / 100) / 20)
    assert plain.with_sampling(error).chance_to_reach(percent / 100) > 0.05
    assert judged(claim_of({**usual, "images": 20}), [run]).verdict == "supported"


def test_a_printed_mean_is_held_against_the_mean_of_new_trainings(tmp_path: Path) -> None:
    run = run_of(tmp_path / "both", LEVELS, data=("fer2013", "imed"))
    predicted = [
        predict_one(
            [float(run.classes(record)["test"].correct.mean()) for record in run.records("ires", name)], step=1 / 500
        )
        for name in ("fer2013", "imed")
    ]
    upper = 100 * predict_mean(predicted).upper
    usual: dict[str, Any] = {"kind": "mean_reaches", "network": "ires", "data": ["fer2013", "imed"], "precision": 0.02}
    assert judged(claim_of({**usual, "percent": round(upper - 0.1, 2)}), [run]).verdict == "supported"
    assert judged(claim_of({**usual, "percent": round(upper + 0.1, 2)}), [run]).verdict == "contradicted"
    found = judged(claim_of({**usual, "data": ["fer2013", "ck_plus"], "percent": 60}), [run])
    assert (found.verdict, "trainings of ires on CK+" in found.missing) == ("undecided", True)


@pytest.mark.parametrize(("percent", "verdict"), [(55, "supported"), (70, "contradicted"), (62, "undecided")])
def test_a_level_is_exceeded_where_the_mean_for_new_images_is_above_it(
    run: RunTable, percent: float, verdict: str
) -> None:
    test = {"kind": "exceeds", "networks": "ires", "data": "fer2013", "percent": percent}
    assert judged(claim_of(test), [run]).verdict == verdict


def test_a_poor_recall_is_below_the_mean_of_the_classes(tmp_path: Path) -> None:
    run = run_of(tmp_path / "one", LEVELS, avoids_first_class=("ires_no_se",))
    names = [name.lower() for name in run.config.data[0].class_names]
    usual: dict[str, Any] = {"kind": "poor_recall", "network": "ires_no_se", "data": "fer2013"}
    assert judged(claim_of({**usual, "class_name": names[0]}), [run]).verdict == "supported"
    assert judged(claim_of({**usual, "class_name": names[1]}), [run]).verdict == "contradicted"


OF_ONE_NETWORK: tuple[dict[str, Any], ...] = (
    {"kind": "poor_recall", "network": "ires", "data": "fer2013", "class_name": "happy"},
    {"kind": "exceeds", "networks": "ires", "data": "fer2013", "percent": 55},
    {"kind": "reaches", "network": "ires", "data": "fer2013", "percent": 55},
    {"kind": "mean_reaches", "network": "ires", "data": ["fer2013", "imed"], "percent": 55},
    {"kind": "no_overfitting", "network": "ires", "data": "fer2013", "margin_points": 8},
    {"kind": "gains_up_to", "network": "ires", "than": "ires_no_se", "data": "fer2013", "points": 5},
    {"kind": "overfits_less", "network": "ires", "than": "ires_no_se", "data": "fer2013"},
)


def run_on_two(folder: Path, **changes: Any) -> RunTable:
    return run_of(folder / "run", LEVELS, data=("fer2013", "imed"), images=200, training_lead=0.1, **changes)


@pytest.mark.parametrize("test", OF_ONE_NETWORK, ids=lambda test: str(test["kind"]))
def test_a_network_that_did_not_learn_decides_nothing(tmp_path: Path, test: dict[str, Any]) -> None:
    found = judged(claim_of(test), [run_on_two(tmp_path, collapsed=("ires",))])
    assert found.verdict == "undecided"
    assert "in which ires learns FER2013 (so far it is within chance of the largest class)" in found.missing


@pytest.mark.parametrize("test", OF_ONE_NETWORK, ids=lambda test: str(test["kind"]))
def test_a_training_that_collapsed_is_left_out_and_said(tmp_path: Path, test: dict[str, Any]) -> None:
    found = judged(claim_of(test), [run_on_two(tmp_path, collapsed_trials=(("ires", 3),))])
    assert "numbers on FER2013 are of trainings that learned; 1 of 10 of ires (0 to 45 %) collapsed" in found.remarks


def test_a_level_is_exceeded_only_if_the_mean_with_collapsed_trainings_exceeds_it_too(tmp_path: Path) -> None:
    """Nine of 62 % and one of 14: the mean of all is 57 %, of those that learned 62 %."""
    run = run_of(tmp_path / "run", LEVELS, collapsed_trials=(("ires", 3),))
    clean = run_of(tmp_path / "clean", LEVELS)
    test = {"kind": "exceeds", "networks": "ires", "data": "fer2013", "percent": 56}
    assert judged(claim_of(test), [clean]).verdict == "supported"
    assert judged(claim_of(test), [run]).verdict == "undecided"


@pytest.mark.parametrize(("lead", "verdict"), [(0.02, "supported"), (0.2, "contradicted")])
def test_a_gap_below_the_margin_is_no_overfitting(tmp_path: Path, lead: float, verdict: str) -> None:
    run = run_of(tmp_path / "run", LEVELS, training_lead=lead)
    test = {"kind": "no_overfitting", "network": "ires", "data": "fer2013", "margin_points": 8}
    assert judged(claim_of(test), [run]).verdict == verdict


def test_epochs_at_which_training_stopped_want_a_protocol_that_stops(run: RunTable) -> None:
    test = {"kind": "stops_after", "network": "ires", "data": "fer2013", "epochs": 4}
    assert judged(claim_of(test), [run]).missing == "a protocol that stops early, on FER2013"


def test_a_relative_gain_is_a_share_of_the_others_accuracy(run: RunTable) -> None:
    """The gain is about 14 points, of 48 %: 29 %."""
    usual: dict[str, Any] = {"kind": "gains_up_to", "network": "ires", "than": "ires_no_se", "data": "fer2013"}
    assert judged(claim_of({**usual, "points": 29}), [run]).verdict == "contradicted"
    found = judged(claim_of({**usual, "points": 29, "relative": True}), [run])
    assert found.verdict == "supported"
    assert "gain 29 % in a new pair" in found.why


def test_up_to_is_read_of_the_largest_reduction_alone() -> None:
    from fbench.reports.findings.claims.judge import judge_claim
    from fbench.reports.findings.claims.pool import ClaimInputs

    measured = steps_of(arch1=0.6, arch3=0.75, arch4=1.0)
    test = {"kind": "training_time_reduction", "network": "arch1", "than": ["arch3", "arch4"], "precision": 2}
    inputs = ClaimInputs((), (("run", measured),), {})
    for percent, reading, verdict in (
        (40, "up_to", "supported"),
        (40, "each", "contradicted"),
        (20, "up_to", "contradicted"),
    ):
        asked = {**test, "low_percent": percent, "high_percent": percent, "reading": reading}
        assert judge_claim(claim_of(asked), inputs).verdict == verdict


def test_time_until_the_chosen_epoch_is_that_of_a_step_times_the_steps(tmp_path: Path) -> None:
    """Steps until the chosen epoch are equal, so that the ratio is that of the steps' times, with the chance of
    both."""
    run = run_of(tmp_path / "run", LEVELS)
    measured = steps_of(ires=0.75, ires_no_se=1.0)
    inputs = replace(gather_claim_inputs([run]), costs=(("run", measured),))
    usual: dict[str, Any] = {
        "kind": "epoch_time_reduction", "network": "ires", "than": "ires_no_se", "data": "fer2013", "precision": 2,
    }  # fmt: skip
    claim = claim_of({**usual, "low_percent": 60, "high_percent": 70})
    (part,) = epoch_time_parts(claim.tests[0], claim, inputs)  # type: ignore[arg-type]
    assert part.text.startswith("ires takes 2")
    assert part.answer is not None
    assert not part.answer.supports
    assert part.answer.p_against < 0.05
    wide = claim_of({**usual, "low_percent": 0, "high_percent": 60})
    (part,) = epoch_time_parts(wide.tests[0], wide, inputs)  # type: ignore[arg-type]
    assert part.answer is not None
    assert part.answer.supports


def test_epochs_that_differ_enter_the_time_until_the_chosen_epoch(tmp_path: Path) -> None:
    """Twice the steps at half the time: as long, with the interval of the steps alone."""
    from fbench.reports.findings.claims.epoch_time import _together
    from fbench.statistics.statements import over_seeds
    from fbench.statistics.timing import TimeRatio

    steps = [math.log(2) + shift for shift in (-0.1, 0.0, 0.1, 0.05, -0.05)]
    ratio = TimeRatio(0.5, 0.5, 0.5, 0.95, 0.01, 12, 0.0)
    found = _together(over_seeds(steps, step=0.1), ratio)
    assert found.estimate == pytest.approx(0.0, abs=1e-12)
    error = float(np.std(steps, ddof=1)) / math.sqrt(5)
    assert found.high == pytest.approx(stats.t.ppf(0.975, 4) * error)


def test_a_level_is_exceeded_no_more_surely_than_the_number_of_images_allows() -> None:
    """147 of 147 right in ten trainings leave 97.5 % open, whatever the model without any spread says."""
    found = summarise(np.ones((10, 147))).new_images
    assert not _above(found, 0.99).supports
    assert _above(found, 0.90).supports
