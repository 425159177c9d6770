from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fbench.benchmark.records.interim_analyses import InterimAnalyses, InterimAnalysis
from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.statistics.comparison.verdict import Verdict
from fbench.statistics.estimands import new_images
from tests.reports.findings.claims.runs import claim_of, judged, run_of

ACCURACY = {"ires": 0.62, "ires_no_se": 0.48, "ires_relu": 0.62, "lenet5": 0.40}
BETTER = {"kind": "more_accurate", "network": "ires", "than": "ires_no_se", "data": "fer2013"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunTable:
    return run_of(tmp_path_factory.mktemp("runs") / "ten", ACCURACY)


@pytest.mark.parametrize(
    ("test", "verdict"),
    [
        (BETTER, "supported"),
        ({**BETTER, "than": ["ires_no_se", "lenet5"]}, "supported"),
        ({**BETTER, "network": "ires_no_se", "than": "ires"}, "contradicted"),
        ({**BETTER, "network": "ires_no_se", "than": ["lenet5", "ires"]}, "contradicted"),
        ({**BETTER, "than": "ires_relu"}, "undecided"),
        ({**BETTER, "than": "ires_relu", "margin_points": 20.0}, "contradicted"),  # equivalent within 20 points
        ({**BETTER, "kind": "less_accurate", "network": "lenet5", "than": ["ires", "ires_no_se"]}, "supported"),
        ({**BETTER, "kind": "less_accurate", "network": "ires", "than": "lenet5"}, "contradicted"),
        ({**BETTER, "kind": "less_accurate", "network": "ires", "than": "ires_relu"}, "undecided"),
        ({"kind": "ordered", "networks": ["ires", "ires_no_se", "lenet5"], "data": "fer2013"}, "supported"),
        ({"kind": "ordered", "networks": ["ires", "lenet5", "ires_no_se"], "data": "fer2013"}, "contradicted"),
        ({"kind": "ordered", "networks": ["ires", "ires_relu", "lenet5"], "data": "fer2013"}, "undecided"),
        ({**BETTER, "kind": "no_less_accurate"}, "supported"),
        ({**BETTER, "kind": "no_less_accurate", "than": "ires_relu", "margin_points": 20.0}, "supported"),
        ({**BETTER, "kind": "no_less_accurate", "network": "lenet5", "than": "ires"}, "contradicted"),
        ({**BETTER, "kind": "no_less_accurate", "network": "ires_relu", "than": "ires"}, "undecided"),
    ],
)
def test_each_comparison_can_be_supported_contradicted_and_undecided(
    run: RunTable, test: dict[str, Any], verdict: str
) -> None:
    found = judged(claim_of(test), [run])
    assert found.verdict == verdict
    assert not found.by_arithmetic
    assert bool(found.missing) == (verdict == "undecided")


def test_why_names_the_difference_its_interval_and_the_seeds(run: RunTable) -> None:
    found = judged(claim_of(BETTER), [run])
    (part,) = found.parts
    assert found.why == part.text
    assert "ires is 1" in part.text
    assert "points more accurate than ires_no_se on FER2013 (+" in part.text
    assert "points, 10 seeds; p < 0.001 for itself)" in part.text.replace("\N{NO-BREAK SPACE}", " ")
    assert found.remarks == ("FER2013 under the protocol fbench, 6 epochs, batch size 128",)


def test_an_undecided_comparison_says_how_many_seeds_would_decide_or_that_none_would(run: RunTable) -> None:
    missing = judged(claim_of({**BETTER, "than": "ires_relu"}), [run]).missing
    assert missing.startswith("about ") or missing.startswith("a larger test set than that of FER2013")


def test_no_loss_says_which_loss_is_ruled_out(run: RunTable) -> None:
    test = {**BETTER, "kind": "no_less_accurate", "than": "ires_relu", "margin_points": 20.0}
    assert "ires loses less than 20 points against ires_relu on FER2013" in judged(claim_of(test), [run]).why


def test_one_contradicted_part_is_enough_and_missing_data_do_not_matter_then(run: RunTable) -> None:
    test = {**BETTER, "network": "lenet5", "than": ["ires"], "data": ["fer2013", "ck_plus"]}
    found = judged(claim_of(test), [run])
    assert (found.verdict, found.missing) == ("contradicted", "")


def test_missing_data_sets_networks_and_runs_are_named(run: RunTable) -> None:
    found = judged(claim_of({**BETTER, "data": ["fer2013", "ck_plus", "imed"]}), [run])
    assert found.verdict == "undecided"
    assert "1 of its 3 parts holds" in found.why
    assert found.missing == (
        "trainings of ires and ires_no_se on CK+ and IMED (at least 10 seeds each, the preset standard or full)"
    )
    other = judged(claim_of({**BETTER, "than": ["ires_no_se", "resnet50"]}), [run])
    assert other.missing == "trainings of resnet50 on FER2013"


def test_too_few_seeds_are_not_enough_however_clear_the_difference_is(tmp_path: Path) -> None:
    few = run_of(tmp_path / "few", ACCURACY, seeds=range(3))
    found = judged(claim_of(BETTER), [few])
    assert (found.verdict, found.missing) == ("undecided", "10 seeds each (3 so far) on FER2013")
    assert judged(claim_of(BETTER, seeds=3), [few]).verdict == "supported"


def test_one_training_a_side_decides_nothing_even_where_a_claim_asks_for_one(tmp_path: Path) -> None:
    one = run_of(tmp_path / "one", ACCURACY, seeds=(0,))
    found = judged(claim_of(BETTER, seeds=1), [one])
    assert (found.verdict, found.missing) == ("undecided", "2 seeds each (1 so far) on FER2013")
    assert "one training a side" in found.why


@pytest.mark.parametrize("kind", ["more_accurate", "no_less_accurate"])
def test_networks_that_did_not_learn_neither_support_nor_contradict(tmp_path: Path, kind: str) -> None:
    found = judged(claim_of({**BETTER, "kind": kind}), [run_of(tmp_path / "run", ACCURACY, collapsed=ACCURACY)])
    assert found.verdict == "undecided"
    assert found.missing == (
        "trainings in which ires or ires_no_se learns FER2013 (so far both are within chance of the largest class)"
    )


@pytest.mark.parametrize("preset", ["standard", "full"])
def test_a_budget_below_the_claims_preset_neither_supports_nor_contradicts(tmp_path: Path, preset: str) -> None:
    short = run_of(tmp_path / "short", ACCURACY, epochs=6 if preset == "full" else 2)
    for test in (BETTER, {**BETTER, "network": "ires_no_se", "than": "ires"}):
        found = judged(claim_of(test, preset=preset), [short])
        words = "the preset full" if preset == "full" else "the preset standard or full"
        assert (found.verdict, found.missing) == ("not yet", f"{words} on FER2013")
        assert found.why.startswith("at this budget ")


def test_synthetic_faces_decide_nothing(tmp_path: Path) -> None:
    rendered = run_of(tmp_path / "rendered", ACCURACY, synthetic=True, data=("synthetic",))
    found = judged(claim_of(BETTER), [rendered])
    assert found.verdict == "undecided"
    assert "those on synthetic faces, which say nothing of real ones, do not count" in found.missing
    assert judged(claim_of({**BETTER, "data": "synthetic"}), [rendered]).verdict == "undecided"


def test_the_selection_split_decides_nothing(tmp_path: Path) -> None:
    unread = run_of(tmp_path / "unread", ACCURACY, test="none", seeds=range(2))
    assert judged(claim_of(BETTER), [unread]).missing == "a run on FER2013 that reads the test split"


def test_a_network_of_which_every_training_failed_is_named_with_its_reason(tmp_path: Path) -> None:
    failed = tuple(("ires_no_se", seed) for seed in range(10))
    found = judged(claim_of(BETTER), [run_of(tmp_path / "failed", ACCURACY, failed=failed)])
    assert found.verdict == "undecided"
    assert found.missing == (
        "trainings of ires_no_se (all that ended failed: the loss became NaN at step 17) on FER2013"
    )


def test_a_missing_trial_is_left_out_and_named(tmp_path: Path) -> None:
    run = run_of(tmp_path / "hole", ACCURACY, seeds=range(11), missing=(("ires_no_se", 4),))
    found = judged(claim_of(BETTER), [run])
    assert found.verdict == "supported"
    assert "seed 4 on FER2013 left out, as ires or ires_no_se lacks it" in found.remarks


def test_what_was_selected_on_the_test_set_is_marked(tmp_path: Path) -> None:
    run = run_of(tmp_path / "peeked", ACCURACY, selection="test")
    assert "selected on the test set of FER2013" in judged(claim_of(BETTER), [run]).remarks


def test_networks_that_never_differ_are_equivalent(tmp_path: Path) -> None:
    same = run_of(tmp_path / "same", {"ires": 5.0, "ires_no_se": 5.0})  # every image but one in fifty right
    found = judged(claim_of({**BETTER, "margin_points": 3.0}), [same])
    assert found.verdict == "contradicted"
    assert "ires and ires_no_se are within 3 points on FER2013" in found.why


def analysed_run(folder: Path, accuracy: dict[str, float], analysis: Verdict, level: float = 0.001) -> RunTable:
    """A run that stopped at an interim analysis of five seeds, with another seed that came later."""
    run = run_of(folder, accuracy, seeds=range(6))
    last = InterimAnalysis(
        study="one", network="ires_no_se", baseline="ires", data="fer2013", seeds=5, pairs=5,
        different_level=level, equivalent_level=level, verdict=analysis, state="decided",
    )  # fmt: skip
    run.folder.write_interim_analyses(InterimAnalyses(max_seeds=20, analyses=(last,)))
    return run


@pytest.mark.parametrize(
    ("ires", "other", "analysis", "verdict", "word"),
    [
        (0.62, 0.48, "worse", "supported", "more accurate than"),
        (0.48, 0.62, "better", "contradicted", "less accurate than"),
        (0.60, 0.60, "undecided", "undecided", "undecided against"),
    ],
)
def test_where_seeds_were_added_until_decided_the_last_analysis_decides(
    tmp_path: Path, ires: float, other: float, analysis: Verdict, verdict: str, word: str
) -> None:
    run = analysed_run(tmp_path / "run", {"ires": ires, "ires_no_se": other}, analysis)
    found = judged(claim_of(BETTER), [run])
    assert found.verdict == verdict
    assert found.why == f"ires is {word} ires_no_se on FER2013 (interim analysis at 5 seeds)"


def test_an_analysis_is_judged_at_the_level_that_it_may_spend(tmp_path: Path) -> None:
    """p is that of five seeds; it supports where it is below the level of the analysis, and not just below 5 %."""
    accuracy = {"ires": 0.62, "ires_no_se": 0.57}
    run = run_of(tmp_path / "plain", accuracy, seeds=range(5))
    p_value = new_images(run.paired_differences("ires", "ires_no_se", "fer2013")[1]).p_value
    assert 0.0001 < p_value < 0.05
    for level, verdict in ((p_value * 1.01, "supported"), (p_value / 1.01, "undecided")):
        found = judged(claim_of(BETTER), [analysed_run(tmp_path / verdict, accuracy, "undecided", level)])
        assert found.verdict == verdict
    assert judged(claim_of(BETTER), [analysed_run(tmp_path / "again", accuracy, "worse", p_value * 1.01)]).p_value == (
        pytest.approx(0.05 / 1.01)
    )


def test_the_margin_of_the_claim_decides_and_not_that_of_the_study(tmp_path: Path) -> None:
    run = analysed_run(tmp_path / "same", {"ires": 5.0, "ires_no_se": 5.0}, "equivalent", 0.04)
    assert judged(claim_of({**BETTER, "margin_points": 3.0}), [run]).verdict == "contradicted"
    assert judged(claim_of({**BETTER, "margin_points": 0.1}), [run]).verdict == "undecided"


def test_a_pair_that_no_analysis_judged_is_said_to_be_tested_as_if_seeds_had_been_fixed(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", {"ires": 0.62, "ires_no_se": 0.48}, seeds=range(10))
    plain = judged(claim_of(BETTER), [run])
    run.folder.write_interim_analyses(InterimAnalyses(max_seeds=20))
    analysed = judged(claim_of(BETTER), [load_run(run.folder.path)])
    assert (plain.verdict, analysed.verdict) == ("supported", "supported")
    words = "ires and ires_no_se on FER2013 as if seeds had been fixed, though they were added until other comparisons"
    assert any(remark.startswith(words) for remark in analysed.remarks)
    assert not any("as if seeds" in remark for remark in plain.remarks)
