"""All networks beside each other: which blocks and networks are compared, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from fbench.reports.findings.comparisons.evidence import Evidence, gather
from fbench.reports.findings.comparisons.many import complete_blocks, friedman_sentence, many_result
from fbench.reports.render.html.build import build_report
from tests.reports.fabricated_run import Recipe, fabricate_run
from tests.reports.read_page import Page

pytestmark = pytest.mark.usefixtures("unpainted")

FOUR = {"ires": 0.62, "ires_no_se": 0.48, "ires_relu": 0.61, "arch1": 0.70}


def evidences(folder: Path, recipe: Recipe) -> list[Evidence]:
    run = fabricate_run(folder, recipe)
    return [gather(run, data) for data in run.config.data]


def test_blocks_are_data_sets_and_seeds_and_scores_are_accuracies(folder: Path) -> None:
    found = evidences(folder, Recipe(accuracy=FOUR, seeds=(0, 4), images=60, data=("fer2013", "ck48")))
    blocks = complete_blocks(found)
    assert blocks.blocks == (("fer2013", 0), ("fer2013", 4), ("ck48", 0), ("ck48", 4))
    assert blocks.scores.shape == (4, 4)
    assert blocks.scores[3, 2] == found[1].networks["ires_relu"].correct[1].mean()


def test_a_missing_seed_takes_its_block_away_and_is_named(folder: Path) -> None:
    recipe = Recipe(accuracy=FOUR, seeds=range(5), images=60, failed=(("arch1", 2),), missing=(("ires", 4),))
    result = many_result(evidences(folder, recipe))
    assert result is not None
    assert [seed for _, seed in result.blocks.blocks] == [0, 1, 3]
    assert result.blocks.networks == tuple(FOUR)
    assert "Not every network finished these, which are left out: seed 2 and seed 4." in result.statements


def test_a_network_that_would_take_most_blocks_away_is_left_out_and_named(folder: Path) -> None:
    missing = tuple(("ires_relu", seed) for seed in (0, 1, 2))
    result = many_result(evidences(folder, Recipe(accuracy=FOUR, seeds=range(5), images=60, missing=missing)))
    assert result is not None
    assert result.blocks.left_out == ("ires_relu",)
    assert len(result.blocks.blocks) == 5
    assert any(
        "too few of the seeds that the others have" in text and "ires_relu" in text for text in result.statements
    )


def test_friedman_is_that_of_the_accuracies(folder: Path) -> None:
    result = many_result(evidences(folder, Recipe(accuracy=FOUR, seeds=range(6), images=60)))
    assert result is not None
    expected = stats.friedmanchisquare(*result.blocks.scores.T)
    assert result.friedman.chi_squared == pytest.approx(expected.statistic)
    assert result.over_data_sets is None
    assert "says nothing of other images" in result.statements[0]
    assert friedman_sentence(result).startswith("Friedman’s test: the order is more than chance (F(3, 15) = ")
    assert [row.average_rank for row in result.rows] == sorted(row.average_rank for row in result.rows)
    assert sum(row.ahead_of for row in result.rows) == sum(row.behind for row in result.rows)


def test_with_several_data_sets_the_test_is_repeated_with_them_as_blocks(folder: Path) -> None:
    result = many_result(evidences(folder, Recipe(accuracy=FOUR, images=60, data=("fer2013", "ck48", "imed"))))
    assert result is not None
    assert result.over_data_sets is not None
    assert (result.over_data_sets.blocks, result.friedman.blocks) == (3, 9)
    assert "Seeds of one data set are no data sets of their own" in result.statements[0]
    assert "With the 3 data sets as blocks" in friedman_sentence(result)


@pytest.mark.parametrize(("networks", "seeds"), [(2, 4), (3, 1)])
def test_two_networks_or_one_seed_are_not_ranked(folder: Path, networks: int, seeds: int) -> None:
    accuracy = dict(list(FOUR.items())[:networks])
    run = fabricate_run(folder, Recipe(accuracy=accuracy, seeds=range(seeds), images=60))
    assert many_result([gather(run, run.config.data[0])]) is None
    assert "Ranks over" not in " ".join(table.caption for table in Page(build_report([run])).tables)


@pytest.mark.slow
def test_profiles_are_drawn_from_eight_runs_on(folder: Path) -> None:
    for seeds, drawn in ((7, False), (8, True)):
        run = fabricate_run(folder / str(seeds), Recipe(accuracy=FOUR, seeds=range(seeds), images=60))
        result = many_result([gather(run, run.config.data[0])])
        assert result is not None
        assert bool(result.profiles) is drawn
    shares = result.profiles["arch1"].shares
    assert (shares[0], shares[-1]) == (1, 0)


def test_networks_that_are_equal_in_every_block_are_said_to_be(folder: Path) -> None:
    found = evidences(folder, Recipe(accuracy={"ires": 0.6, "arch1": 0.6, "arch2": 0.6}, images=60))
    for one in found[0].networks.values():
        one.correct[:] = np.arange(60) % 2 == 0
    result = many_result(found)
    assert result is not None
    assert friedman_sentence(result) == "In every block all networks are equally accurate."
    assert result.groups == ((0, 1, 2),)


def test_ranks_stand_on_a_page_of_several_data_sets_alone_and_who_may_be_the_best_on_every_one(tmp_path: Path) -> None:
    one = Page(build_report([fabricate_run(tmp_path / "one", Recipe(images=60))]))
    assert [table for table in one.tables if table.caption.startswith("Ranks over")] == []
    assert one.table("Which networks may be the most accurate, at this budget").row("ires")[4] == "yes"
    run = fabricate_run(tmp_path / "two", Recipe(images=60, data=("fer2013", "ck48"), synthetic=True))
    two = Page(build_report([run]))
    captions = [table.caption for table in two.tables if table.caption.startswith("Ranks over")]
    assert captions == ["Ranks over 6 blocks, at this budget (synthetic data)"]
    assert len([table for table in two.tables if table.caption.startswith("Which networks may be")]) == 2
    assert "All networks over all data sets" in two.text
