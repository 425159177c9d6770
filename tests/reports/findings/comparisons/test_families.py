from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from statsmodels.stats.multitest import multipletests

from fbench.benchmark.store.run_table import load_run
from fbench.reports.findings.comparisons.comparison import Comparison
from fbench.reports.findings.comparisons.evidence import gather
from fbench.reports.findings.comparisons.families import CorrectedFamily, family_sentences
from fbench.reports.findings.comparisons.studies import StudyResult, study_results
from fbench.reports.findings.comparisons.verdicts import verdict_sentence
from fbench.reports.formatting import points
from tests.reports.fabricated_run import Recipe, fabricate_run

REFERENCE = Path(__file__).parents[4] / "results" / "fer2013-standard"


def results(folder: Path, recipe: Recipe) -> list[StudyResult]:
    run = fabricate_run(folder, recipe)
    return study_results(gather(run, run.config.data[0]))


@pytest.fixture(scope="module")
def committed() -> list[StudyResult]:
    run = load_run(REFERENCE)
    return study_results(gather(run, run.config.data[0]))


def compared(found: list[StudyResult]) -> dict[str, Comparison]:
    return {row.network: row for result in found for row in result.comparisons}


def test_all_studies_of_a_run_are_corrected_together(committed: list[StudyResult]) -> None:
    rows = [row for result in committed for row in result.comparisons]
    assert len(rows) == 9
    wanted = multipletests([row.difference.new_images.p_value for row in rows], method="holm")[1]
    assert [row.decision.p_adjusted for row in rows] == pytest.approx(wanted)


def test_squeeze_and_excitation_of_the_committed_run_is_undecided_among_nine(committed: list[StudyResult]) -> None:
    row = compared(committed)["ires_no_se"]
    assert row.difference.new_images.p_value == pytest.approx(0.017, abs=5e-4)
    assert row.decision.p_adjusted == pytest.approx(0.068, abs=5e-4)
    assert row.verdict == "undecided"
    assert row.plain_interval[0] > 0 > row.interval[0]


def test_the_committed_run_names_what_was_never_planned(committed: list[StudyResult]) -> None:
    (sentence,) = family_sentences(list(dict.fromkeys(result.family for result in committed)))
    assert sentence.startswith("Verdicts are corrected by Holm over all 9 comparisons planned on this data set; never")
    assert "ires_kernel3 against ires" in sentence
    assert "arch4 against arch1" in sentence


def test_an_interval_leaves_out_zero_exactly_where_the_verdict_says_so(committed: list[StudyResult]) -> None:
    for row in compared(committed).values():
        low, high = row.interval
        assert (low > 0) == (row.verdict == "better")
        assert (high < 0) == (row.verdict == "worse")


def test_an_equivalence_is_told_by_the_interval_within_the_margin(committed: list[StudyResult]) -> None:
    (row,) = [row for row in compared(committed).values() if row.verdict == "equivalent"]
    low, high = row.equivalence_interval
    assert -0.01 < low < high < 0.01
    result = next(one for one in committed if row in one.comparisons)
    assert f"({points(low)} to {points(high)} points)" in verdict_sentence(row, result)


def test_planned_comparisons_count_before_they_have_finished(tmp_path: Path) -> None:
    study = {"name": "all", "title": "All", "question": "?", "baseline": "ires"}
    first = {**study, "levels": ("ires", "ires_no_se")}
    second = {**study, "name": "more", "levels": ("ires", "ires_relu", "ires_kernel3")}
    recipe = Recipe(
        accuracy={"ires": 0.6, "ires_no_se": 0.5, "ires_relu": 0.6, "ires_kernel3": 0.6},
        studies=(first, second),
        missing=tuple((name, seed) for name in ("ires_relu", "ires_kernel3") for seed in range(3)),
        seeds=range(3),
    )
    (row,) = compared(results(tmp_path / "run", recipe)).values()
    assert row.decision.p_adjusted == pytest.approx(3 * row.difference.new_images.p_value)


def test_the_same_pair_in_two_studies_is_one_test(tmp_path: Path) -> None:
    study = {"name": "one", "title": "One", "question": "?", "baseline": "ires", "levels": ("ires", "ires_no_se")}
    turned = {**study, "name": "two", "baseline": "ires_no_se"}
    first, second = results(tmp_path / "run", Recipe(studies=(study, turned), seeds=range(4)))
    ours, theirs = first.comparisons[0], second.comparisons[0]
    assert first.family.size == 1
    assert ours.decision.p_adjusted == theirs.decision.p_adjusted == pytest.approx(ours.difference.new_images.p_value)
    assert ours.interval == pytest.approx((-theirs.interval[1], -theirs.interval[0]))


def test_one_comparison_needs_no_correction_and_families_by_study_say_so() -> None:
    alone = CorrectedFamily("all comparisons", 1, "holm")
    assert family_sentences([alone]) == []
    by_study = replace(alone, name="head", size=2)
    assert family_sentences([by_study]) == [
        "Verdicts are corrected by Holm over the 2 comparisons planned in the study head alone on this data set."
    ]
