"""Verdicts as sentences, from made-up runs."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fbench.benchmark.records.interim_analyses import InterimAnalyses
from fbench.benchmark.runs.interim_analyses import take_analyses
from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.benchmark.store.trial_result import TrialResult
from fbench.reports.findings.comparisons.evidence import gather
from fbench.reports.findings.comparisons.studies import StudyResult, study_results
from fbench.reports.findings.comparisons.verdicts import verdict_sentence
from fbench.reports.findings.origin.provenance import repeat_command
from fbench.reports.render.html.build import build_report
from fbench.statistics.collapse import Collapses
from fbench.statistics.comparison.equivalence import certified_margin
from tests.reports.fabricated_run import Recipe, fabricate_run

pytestmark = pytest.mark.usefixtures("unpainted")


def study(levels: tuple[str, ...], **more: Any) -> dict[str, Any]:
    return {"name": "one", "title": "One", "question": "?", "baseline": "ires", "levels": levels, **more}


def result_of(folder: Path, **options: Any) -> StudyResult:
    run = fabricate_run(folder / "run", Recipe(**{"with_cost": False, **options}))
    (result,) = study_results(gather(run, run.config.data[0]))
    return result


def sentences(result: StudyResult) -> list[str]:
    return [verdict_sentence(row, result) for row in result.comparisons]


def test_a_real_difference_has_its_size_interval_and_p(tmp_path: Path) -> None:
    result = result_of(
        tmp_path, studies=(study(("ires", "ires_no_se")),), accuracy={"ires": 0.62, "ires_no_se": 0.4}, seeds=range(6)
    )
    (found,) = sentences(result)
    assert found.startswith("ires_no_se is ")
    assert " points worse than ires (−" in found
    assert found.endswith("p\N{NO-BREAK SPACE}<\N{NO-BREAK SPACE}0.001)")  # a single test needs no correction


def test_of_subjects_verdicts_and_headers_speak(tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "studies": (study(("ires", "ires_no_se"), margin_points=20),),
        "accuracy": {"ires": 0.62, "ires_no_se": 0.6},
        "seeds": range(6),
    }
    of_images = result_of(tmp_path / "images", **options).comparisons[0].difference.new_images
    of_subjects = result_of(tmp_path / "subjects", images_of_subject=40, **options)
    (row,) = of_subjects.comparisons
    found = row.difference.new_images
    assert row.unit == "subjects"
    assert found.discordance is not None
    assert found.discordance.images == 10
    assert found.high - found.low > of_images.high - of_images.low
    (sentence,) = sentences(of_subjects)
    assert "undecided" in sentence  # no margin of 20 points is certified by ten subjects: 0.8^10 is 0.11
    page = build_report([load_run(tmp_path / "subjects" / "run")])
    assert "Verdict, at this budget, on new subjects" in page
    assert "seeds and subjects" in page


def test_few_subjects_that_differ_are_counted_as_such(tmp_path: Path) -> None:
    result = result_of(
        tmp_path,
        studies=(study(("ires", "ires_relu")),),
        accuracy={"ires": 1.3, "ires_relu": 1.3},
        images=60,
        seeds=range(3),
        images_of_subject=6,
    )
    (found,) = sentences(result)
    assert " of 10 subjects differ" in found
    assert "1 point needs" in found
    assert found.endswith(" subjects")


def test_equal_networks_are_equivalent_within_the_studys_margin(tmp_path: Path) -> None:
    result = result_of(
        tmp_path,
        studies=(study(("ires", "ires_relu"), margin_points=15),),
        accuracy={"ires": 0.62, "ires_relu": 0.61},
        seeds=range(6),
    )
    (found,) = sentences(result)
    assert found.startswith("ires_relu and ires are equivalent within 15 points (")


def test_an_undecided_comparison_says_what_it_lacks(tmp_path: Path) -> None:
    result = result_of(
        tmp_path,
        studies=(study(("ires", "ires_relu")),),
        accuracy={"ires": 0.62, "ires_relu": 0.61},
        images=200,
        seeds=(0, 1),
    )
    (found,) = sentences(result)
    (row,) = result.comparisons
    assert row.more is not None
    assert "is undecided (" in found
    assert f"equivalent only within {100 * row.decision.smallest_margin:.1f}" in found
    assert ("would decide" in found) == (row.more.seeds is not None)
    assert ("this test set is too small" in found) == (row.more.seeds is None)


def test_missing_trials_are_named_and_the_common_seeds_used(tmp_path: Path) -> None:
    result = result_of(
        tmp_path,
        studies=(study(("ires", "ires_relu")),),
        accuracy={"ires": 0.62, "ires_relu": 0.61},
        seeds=range(4),
        failed=(("ires_relu", 2),),
    )
    assert result.comparisons[0].difference.our_seeds == (0, 1, 3)
    assert sentences(result)[0].endswith("[left out, as one of both lacks it: seed 2]")


def test_networks_without_common_seeds_are_compared_unpaired(tmp_path: Path) -> None:
    result = result_of(
        tmp_path,
        studies=(study(("ires", "ires_relu")),),
        accuracy={"ires": 0.62, "ires_relu": 0.61},
        seeds=range(4),
        failed=(("ires_relu", 0), ("ires_relu", 1), ("ires", 2), ("ires", 3)),
    )
    assert sentences(result)[0].endswith("[unpaired, as the two have less than two thirds of their seeds in common]")


def test_where_seeds_were_added_the_analysis_decides(tmp_path: Path) -> None:
    recipe = Recipe(
        studies=(study(("ires", "ires_no_se")),),
        accuracy={"ires": 0.62, "ires_no_se": 0.45},
        seeds=range(10),
        with_cost=False,
    )
    run = fabricate_run(tmp_path / "run", recipe)
    analyses = InterimAnalyses(max_seeds=20)
    for _ in range(2):
        analyses = take_analyses(run.config.suite, run, ("fer2013",), analyses)
    run.folder.write_interim_analyses(analyses)
    (result,) = study_results(gather(run, run.config.data[0]))
    (row,) = result.comparisons
    assert row.analysis == analyses.analyses[-1]
    assert row.verdict == row.analysis.verdict == "worse"
    assert f"repeated interval of the interim analysis at {row.analysis.seeds} seeds)" in sentences(result)[0]


def alike(folder: Path, images: int, seeds: range = range(3)) -> StudyResult:
    """Two networks with one and the same answers on so many images, with every seed."""
    run = fabricate_run(
        folder,
        Recipe(
            images=images,
            seeds=seeds,
            studies=(study(("ires", "ires_relu")),),
            accuracy={"ires": 0.9, "ires_relu": 0.9},
            with_cost=False,
            equal_classes=True,
        ),
    )
    first, *others = run.trials.values()
    answers = run.predictions(first)
    for record in others:
        same = record.model_copy(update={"validation": first.validation, "test": first.test})
        run.folder.write_trial(TrialResult(same, tuple(run.history(record)), answers))
    run = load_run(run.folder.path)
    assert "ires_relu" in build_report([run])
    return study_results(gather(run, run.config.data[0]))[0]


def test_networks_that_answer_alike_on_enough_images_are_equivalent(tmp_path: Path) -> None:
    """400 images: 0.05^(1/400) leaves 0.75 points to either side, one-sided at 5 %."""
    result = alike(tmp_path / "run", 400)
    (row,) = result.comparisons
    assert row.verdict == "equivalent"
    assert 100 * row.smallest_margin == pytest.approx(100 * (1 - 0.05 ** (1 / 400)))
    assert sentences(result) == ["ires_relu and ires are equivalent within 1 point (−0.7 to +0.7 points)"]


@pytest.mark.parametrize(
    ("images", "seeds", "words"),
    [
        (
            21,
            3,
            " (−16.1 to +16.1 points; equivalent only within 13.3; 0 of 21 images differ, up to 13 % may): 1 point "
            "needs 299 images",
        ),
        (
            147,
            3,
            " (−2.5 to +2.5 points; equivalent only within 2.0; 0 of 147 images differ, up to 2.0 % may): 1 point "
            "needs 299 images",
        ),
        (
            147,
            1,
            ": one training on a side says nothing of the chance of a seed; 0 of 147 images differ, up to 2.0 % may; "
            "1 point needs 299 images",
        ),
    ],
)
def test_networks_that_answer_alike_on_few_images_are_undecided(
    tmp_path: Path, images: int, seeds: int, words: str
) -> None:
    (found,) = sentences(alike(tmp_path / "run", images, range(seeds)))
    assert found.startswith(f"ires_relu against ires is undecided{words}")


@pytest.mark.parametrize(("seeds", "images"), [(1, 7), (3, 7), (10, 400)])
def test_two_networks_that_did_not_learn_are_not_equivalent(tmp_path: Path, seeds: int, images: int) -> None:
    result = result_of(
        tmp_path,
        images=images,
        seeds=range(seeds),
        studies=(study(("ires", "ires_relu")),),
        accuracy={"ires": 0.6, "ires_relu": 0.6},
        collapsed=("ires", "ires_relu"),
        equal_classes=True,
    )
    (row,) = result.comparisons
    (found,) = sentences(result)
    assert (row.verdict, row.neither_learned, row.more) == ("undecided", True, None)
    assert found.startswith(
        "ires_relu against ires is undecided: neither of the two learned, as both are within chance of the largest "
        "class"
    )
    assert ("0 of 7 images differ, up to 35 % may; 1 point needs 299 images" in found) == (images == 7)


def test_one_that_learned_is_better_than_one_that_did_not(tmp_path: Path) -> None:
    result = result_of(
        tmp_path,
        seeds=range(5),
        studies=(study(("ires", "ires_relu")),),
        accuracy={"ires": 0.6, "ires_relu": 0.6},
        collapsed=("ires",),
    )
    (row,) = result.comparisons
    assert (row.verdict, row.neither_learned) == ("better", False)


def test_verdicts_are_on_trainings_that_learned_where_all_of_them_say_the_same(tmp_path: Path) -> None:
    result = result_of(
        tmp_path,
        seeds=range(8),
        studies=(study(("ires", "ires_no_se", "ires_relu")),),
        accuracy={"ires": 0.62, "ires_no_se": 0.3, "ires_relu": 0.75},
        collapsed_trials=(("ires_no_se", 2), ("ires_relu", 5)),
    )
    worse, lost = result.comparisons
    assert worse.difference.our_seeds == (0, 1, 3, 4, 5, 6, 7)
    assert worse.unpaired_seeds == lost.unpaired_seeds == ()
    assert (worse.verdict, worse.decision.learned_verdict) == ("worse", "worse")
    assert (lost.verdict, lost.decision.learned_verdict) == ("undecided", "better")
    first, second = sentences(result)
    learned = (
        "1 of 8 of ires_no_se (0 to 53 %) and 0 of 8 of ires (up to 37 %) collapsed (p = 1.000 by Fisher's test); with "
        "them \N{MINUS SIGN}"
    )
    assert first.startswith("ires_no_se is ")
    assert learned.replace("p = 1", "p\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}1") in first
    assert "of trainings that learned it is better, of all trainings that is not so" in second


def test_trainings_that_learned_and_all_are_both_judged_for_new_subjects(tmp_path: Path) -> None:
    result = result_of(
        tmp_path,
        seeds=range(6),
        studies=(study(("ires", "ires_relu")),),
        accuracy={"ires": 0.62, "ires_relu": 0.6},
        collapsed_trials=(("ires_relu", 2),),
        images_of_subject=40,
    )
    (row,) = result.comparisons
    assert row.learned is not None
    for found in (row.difference, row.learned.learned, row.learned.every):
        assert found.new_images.discordance is not None
        assert found.new_images.discordance.images == 10


def test_nothing_of_the_preset_smoke_is_tested(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(seeds=range(6), accuracy={"ires": 0.9, "ires_no_se": 0.2}, images=900))
    smoke = replace(run, config=run.config.model_copy(update={"preset": "smoke"}))
    for result in study_results(gather(smoke, smoke.config.data[0])):
        for row in result.comparisons:
            assert (row.verdict, row.is_tested) == ("undecided", False)
            assert math.isnan(row.decision.p_adjusted)
            assert "undecided: the preset smoke only shows that everything runs" in verdict_sentence(row, result)


def with_analyses(folder: Path, seeds: range) -> tuple[RunTable, StudyResult]:
    """A run of so many seeds with two looks taken, and its only study."""
    recipe = Recipe(
        studies=(study(("ires", "ires_no_se")),),
        accuracy={"ires": 0.62, "ires_no_se": 0.45},
        seeds=seeds,
        with_cost=False,
    )
    run = fabricate_run(folder, recipe)
    analyses = InterimAnalyses(max_seeds=20)
    for _ in range(2):
        analyses = take_analyses(run.config.suite, run, ("fer2013",), analyses)
    run.folder.write_interim_analyses(analyses)
    return run, study_results(gather(run, run.config.data[0]))[0]


def test_seeds_that_came_after_the_last_analysis_change_nothing(tmp_path: Path) -> None:
    _, ten = with_analyses(tmp_path / "ten", range(10))
    _, more = with_analyses(tmp_path / "more", range(13))
    assert more.comparisons == ten.comparisons
    (row,) = more.comparisons
    assert row.analysis is not None
    assert row.difference.our_seeds == tuple(range(row.analysis.seeds))
    assert row.interval == (row.analysis.low, row.analysis.high)
    assert row.smallest_margin == certified_margin(row.difference.new_images, row.analysis.equivalent_level)


def test_an_analysis_without_its_trials_decides_nothing(tmp_path: Path) -> None:
    run, result = with_analyses(tmp_path / "run", range(10))
    assert result.comparisons[0].verdict == "worse"
    shutil.rmtree(run.folder.trial_folder(next(iter(run.trials))))
    (lost,) = study_results(gather(again := load_run(run.folder.path), again.config.data[0]))
    assert lost.comparisons[0].verdict == "undecided"
    assert sentences(lost) == [
        "ires_no_se against ires is undecided: trials of the interim analysis that judged it are missing"
    ]


def test_the_command_of_a_run_with_interim_analyses_repeats_them(tmp_path: Path) -> None:
    run, _ = with_analyses(tmp_path / "run", range(10))
    command = repeat_command(run)
    assert command.endswith("--until-decided --max-seeds 20")
    assert "--seeds" not in command.replace("--max-seeds", "")
    assert "--suite example.toml" in command  # a suite that does not come with fbench


def test_a_report_says_which_correction_it_has(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(images=60, with_cost=False))
    assert "by Holm’s method" in build_report([run])
    exploring = build_report([run], correction="false_discovery_rate")
    assert "by the method of Benjamini and Hochberg" in exploring
    assert "after Holm" not in exploring


def test_a_look_at_collapsed_trainings_is_told_as_the_comparisons_are(tmp_path: Path) -> None:
    recipe = Recipe(
        studies=(study(("ires", "ires_relu")),),
        accuracy={"ires": 0.5, "ires_relu": 0.8},
        seeds=range(5),
        collapsed_trials=(("ires_relu", 3),),
        with_cost=False,
    )
    run = fabricate_run(tmp_path / "run", recipe)
    run.folder.write_interim_analyses(take_analyses(run.config.suite, run, ("fer2013",), InterimAnalyses(max_seeds=10)))
    result = study_results(gather(run, run.config.data[0]))[0]
    (row,) = result.comparisons
    assert row.analysis is not None
    assert row.difference.our_seeds == (0, 1, 2, 4)
    assert row.estimate == row.difference.new_images.estimate
    assert (row.verdict, row.learned_verdict) == ("undecided", "better")
    assert row.collapses == (Collapses(1, 5), Collapses(0, 5))
    (found,) = sentences(result)
    assert "of trainings that learned it is better, of all trainings that is not so" in found
    assert "1 of 5 of ires_relu (1 to 72 %) and 0 of 5 of ires (up to 52 %) collapsed" in found
