"""Effects as contrasts: both intervals are those of one matrix of seeds and images."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from factor_models import FACTORS

from fbench.statistics.comparison.multiplicity import holm
from fbench.statistics.estimands import new_images
from fbench.statistics.factors.design import CrossedCorrectness, cross, crossed_design
from fbench.statistics.factors.effects import LevelChange, contrast_matrix, contrasts, estimate_effects


def study(shape: tuple[int, ...], seeds: int = 4, images: int = 60, random_seed: int = 3) -> CrossedCorrectness:
    """Answers of a crossed study with different accuracies in its cells."""
    generator = np.random.default_rng(random_seed)
    levels = [[f"{factor}{level}" for level in range(size)] for factor, size in zip(FACTORS, shape, strict=False)]
    cells = {
        "-".join(combination): dict(zip(FACTORS, combination, strict=False))
        for combination in itertools.product(*levels)
    }
    difficulty = generator.normal(0, 0.5, images)
    correct = {
        cell: generator.normal(0.3 + 0.1 * place, 1, (seeds, images)) + difficulty > 0
        for place, cell in enumerate(cells)
    }
    return cross(crossed_design(cells), correct, {cell: tuple(range(seeds)) for cell in cells})


@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (2, 2, 2)])
@pytest.mark.slow
def test_this_test_set_is_the_t_test_of_the_contrast_over_its_own_seeds(shape: tuple[int, ...]) -> None:
    data = study(shape)
    by_seed = data.accuracy.reshape(len(data.design.cells), -1)
    for effect in estimate_effects(data):
        expected = scipy.stats.ttest_1samp(np.asarray(effect.contrast.weights) @ by_seed, 0)
        low, high = expected.confidence_interval()
        found = effect.this_test_set
        assert found.rule == "seeds"
        assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9, abs=1e-12)
        assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)


def test_two_factors_of_two_levels_by_hand() -> None:
    data = study((2, 2))
    a, b, c, d = data.correct.reshape(4, 4, 60)  # alpha0-beta0, alpha0-beta1, alpha1-beta0, alpha1-beta1
    by_hand = [
        (c + d - a - b) / 2,  # alpha
        (b + d - a - c) / 2,  # beta
        d - b - c + a,  # how the effect of alpha changes with beta
        c - a,  # alpha within beta0
        d - b,  # alpha within beta1
        b - a,  # beta within alpha0
        d - c,  # beta within alpha1
    ]
    effects = estimate_effects(data)
    assert [effect.contrast.kind for effect in effects] == ["main"] * 2 + ["interaction"] + ["simple"] * 4
    for effect, expected in zip(effects, by_hand, strict=True):
        assert contrast_matrix(data, effect.contrast.weights) == pytest.approx(expected)
        found, model = effect.new_images, new_images(expected)
        assert (found.estimate, found.standard_error, found.error) == (
            model.estimate,
            model.standard_error,
            model.error,
        )
        assert effect.this_test_set.estimate == pytest.approx(effect.new_images.estimate)


@pytest.mark.parametrize("unit", [1e-7, 1.0, 1e7])
def test_what_is_only_rounding_is_small_beside_the_answers_whatever_their_unit(unit: float) -> None:
    """0, 0.1, 0.2 and 0.3 in the four cells do not interact, though 0.3 - 0.2 - 0.1 is not 0 in binary."""
    data = study((2, 2))
    interaction = contrasts(data.design)[2].weights
    scaled = replace(data, correct=unit * data.correct)
    assert contrast_matrix(scaled, interaction) == pytest.approx(unit * contrast_matrix(data, interaction), rel=1e-12)
    cells = unit * np.array([[0.0, 0.1], [0.2, 0.3]])[..., None, None]
    additive = replace(data, correct=np.broadcast_to(cells, data.correct.shape))
    assert not contrast_matrix(additive, interaction).any()


def test_the_contrasts_say_what_is_compared() -> None:
    found = contrasts(study((2, 3)).design)
    assert [(one.kind, one.changes, one.within) for one in found[:5]] == [
        ("main", (LevelChange("alpha", "alpha1", "alpha0"),), None),
        ("main", (LevelChange("beta", "beta1", "beta0"),), None),
        ("main", (LevelChange("beta", "beta2", "beta0"),), None),
        ("interaction", (LevelChange("alpha", "alpha1", "alpha0"), LevelChange("beta", "beta1", "beta0")), None),
        ("interaction", (LevelChange("alpha", "alpha1", "alpha0"), LevelChange("beta", "beta2", "beta0")), None),
    ]
    simple = found[5:]
    assert len(simple) == 3 + 2 * 2  # alpha within each beta, two further betas within each alpha
    assert (simple[1].changes, simple[1].within) == ((LevelChange("alpha", "alpha1", "alpha0"),), ("beta", "beta1"))
    assert all(sum(one.weights) == pytest.approx(0) for one in found)


def test_the_interaction_of_three_factors_is_the_change_of_a_two_way_interaction() -> None:
    data = study((2, 2, 2))
    (three_way,) = [one for one in contrasts(data.design) if len(one.changes) == 3]
    cells = data.accuracy.mean(axis=-1)
    two_way = cells[1, 1] - cells[0, 1] - cells[1, 0] + cells[0, 0]
    value = np.asarray(three_way.weights) @ cells.ravel()
    assert value == pytest.approx(two_way[1] - two_way[0])
    assert len(contrasts(data.design)) == 3 + 3 + 1 + 12


def test_holm_corrects_over_all_effects_of_the_study() -> None:
    effects = estimate_effects(study((2, 2)))
    expected = holm([effect.new_images.p_value for effect in effects])
    assert [effect.decision.p_adjusted for effect in effects] == pytest.approx(expected.tolist())


def test_one_seed_has_no_interval_for_this_test_set_and_no_test() -> None:
    for effect in estimate_effects(study((2, 2), seeds=1)):
        assert effect.this_test_set.rule == "undefined"
        assert math.isnan(effect.this_test_set.p_value)
        assert effect.new_images.rule == "one_seed"
        assert math.isnan(effect.decision.p_adjusted)
        assert effect.decision.verdict == "undecided"


def test_two_seeds_have_both_intervals() -> None:
    for effect in estimate_effects(study((2, 2), seeds=2)):
        assert effect.this_test_set.degrees_of_freedom == 1
        assert effect.new_images.low < effect.new_images.estimate < effect.new_images.high


@pytest.mark.parametrize("levels", [("12", "12"), ("12", "123"), ("123", "123"), ("123", "1234567")])
def test_equal_answers_are_no_effect_whatever_the_weights_round_to(levels: tuple[str, str]) -> None:
    design = crossed_design({f"{a}{b}": {"a": a, "b": b} for a in levels[0] for b in levels[1]})
    same = np.tile(np.random.default_rng(0).random(50) < 0.5, (3, 1))
    data = cross(design, dict.fromkeys(design.cells, same), dict.fromkeys(design.cells, (0, 1, 2)))
    for effect in estimate_effects(data):
        assert effect.this_test_set.estimate == effect.new_images.estimate == 0
        assert effect.this_test_set.rule == effect.new_images.rule == "constant"
        assert effect.decision.p_adjusted == 1
        assert effect.decision.verdict == "undecided"  # 50 images cannot rule out a point


def test_an_effect_that_never_shows_is_bounded_by_the_images() -> None:
    """Weights of 1/2: an image changes a main effect by 1 at most, an interaction by 2; 0.05^(1/50) = 0.9419."""
    design = crossed_design({f"{a}{b}": {"a": a, "b": b} for a in "12" for b in "12"})
    same = np.tile(np.random.default_rng(0).random(50) < 0.5, (3, 1))
    main, _, interaction, *_ = estimate_effects(
        cross(design, dict.fromkeys(design.cells, same), dict.fromkeys(design.cells, (0, 1, 2)))
    )
    assert main.new_images.p_at_least(0.1) == pytest.approx(0.9**50)
    assert interaction.new_images.p_at_least(0.1) == pytest.approx(0.95**50)


def test_effects_of_cells_that_all_collapsed_are_undecided() -> None:
    design = crossed_design({f"{a}{b}": {"a": a, "b": b} for a in "12" for b in "12"})
    same = np.tile(np.random.default_rng(0).random(5_000) < 0.25, (3, 1))
    data = cross(design, dict.fromkeys(design.cells, same), dict.fromkeys(design.cells, (0, 1, 2)))
    assert {effect.decision.verdict for effect in estimate_effects(data)} == {"equivalent"}
    some = estimate_effects(data, collapsed=("11", "12"))
    by_cells = {tuple(np.flatnonzero(effect.contrast.weights)): effect.decision.verdict for effect in some}
    assert by_cells == {
        (0, 1, 2, 3): "equivalent",
        (0, 2): "equivalent",
        (1, 3): "equivalent",
        (0, 1): "undecided",
        (2, 3): "equivalent",
    }
    every = estimate_effects(data, collapsed=design.cells)
    assert {effect.decision.verdict for effect in every} == {"undecided"}
