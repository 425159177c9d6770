"""The first sentence of a report: the rule, by hand, on made-up runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.gather import gather_findings
from fbench.reports.findings.overview.gather import Overview
from tests.reports.fabricated_run import Recipe, fabricate_run

STUDY = {"name": "s", "title": "S", "question": "?", "baseline": "ires", "levels": ("ires", "ires_no_se", "ires_relu")}
FAR_APART = {"ires": 0.9, "ires_no_se": 0.3, "ires_relu": 0.3}


def overview_of(run: RunTable) -> Overview:
    return gather_findings([run]).data_sections[0].overview


def of_recipe(folder: Path, *, own_budget: bool = True, **recipe: object) -> Overview:
    run = fabricate_run(folder / "run", Recipe(**({"studies": (STUDY,), "seeds": range(5)} | recipe)))  # type: ignore[arg-type]
    if own_budget:
        budget = run.config.budget.model_copy(update={"epochs": None, "image_passes": None})
        run = replace(run, config=run.config.model_copy(update={"budget": budget}))
    return overview_of(run)


def test_the_one_that_is_best_beyond_chance_is_taken(tmp_path: Path) -> None:
    found = of_recipe(tmp_path, accuracy=FAR_APART)
    assert found.recommendation.network == "ires"
    assert found.recommendation.sentence.startswith("Take ires (top-1 8")
    assert "the only network that is shown to be within 1 point of the best" in found.recommendation.sentence
    assert found.recommendation.reason == "Most accurate: ires, beyond chance."


def test_of_those_within_the_margin_the_one_with_the_fewest_macs_is_taken(tmp_path: Path) -> None:
    """Equal answers of many images: all three are shown to be within a wide margin, and ires_no_se is the cheapest."""
    wide = STUDY | {"margin_points": 30.0}
    found = of_recipe(tmp_path, accuracy=dict.fromkeys(FAR_APART, 0.6), studies=(wide,), images=600)
    cheapest = min(found.contenders, key=lambda one: one.summary.cost.macs or 0)
    assert found.recommendation.network == cheapest.network
    assert "the fewest MACs of the 3 networks that are shown to be within 30 points" in found.recommendation.sentence
    assert found.recommendation.reason.startswith("The most accurate may be any of 3: ")


def test_a_short_budget_recommends_nothing_and_says_what_to_try(tmp_path: Path) -> None:
    found = of_recipe(tmp_path, accuracy=FAR_APART, own_budget=False)
    assert found.recommendation.network is None
    assert found.recommendation.sentence.startswith("No recommendation yet: a training saw ")
    assert "At this budget the rule names ires (" in found.recommendation.reason
    assert "--preset full" in found.recommendation.command
    # 60 epochs for 4; three networks with seeds 0 to 4 took 100 s and 3 s more by seed, two at a time
    hours = 15 * 3 * (100 + 103 + 106 + 109 + 112) / 2 / 3600
    assert found.recommendation.effort == f"15 times the images: about {hours:.3g} hours on such a machine, 2 at a time"


def test_where_nobody_is_shown_to_be_close_nobody_is_taken(tmp_path: Path) -> None:
    found = of_recipe(tmp_path, accuracy=dict.fromkeys(FAR_APART, 0.6), images=60)
    assert found.recommendation.network is None
    assert "no network is shown to be within 1 point of the best" in found.recommendation.sentence


def test_one_seed_and_collapsed_networks_are_no_reason_to_take_anything(tmp_path: Path) -> None:
    one = of_recipe(tmp_path / "a", seeds=(0,))
    assert one.recommendation.sentence == (
        "No recommendation: one training of a network tells nothing of the chance of a seed."
    )
    assert one.contenders == ()
    collapsed = of_recipe(tmp_path / "b", accuracy=FAR_APART, collapsed=("ires_no_se", "ires_relu"))
    assert collapsed.recommendation.sentence == "No recommendation: fewer than two networks learned."


def test_smoke_recommends_nothing(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(accuracy=FAR_APART, studies=(STUDY,)))
    smoke = replace(run, config=run.config.model_copy(update={"preset": "smoke"}))
    found = overview_of(smoke)
    assert found.recommendation.sentence == "No recommendation: the preset smoke only shows that everything runs."


def test_a_network_that_trails_beyond_chance_is_none_that_may_be_the_best(tmp_path: Path) -> None:
    found = of_recipe(tmp_path, accuracy={"ires": 0.8, "ires_no_se": 0.8, "ires_relu": 0.5}, images=600)
    assert {one.network for one in found.contenders if one.bound.may_be_best} == {"ires", "ires_no_se"}
