from __future__ import annotations

import json
from pathlib import Path

import pytest

from fbench.ablations.suite import Suite
from fbench.benchmark.records.interim_analyses import ComparisonKey, InterimAnalyses
from fbench.benchmark.runs.interim_analyses import (
    has_its_trials,
    next_analysis,
    open_keys,
    planned_analyses,
    take_analyses,
    wanted_seeds,
)
from fbench.benchmark.store.run_table import RunTable
from fbench.core.errors import UserError
from fbench.statistics.estimands import new_images
from fbench.statistics.seeds.sequential import analysis_levels
from tests.reports.fabricated_run import Recipe, fabricate_run

DATA = ("fer2013",)
FAR = ComparisonKey("squeeze_excite", "ires_no_se", "ires", "fer2013")
NEAR = ComparisonKey("activation", "ires_relu", "ires", "fer2013")


def suite_of(run: RunTable) -> Suite:
    return run.config.suite


@pytest.fixture(scope="module")
def ten(tmp_path_factory: pytest.TempPathFactory) -> RunTable:
    """Ten seeds; ires_no_se is far worse than ires, ires_relu about as good."""
    recipe = Recipe(accuracy={"ires": 0.62, "ires_no_se": 0.35, "ires_relu": 0.61}, seeds=range(10), with_cost=False)
    return fabricate_run(tmp_path_factory.mktemp("ten") / "run", recipe)


def test_every_network_of_a_comparison_starts_with_five_seeds(ten: RunTable) -> None:
    wanted = wanted_seeds(suite_of(ten), DATA, InterimAnalyses(max_seeds=20))
    assert wanted == {("ires", "fer2013"): 5, ("ires_no_se", "fer2013"): 5, ("ires_relu", "fer2013"): 5}


def test_a_network_that_is_compared_with_none_is_trained_as_often_as_the_first_analysis_wants(tmp_path: Path) -> None:
    alone = {"name": "alone", "title": "Alone", "question": "How good?", "baseline": "ires", "levels": ("ires",)}
    recipe = Recipe(accuracy={"ires": 0.6}, studies=(alone,), seeds=(0,), images=40, with_cost=False)
    run = fabricate_run(tmp_path / "run", recipe)
    assert wanted_seeds(suite_of(run), DATA, InterimAnalyses(max_seeds=20)) == {("ires", "fer2013"): 5}


def test_seeds_are_added_only_to_networks_of_open_comparisons(ten: RunTable) -> None:
    suite = suite_of(ten)
    analyses = take_analyses(suite, ten, DATA, InterimAnalyses(max_seeds=20))
    closed = InterimAnalyses(
        max_seeds=20,
        analyses=tuple(
            analysis.model_copy(update={"state": "decided" if analysis.key == FAR else "open"})
            for analysis in analyses.analyses[:2]
        ),
    )
    assert open_keys(suite, DATA, closed) == [NEAR]
    assert next_analysis(NEAR, closed) == 10
    assert wanted_seeds(suite, DATA, closed) == {
        ("ires", "fer2013"): 10,
        ("ires_no_se", "fer2013"): 5,
        ("ires_relu", "fer2013"): 10,
    }


def test_an_analysis_uses_the_seeds_of_that_analysis_alone_and_reports_the_repeated_interval(ten: RunTable) -> None:
    analyses = take_analyses(suite_of(ten), ten, DATA, InterimAnalyses(max_seeds=20))
    first = next(analysis for analysis in analyses.analyses if analysis.key == FAR)
    _, differences = ten.paired_differences("ires_no_se", "ires", "fer2013")
    estimate, level = new_images(differences[:5]), analysis_levels(20, 0.05 / 2)[0].different  # two comparisons
    half = estimate.distribution.quantile(1 - level) * estimate.standard_error
    assert (first.seeds, first.pairs, first.different_level) == (5, 5, level)
    assert (first.estimate, first.p_value) == (estimate.estimate, estimate.p_value)
    assert (first.low, first.high) == pytest.approx((max(-1, estimate.estimate - half), estimate.estimate + half))


