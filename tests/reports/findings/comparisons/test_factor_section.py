"""The factors of a crossed study: numbers by hand, what is said of them, and the part of the page."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.reports.figures.drawing import to_svg
from fbench.reports.figures.interaction import interaction_plot
from fbench.reports.findings.comparisons.evidence import Evidence, gather
from fbench.reports.findings.comparisons.factor_words import (
    effect_name,
    effect_sentences,
    effect_verdict,
    left_out_sentences,
    residual_sentences,
)
from fbench.reports.findings.comparisons.factors import FactorAnalysis, FactorSection, factor_sections
from fbench.reports.formatting import points, statistic
from fbench.reports.palette import assign_styles
from fbench.reports.render.html.build import build_report
from fbench.statistics.estimands import new_images
from fbench.statistics.factors.effects import Effect
from fbench.statistics.factors.residuals import LargestResidual, ResidualChecks, ResidualTest
from tests.reports.fabricated_run import Recipe, fabricate_run
from tests.reports.read_page import Page
from tests.unpainted import unpainted_report

pytestmark = pytest.mark.usefixtures("unpainted")

SVG = "{http://www.w3.org/2000/svg}"
REFERENCE = Path(__file__).parents[4] / "results" / "fer2013-standard"
ACCURACY = {"arch1": 0.7, "arch2": 0.35, "arch3": 0.68, "arch4": 0.6}
LEVELS = {"convolution": ("separable", "full"), "head": ("gap", "dense"), "size": ("small", "large")}


def recipe(factors: int = 2, **changes: Any) -> Recipe:
    combinations = list(itertools.product(*list(LEVELS.values())[:factors]))
    names = [f"arch{place}" for place in range(1, len(combinations) + 1)]
    study = {
        "name": "crossed",
        "title": "Crossed",
        "question": "Do they depend on each other?",
        "baseline": "arch1",
        "levels": names,
        "factors": {
            name: dict(zip(LEVELS, levels, strict=False)) for name, levels in zip(names, combinations, strict=True)
        },
    }
    accuracy = ACCURACY if factors == 2 else {name: 0.5 + 0.03 * place for place, name in enumerate(names)}
    return Recipe(**({"accuracy": accuracy, "studies": (study,), "seeds": (0, 1, 2, 3)} | changes))


def evidence(folder: Path, made: Recipe) -> Evidence:
    run = fabricate_run(folder, made)
    return gather(run, run.config.data[0])


def section(found: Evidence) -> FactorSection:
    study = found.run.config.suite.studies[0]
    return factor_sections(found, [study])[study.name]


def analysis(found: Evidence) -> FactorAnalysis:
    wanted = section(found).analysis
    assert wanted is not None
    return wanted


@pytest.fixture(scope="module")
def crossed(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return evidence(tmp_path_factory.mktemp("crossed") / "run", recipe())


@pytest.fixture(scope="module")
def crossed_page(crossed: Evidence) -> Page:
    return Page(unpainted_report([crossed.run]))


def test_effects_are_those_of_the_answers_by_hand(crossed: Evidence) -> None:
    arch1, arch2, arch3, arch4 = (crossed.networks[name].correct.astype(float) for name in ACCURACY)
    head, interaction = (arch2 + arch4 - arch1 - arch3) / 2, arch4 - arch2 - arch3 + arch1
    effects = {effect_name(effect): effect for effect in analysis(crossed).effects}
    assert effects["dense against gap"].new_images == new_images(head)
    assert effects["full × dense against separable × gap"].new_images == new_images(interaction)
    assert effects["dense against gap, within convolution full"].new_images == new_images(arch4 - arch3)


def test_the_page_has_both_estimands_of_every_effect_and_the_analysis_of_variance(
    crossed: Evidence, crossed_page: Page
) -> None:
    rows = crossed_page.table("Effects on top-1").rows
    for effect in analysis(crossed).effects:
        (row,) = [row for row in rows if row[0].startswith(f"{effect_name(effect)} ") and len(row) == 9]
        assert row[1] == points(effect.new_images.estimate)
        for cell, found in ((row[2], effect.this_test_set), (row[4], effect.new_images)):
            assert cell == f"{points(found.low)} to {points(found.high)}"
        low, high = effect.new_images.interval(1 - effect.decision.level)
        assert row[7] == f"{points(low)} to {points(high)}"
        assert row[8].endswith(effect_verdict(effect))
    variance = crossed_page.table("Analysis of variance").rows
    assert [row[0] for row in variance[1:]] == ["convolution", "head", "convolution × head", "seed", "residual"]
    assert [row[2] for row in variance[1:]] == ["1", "1", "1", "3", "9"]
    assert variance[2][4] == statistic(analysis(crossed).variance.effects[1].f)


def test_main_effects_and_interactions_are_said_in_sentences(crossed: Evidence, crossed_page: Page) -> None:
    sentences = effect_sentences(analysis(crossed))
    assert len(sentences) == 3
    assert re.fullmatch(
        r"head \(dense against gap\), averaged over convolution: \d+\.\d points worse "
        r"\(−\d+\.\d to −\d+\.\d; p.[<=].0\.00\d after Holm\)",
        sentences[1],
    )
    assert re.search(r"the effect of one changes with the other by \+\d+\.\d points \(", sentences[2])
    assert all(" ".join(sentence.split()) in crossed_page.text for sentence in sentences)
    residuals = residual_sentences(analysis(crossed))
    assert all(" ".join(sentence.split()) in crossed_page.text for sentence in residuals)


def test_headings_stay_in_order_and_tables_have_captions(crossed_page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in crossed_page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert all(following <= level + 1 for level, following in itertools.pairwise(levels))
    assert all(table.caption for table in crossed_page.tables)


def test_a_study_without_factors_has_no_such_part(run: RunTable, html: str) -> None:
    found = gather(run, run.config.data[0])
    assert factor_sections(found, run.config.suite.studies) == {}
    assert "Analysis of variance" not in html


def test_missing_combinations_are_named(folder: Path) -> None:
    made = recipe(missing=[("arch3", seed) for seed in range(4)])
    found = section(evidence(folder, made))
    assert found.analysis is None
    assert found.why_not.endswith("missing: arch3.")
    assert found.why_not in Page(build_report([load_run(folder)])).text


def test_no_seed_in_common_is_said(folder: Path) -> None:
    missing = [("arch1", 0), ("arch1", 1), ("arch4", 2), ("arch4", 3)]
    assert "one seed in common" in section(evidence(folder, recipe(missing=missing))).why_not


def test_seeds_that_not_all_finished_are_left_out_and_said(folder: Path) -> None:
    found = analysis(evidence(folder, recipe(missing=[("arch2", 1)], failed=[("arch4", 1), ("arch4", 3)])))
    assert found.seeds == (0, 2)
    expected = [
        "Seed 1 is left out, as it is not finished by arch2 and arch4.",
        "Seed 3 is left out, as it is not finished by arch4.",
    ]
    assert left_out_sentences(found) == expected
    text = Page(build_report([load_run(folder)])).text
    assert all(sentence in text for sentence in expected)


def test_one_seed_has_no_test_and_says_so(folder: Path) -> None:
    found = analysis(evidence(folder, recipe(seeds=(0,))))
    assert residual_sentences(found) == [
        "One seed leaves no residual: there is no interval for this test set and no F, and nothing to check."
    ]
    assert "one seed says nothing of the chance of a seed" in effect_sentences(found)[0]
    page = Page(build_report([load_run(folder)]))
    assert page.table("Analysis of variance").rows[1][4:] == ["–", "–", "–"]


def texts(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)  # noqa: S314 - the text was made by the test
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def draw(found: FactorAnalysis) -> str:
    return to_svg(interaction_plot(found, assign_styles(found.design.cells)), "i")


def test_the_interaction_plot_states_its_finding(crossed: Evidence) -> None:
    svg = draw(analysis(crossed))
    label = ElementTree.fromstring(svg).get("aria-label")  # noqa: S314 - the text was made by the test
    assert label is not None
    assert label.startswith("Interaction plot of top-1: separable and gap ")
    assert "Interactions: full × dense against separable × gap +" in label
    assert {"separable", "full", "convolution", "head gap", "head dense"} <= set(texts(svg))
    assert svg == draw(analysis(crossed))


@pytest.mark.parametrize("factors", [1, 3])
def test_a_third_factor_has_panels_and_a_single_one_has_one_line(folder: Path, factors: int) -> None:
    found = analysis(evidence(folder, recipe(factors, accuracy={f"arch{n + 1}": 0.5 for n in range(2**factors)})))
    shown = set(texts(draw(found)))
    assert ({"size small", "size large"} <= shown) == (factors == 3)
    assert ({"head gap", "head dense"} <= shown) == (factors == 3)


def with_checks(found: FactorAnalysis, **changes: Any) -> Sequence[str]:
    checks = ResidualChecks(0.01, ResidualTest(0.95, 0.5), ResidualTest(0.4, 0.7), None)
    return residual_sentences(replace(found, checks=replace(checks, **changes)))


def test_what_is_off_is_said_with_what_it_means(crossed: Evidence) -> None:
    found = analysis(crossed)
    assert len(with_checks(found)) == 3
    assert "not normally distributed" in with_checks(found, normality=ResidualTest(0.7, 0.001))[1]
    uneven = with_checks(found, equal_spread=ResidualTest(8.0, 0.004))[2]
    assert "do not vary alike (Brown-Forsythe F = 8.00" in uneven
    assert "the intervals of effects do not pool them" in uneven
    far = LargestResidual("arch2", 3, -0.04, -math.inf, 0.0)
    assert "arch2 with seed 3, 4.00 points below" in with_checks(found, largest=far)[3]
    assert "look at how it trained" in with_checks(found, largest=far)[3]
    near = with_checks(found, largest=replace(far, studentised=-1.5, p_value=1.0))[3]
    assert near.endswith("no further than one of so many would be by chance.")


def test_statistics_are_written_with_two_digits() -> None:
    assert [statistic(value) for value in (1234.567, -0.5, math.inf, -math.inf, math.nan, None)] == [
        "1,234.57",
        "−0.50",
        "∞",
        "−∞",
        "–",
        "–",
    ]


def test_the_report_says_what_else_differs_between_the_networks() -> None:
    page = Page(build_report([load_run(REFERENCE)]))
    assert "ires_no_se against ires: 3 squeeze-and-excitation blocks (reduction 4, gate h_swish) fewer. " in page.text
    assert "ires_relu against ires: ReLU in place of h_swish in 2 places. Parameters and MACs are equal." in page.text


def test_cell_means_are_accuracies_with_the_pooled_interval(crossed: Evidence) -> None:
    found = analysis(crossed)
    halves = {round(cell.accuracy.high - cell.accuracy.estimate, 12) for cell in found.cells}
    assert len(halves) == 1
    for cell in found.cells:
        assert cell.accuracy.estimate == pytest.approx(np.mean(crossed.networks[cell.network].correct))


def test_effects_are_of_seeds_in_which_no_training_collapsed(tmp_path: Path) -> None:
    """arch2 is worse than arch1 with its collapsed training too; that of arch4 leaves it open beside arch2."""
    found = analysis(evidence(tmp_path / "run", recipe(seeds=range(6), collapsed_trials=(("arch2", 1), ("arch4", 4)))))
    assert found.seeds == (0, 2, 3, 5)
    assert found.left_out == ()
    assert [(left.seed, left.lacking) for left in found.collapsed] == [(1, ("arch2",)), (4, ("arch4",))]
    simple = {
        frozenset(effect_cells(one, found)): one.decision for one in found.effects if one.contrast.kind == "simple"
    }
    head, convolution = simple[frozenset({"arch1", "arch2"})], simple[frozenset({"arch2", "arch4"})]
    assert (head.verdict, head.learned_verdict) == ("worse", "worse")
    assert (convolution.verdict, convolution.learned_verdict) == ("undecided", "better")
    said = left_out_sentences(found)
    assert said[0] == "Seed 1 is left out, as its training of arch2 collapsed."
    assert said[-1] == "Effects are of trainings that learned, and decided only where all trainings say the same."


def test_an_effect_with_collapsed_trainings_that_cannot_be_left_out_is_undecided(tmp_path: Path) -> None:
    bad = tuple(("arch2", seed) for seed in (0, 1)) + tuple(("arch3", seed) for seed in (2, 3))
    found = analysis(evidence(tmp_path / "run", recipe(collapsed_trials=bad)))
    assert (found.seeds, found.unsure) == ((0, 1, 2, 3), ("arch2", "arch3"))
    for effect in found.effects:
        if {"arch2", "arch3"} & effect_cells(effect, found):
            assert effect.decision.verdict == "undecided"
    assert "no effect that they are part of is decided" in left_out_sentences(found)[-1]


def effect_cells(effect: Effect, found: FactorAnalysis) -> set[str]:
    return {cell for cell, weight in zip(found.design.cells, effect.contrast.weights, strict=True) if weight}


def test_effects_of_all_crossed_studies_on_a_data_set_are_one_family(tmp_path: Path) -> None:
    """Each study of two by two has seven effects: two main, one interaction, four simple."""
    made = recipe()
    (study,) = made.studies
    again = {**study, "name": "again", "title": "Again"}
    both = evidence(tmp_path / "both", replace(made, studies=(study, again)))
    studies = both.run.config.suite.studies
    together = [one.analysis for one in factor_sections(both, studies).values()]
    effects = [effect for one in together if one for effect in one.effects]
    wanted = multipletests([effect.new_images.p_value for effect in effects], method="holm")[1]
    assert [effect.decision.p_adjusted for effect in effects] == pytest.approx(wanted)
    assert {one.family.size for one in together if one} == {14}


def test_a_study_whose_effects_cannot_be_analysed_yet_weighs_on_the_others(tmp_path: Path) -> None:
    made = recipe()
    (study,) = made.studies
    levels = ["arch1", "arch2", "mini_xception", "lenet5"]
    later = {**study, "name": "later", "title": "Later", "levels": levels}
    later["factors"] = dict(zip(levels, study["factors"].values(), strict=True))
    found = evidence(tmp_path / "run", replace(made, studies=(study, later)))
    sections = factor_sections(found, found.run.config.suite.studies)
    assert sections["later"].analysis is None
    first = sections["crossed"].analysis
    assert first is not None
    assert first.family.size == 14
    p_values = [*(effect.new_images.p_value for effect in first.effects), *[1.0] * 7]
    wanted = multipletests(p_values, method="holm")[1][:7]
    assert [effect.decision.p_adjusted for effect in first.effects] == pytest.approx(wanted)
