"""What is a training that did not learn; chances of right answers by scipy's binomial distribution."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fbench.statistics.collapse import (
    Collapses,
    collapse_p_value,
    interquartile_mean,
    is_collapsed,
)


def confusion(right: int, images: int, classes: int = 7) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """So many right answers of equal classes, the others spread over two neighbours."""
    found = np.zeros((classes, classes), np.int64)
    for image in range(images):
        true = image % classes
        found[true, true if image < right else (true + 1 + image % 2) % classes] += 1
    return found


def test_naming_one_class_is_no_learning_however_large_the_class() -> None:
    found = np.zeros((3, 3), int)
    found[:, 1] = [5, 900, 5]
    assert is_collapsed(found)


@pytest.mark.parametrize("images", [7, 70, 700, 3_500])
def test_accuracy_within_chance_of_the_largest_class_is_no_learning(images: int) -> None:
    enough = int(stats.binom.isf(0.05, images, 1 / 7)) + 1  # the fewest right answers of chance below 5 %
    assert stats.binom.sf(enough - 1, images, 1 / 7) < 0.05
    assert is_collapsed(confusion(enough - 1, images))
    assert not is_collapsed(confusion(enough, images))


def test_all_wrong_is_no_learning_and_all_right_is() -> None:
    assert is_collapsed(confusion(0, 70))
    assert not is_collapsed(confusion(70, 70))
    assert is_collapsed(np.eye(2, dtype=int))  # two images: a coin has both right in one of four cases


def test_a_network_collapsed_if_most_of_its_trainings_did() -> None:
    assert Collapses(2, 3).most
    assert not Collapses(1, 2).most
    assert not Collapses(1, 3).most


@pytest.mark.parametrize("given", [np.zeros((3, 3)), np.ones((2, 3)), np.ones(3)])
def test_what_is_no_confusion_matrix_is_refused(given: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> None:
    with pytest.raises(ValueError, match="confusion matrix"):
        is_collapsed(given)


def test_a_training_loss_that_ends_far_above_chance_has_diverged() -> None:
    learned = confusion(60, 70)
    assert not is_collapsed(learned, training_loss=2 * np.log(7))
    assert is_collapsed(learned, training_loss=2.01 * np.log(7))
    assert is_collapsed(learned, training_loss=float("nan"))


def test_the_rule_can_be_another_one() -> None:
    """15 right of 70 at one in seven: a chance of 6.9 % of as many or more."""
    chance = stats.binom.sf(14, 70, 1 / 7)
    assert 0.05 < chance < 0.08
    assert is_collapsed(confusion(15, 70))
    assert not is_collapsed(confusion(15, 70), chance=0.08)
    learned = confusion(60, 70)
    assert is_collapsed(learned, training_loss=3.1 * np.log(7), loss_factor=3.0)
    assert not is_collapsed(learned, training_loss=2.9 * np.log(7), loss_factor=3.0)


def test_none_of_ten_leaves_open_that_31_percent_collapse() -> None:
    rate = Collapses(0, 10).rate()
    assert (rate.estimate, rate.low) == (0, 0)
    assert rate.high == pytest.approx(1 - 0.025 ** (1 / 10))  # 30.8 %
    for collapsed in (1, 4, 10):
        found, exact = Collapses(collapsed, 10).rate(), stats.binomtest(collapsed, 10).proportion_ci(method="exact")
        assert (found.low, found.high) == pytest.approx((exact.low, exact.high))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [((0, 10), (0, 10)), ((5, 10), (0, 10)), ((1, 10), (3, 7)), ((10, 10), (0, 5)), ((2, 3), (9, 40))],
)
def test_rates_are_compared_by_fishers_exact_test(ours: tuple[int, int], theirs: tuple[int, int]) -> None:
    table = [[bad, trainings - bad] for bad, trainings in (ours, theirs)]
    assert collapse_p_value(Collapses(*ours), Collapses(*theirs)) == pytest.approx(stats.fisher_exact(table).pvalue)


@pytest.mark.parametrize("trainings", [1, 3, 4, 10, 11])
def test_the_interquartile_mean_is_that_of_the_paper(trainings: int) -> None:
    values = np.random.default_rng(trainings).random(trainings)
    values[0] = -50
    assert interquartile_mean(values.tolist()) == pytest.approx(stats.trim_mean(values, 0.25))
    with pytest.raises(ValueError, match="finite values"):
        interquartile_mean([])