def test_comparisons_of_one_study_share_its_level_and_are_held_against_its_margin(tmp_path: Path) -> None:
    """Two comparisons may spend 2.5 % each; equivalence is the larger p-value of two one-sided tests at half a
    point."""
    both = {
        "name": "both",
        "title": "Both",
        "question": "Does either help?",
        "baseline": "ires",
        "levels": ("ires", "ires_no_se", "ires_relu"),
        "margin_points": 0.5,
    }
    run = fabricate_run(tmp_path / "run", Recipe(studies=(both,), seeds=range(5), with_cost=False))
    analyses = take_analyses(suite_of(run), run, DATA, InterimAnalyses(max_seeds=20)).analyses
    first = analysis_levels(20, 0.05 / 2)[0]
    assert [analysis.network for analysis in analyses] == ["ires_no_se", "ires_relu"]
    assert {(analysis.different_level, analysis.equivalent_level) for analysis in analyses} == {
        (first.different, first.equivalent)
    }
    for analysis in analyses:
        estimate = new_images(run.paired_differences(analysis.network, "ires", "fer2013")[1])
        assert analysis.p_equivalent == pytest.approx(
            max(estimate.p_at_least(0.005), estimate.p_at_most(-0.005)), rel=1e-9
        )


def test_an_analysis_has_its_trials_as_long_as_every_pair_that_it_saw_is_there(ten: RunTable, tmp_path: Path) -> None:
    """A pair of a later seed, or one half of a pair, is none of the five."""
    analysis = take_analyses(suite_of(ten), ten, DATA, InterimAnalyses(max_seeds=20)).latest(FAR)
    assert analysis is not None
    assert has_its_trials(analysis, ten)
    recipe = Recipe(seeds=range(10), images=50, missing=(("ires_no_se", 3),), with_cost=False)
    assert not has_its_trials(analysis, fabricate_run(tmp_path / "run", recipe))


def test_a_far_worse_network_is_decided_before_the_last_analysis(ten: RunTable) -> None:
    analyses = InterimAnalyses(max_seeds=20)
    for _ in range(2):
        analyses = take_analyses(suite_of(ten), ten, DATA, analyses)
    latest = analyses.latest(FAR)
    assert latest is not None
    assert (latest.verdict, latest.state) == ("worse", "decided")
    assert latest.seeds <= 10


def test_an_analysis_waits_until_all_its_trials_have_ended(ten: RunTable, tmp_path: Path) -> None:
    four = fabricate_run(tmp_path / "four", Recipe(seeds=range(4), images=50, with_cost=False))
    assert take_analyses(suite_of(four), four, DATA, InterimAnalyses(max_seeds=20)).analyses == ()


def test_failed_trials_leave_fewer_pairs_and_too_few_say_nothing(tmp_path: Path) -> None:
    failed = tuple(("ires_relu", seed) for seed in range(4))
    run = fabricate_run(tmp_path / "run", Recipe(seeds=range(5), images=50, failed=failed, with_cost=False))
    analyses = take_analyses(suite_of(run), run, DATA, InterimAnalyses(max_seeds=20))
    near = analyses.latest(NEAR)
    assert near is not None
    assert (near.pairs, near.estimate, near.state) == (1, None, "open")
    last = take_analyses(suite_of(run), run, DATA, InterimAnalyses(max_seeds=5)).latest(NEAR)
    assert last is not None
    assert (last.pairs, last.estimate, last.state) == (1, None, "last analysis")


def test_two_pairs_are_enough_for_an_estimate(tmp_path: Path) -> None:
    failed = tuple(("ires_relu", seed) for seed in range(3))
    run = fabricate_run(tmp_path / "run", Recipe(seeds=range(5), images=50, failed=failed, with_cost=False))
    near = take_analyses(suite_of(run), run, DATA, InterimAnalyses(max_seeds=20)).latest(NEAR)
    assert near is not None
    _, differences = run.paired_differences("ires_relu", "ires", "fer2013")
    assert (near.pairs, near.estimate) == (2, differences.mean())


