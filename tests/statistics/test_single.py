from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from fbench.statistics.estimands import new_images, this_test_set
from fbench.statistics.single import summarise


def test_the_accuracy_has_both_estimands() -> None:
    correct = np.random.default_rng(0).random((4, 60)) < 0.7
    summary = summarise(correct)
    assert summary.this_test_set == this_test_set(correct)
    assert summary.new_images == new_images(correct)
    assert summary.new_images.estimate == pytest.approx(correct.mean())
    assert (summary.seeds, summary.images) == (4, 60)


def test_intervals_stay_within_0_and_1() -> None:
    correct = np.ones((2, 4))
    correct[1] = [1, 0, 0, 1]
    summary = summarise(correct)
    for estimate in (summary.this_test_set, summary.new_images):
        assert (estimate.low, estimate.high) == (0, 1)


def test_one_seed_gets_wilsons_interval_and_says_so() -> None:
    summary = summarise([[1, 1, 1, 1, 0]])
    assert summary.this_test_set.rule == "undefined"
    assert summary.new_images.rule == "wilson"
    assert (summary.new_images.low, summary.new_images.high) == pytest.approx(proportion_confint(4, 5, method="wilson"))


def test_an_answer_that_is_neither_right_nor_wrong_is_refused() -> None:
    with pytest.raises(ValueError, match=r"marked 0\.5"):
        summarise(np.array([[1, 0.5], [0, 1]]))


@pytest.mark.parametrize("images", [2, 7, 20, 299])
def test_all_right_and_all_wrong_are_bounded_by_the_number_of_images(images: int) -> None:
    """Of seeds alone, which agree, it would be a point; Clopper and Pearson's one-sided end is 0.025^(1/C)."""
    right, wrong = (summarise(np.full((3, images), answer)).new_images for answer in (1, 0))
    assert (right.low, right.high) == (
        pytest.approx(min(0.025 ** (1 / images), 1 - 4.3027 / (3 * images)), abs=1e-4),
        1,
    )
    assert (wrong.low, wrong.high) == (0, pytest.approx(1 - right.low))


def test_few_wrong_answers_have_at_least_the_exact_interval() -> None:
    correct = np.ones((4, 200))
    correct[:, :3] = 0
    low, high = proportion_confint(197, 200, method="beta")
    found = summarise(correct).new_images
    assert found.low <= low + 1e-12
    assert found.high >= high - 1e-12
