"""Claims about single trainings: printed accuracies, the largest gain, and the gap between training and test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.claims.pool import gather_claim_inputs
from fbench.reports.findings.claims.trainings import overfitting_parts
from tests.reports.findings.claims.runs import claim_of, judged, run_of

ACCURACY = {"ires": 0.62, "ires_no_se": 0.48, "ires_relu": 0.62, "lenet5": 0.62}
REACHES: dict[str, Any] = {"kind": "reaches", "network": "ires", "data": "fer2013"}
GAINS: dict[str, Any] = {"kind": "gains_up_to", "network": "ires", "than": "ires_no_se", "data": "fer2013"}
OVERFITS: dict[str, Any] = {"kind": "overfits_less", "network": "ires", "than": "ires_no_se", "data": "fer2013"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunTable:
    return run_of(tmp_path_factory.mktemp("runs") / "ten", ACCURACY)


@pytest.fixture(scope="module")
def overfitted(tmp_path_factory: pytest.TempPathFactory) -> RunTable:
    return run_of(tmp_path_factory.mktemp("runs") / "overfitted", ACCURACY, training_lead=0.1)


def accuracies(run: RunTable, network: str) -> Any:
    return run.correctness(network, "fer2013").correct.mean(axis=1)


@pytest.mark.parametrize(("beyond", "verdict"), [(-0.3, "supported"), (1e-3, "contradicted"), (-1e-3, "supported")])
def test_a_printed_accuracy_is_held_against_the_upper_bound_of_one_new_training(
    run: RunTable, beyond: float, verdict: str
) -> None:
    values = accuracies(run, "ires")
    reach = stats.t.ppf(0.95, values.size - 1) * values.std(ddof=1) * np.sqrt(1 + 1 / values.size)
    percent = 100 * (values.mean() + reach + beyond)
    found = judged(claim_of({**REACHES, "percent": percent, "precision": 1e-9}), [run])
    assert found.verdict == verdict
    assert "one number without a spread, as a rule picked on the test set" in found.why


def test_four_trainings_cannot_predict_a_fifth(tmp_path: Path) -> None:
    few = run_of(tmp_path / "few", ACCURACY, seeds=range(4))
    found = judged(claim_of({**REACHES, "percent": 20.0}, seeds=2), [few])
    assert (found.verdict, found.missing) == ("undecided", "5 seeds each (4 so far) on FER2013")


def test_a_short_budget_may_support_a_printed_accuracy_and_never_contradict_it(run: RunTable) -> None:
    low, high = (claim_of({**REACHES, "percent": percent}, preset="full") for percent in (50.0, 95.0))
    assert judged(low, [run]).verdict == "supported"
    found = judged(high, [run])
    assert (found.verdict, found.missing) == ("not yet", "the preset full on FER2013")


def test_equal_accuracies_reach_what_they_have(tmp_path: Path) -> None:
    same = run_of(tmp_path / "same", {"ires": 5.0})
    value = 100 * float(accuracies(same, "ires").mean())
    assert judged(claim_of({**REACHES, "percent": round(value, 1)}), [same]).verdict == "supported"


@pytest.mark.parametrize(("points", "verdict"), [(13, "supported"), (60, "contradicted")])
def test_the_largest_gain_is_held_against_new_pairs_of_trainings(run: RunTable, points: int, verdict: str) -> None:
    found = judged(claim_of({**GAINS, "than": ["ires_no_se", "ires_relu"], "points": points}), [run])
    assert found.verdict == verdict
    assert f"to gain {points} points in a new pair of trainings is ires over ires_no_se on FER2013" in found.why


def test_a_gain_is_contradicted_only_with_all_comparisons_and_supported_by_one(run: RunTable) -> None:
    everywhere = {**GAINS, "data": ["fer2013", "ck_plus"]}
    assert judged(claim_of({**everywhere, "points": 13}), [run]).verdict == "supported"
    found = judged(claim_of({**everywhere, "points": 60}), [run])
    assert found.verdict == "undecided"
    assert found.missing.startswith("trainings of ires and ires_no_se on CK+")


def test_chances_of_several_comparisons_add_up(run: RunTable) -> None:
    """A gain that one comparison alone would contradict is not contradicted by two that may reach it."""
    predictions = []
    for other in ("ires_relu", "lenet5"):
        gains = accuracies(run, "ires") - accuracies(run, other)
        scale = gains.std(ddof=1) * np.sqrt(1 + 1 / gains.size)
        predictions.append(stats.t(gains.size - 1, gains.mean(), scale))
    target = max(one.isf(0.049) for one in predictions)
    likelier = max(("ires_relu", "lenet5"), key=lambda name: predictions[name == "lenet5"].sf(target))
    assert sum(one.sf(target) for one in predictions) > 0.05
    test = {**GAINS, "points": 100 * target, "precision": 1e-9}
    assert judged(claim_of({**test, "than": [likelier]}), [run]).verdict == "contradicted"
    assert judged(claim_of({**test, "than": ["ires_relu", "lenet5"]}), [run]).verdict == "undecided"


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        # The fabricated gap is 0.3 - 0.216 of the accuracy, so it is smaller where the accuracy is higher.
        ({}, "supported"),
        ({"network": "ires_no_se", "than": "ires"}, "contradicted"),
        ({"than": "ires_relu", "margin_points": 20.0}, "contradicted"),
        ({"than": "ires_relu", "margin_points": 0.01}, "undecided"),
        ({"than": ["ires_no_se", "resnet50"]}, "undecided"),
    ],
)
def test_less_overfitting_is_a_smaller_gap_of_equal_seeds(
    overfitted: RunTable, changes: dict[str, Any], verdict: str
) -> None:
    assert judged(claim_of({**OVERFITS, **changes}), [overfitted]).verdict == verdict


def test_where_nothing_overfits_yet_a_smaller_gap_decides_nothing(run: RunTable) -> None:
    found = judged(claim_of(OVERFITS), [run])
    assert found.verdict == "undecided"
    assert found.missing == "a budget in which ires or ires_no_se over-fits FER2013 (so far no gap is surely above 0)"


def test_the_gap_is_training_accuracy_at_the_chosen_epoch_less_test_accuracy(overfitted: RunTable) -> None:
    """Epoch 3 of 4 was chosen: 0.784 of the accuracy and 0.3 of training top-1, by hand."""
    found = judged(claim_of(OVERFITS), [overfitted])
    gaps = [0.784 * ACCURACY[name] + 0.3 - accuracies(overfitted, name) for name in ("ires", "ires_no_se")]
    reference = stats.ttest_rel(gaps[1], gaps[0])
    interval = reference.confidence_interval()
    assert f"{100 * (gaps[1] - gaps[0]).mean():.1f} points smaller than that of ires_no_se on FER2013" in found.why
    ends = f"−{100 * interval.high:.1f} to −{100 * interval.low:.1f}"  # of ours minus the other's, as the words are
    assert f"(difference {ends} points over 10 seeds)" in found.why


def test_a_training_accuracy_that_is_no_number_leaves_its_seed_out(overfitted: RunTable) -> None:
    inputs = gather_claim_inputs([overfitted])
    (holding,) = inputs.holdings
    broken = holding.evidence.networks["ires"]
    rows = tuple(row.model_copy(update={"train_top1": float("nan")}) for row in broken.histories[3])
    histories = (*broken.histories[:3], rows, *broken.histories[4:])
    networks = {**holding.evidence.networks, "ires": replace(broken, histories=histories)}
    evidence = replace(holding.evidence, networks=networks)
    claim = claim_of(OVERFITS)
    changed = replace(inputs, holdings=(replace(holding, evidence=evidence),))
    (part,) = overfitting_parts(claim.tests[0], claim, changed)  # type: ignore[arg-type]
    assert "over 9 seeds" in part.text
    assert [lack.amount for lack in part.lacks] == [10]