def test_analyses_are_kept_in_the_run_and_their_number_of_seeds_is_settled(ten: RunTable) -> None:
    assert ten.interim_analyses is None
    analyses = take_analyses(suite_of(ten), ten, DATA, planned_analyses(ten.folder, 20))
    ten.folder.write_interim_analyses(analyses)
    assert planned_analyses(ten.folder, 20) == analyses
    with pytest.raises(UserError, match=r"planned for at most 20 seeds.*give --max-seeds 20"):
        planned_analyses(ten.folder, 30)
    (ten.folder.path / "interim_analyses.json").unlink()


def test_networks_that_did_not_learn_stay_undecided_at_every_analysis(tmp_path: Path) -> None:
    recipe = Recipe(seeds=range(10), images=3_589, with_cost=False, collapsed=("ires", "ires_relu", "ires_no_se"))
    run = fabricate_run(tmp_path / "run", recipe)
    analyses = InterimAnalyses(max_seeds=20)
    for _ in range(2):
        analyses = take_analyses(suite_of(run), run, DATA, analyses)
    assert {analysis.verdict for analysis in analyses.analyses} == {"undecided"}


def test_a_network_that_did_not_learn_is_worse_than_one_that_did(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(seeds=range(5), with_cost=False, collapsed=("ires_no_se",)))
    far = take_analyses(suite_of(run), run, DATA, InterimAnalyses(max_seeds=5)).latest(FAR)
    assert far is not None
    assert (far.verdict, far.state) == ("worse", "decided")


def test_an_analysis_is_of_trainings_that_learned_and_stops_only_if_all_say_the_same(tmp_path: Path) -> None:
    """Trainings of the far worse network that collapsed pull the same way; of the better one they do not."""
    bad = (("ires_no_se", 1), ("ires_relu", 3))
    accuracy = {"ires": 0.62, "ires_no_se": 0.25, "ires_relu": 0.92}
    made = Recipe(accuracy=accuracy, seeds=range(5), collapsed_trials=bad, with_cost=False)
    run = fabricate_run(tmp_path / "run", made)
    analyses = take_analyses(suite_of(run), run, DATA, InterimAnalyses(max_seeds=10))
    far, near = analyses.latest(FAR), analyses.latest(NEAR)
    assert far is not None
    assert near is not None
    _, differences = run.paired_differences("ires_no_se", "ires", "fer2013")
    assert (far.pairs, far.learned_pairs) == (5, 4)
    assert far.estimate == pytest.approx(differences[[0, 2, 3, 4]].mean())
    assert (far.verdict, far.learned_verdict, far.state) == ("worse", "worse", "decided")
    assert (near.verdict, near.learned_verdict, near.state) == ("undecided", "better", "open")


def test_means_with_collapsed_trainings_alone_stop_nothing(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(seeds=range(5), with_cost=False, collapsed=("ires_no_se",)))
    far = take_analyses(suite_of(run), run, DATA, InterimAnalyses(max_seeds=20)).latest(FAR)
    assert far is not None
    assert (far.pairs, far.learned_pairs, far.estimate, far.state) == (5, 0, None, "open")


def test_a_file_of_an_older_fbench_is_read(ten: RunTable) -> None:
    analyses = take_analyses(suite_of(ten), ten, DATA, InterimAnalyses(max_seeds=5))
    assert analyses.analyses[-1].state == "last analysis"
    kept = analyses.model_dump(mode="json")
    looks = [one | {"state": one["state"].replace("last analysis", "last look")} for one in kept.pop("analyses")]
    (ten.folder.path / "looks.json").write_text(json.dumps(kept | {"looks": looks}), encoding="utf-8")
    assert ten.folder.interim_analyses() == analyses
    (ten.folder.path / "looks.json").unlink()
