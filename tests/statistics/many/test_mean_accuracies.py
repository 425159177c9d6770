"""The joint model, against the model of one network and of a difference of two."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from fbench.statistics.comparison.unpaired import unpaired_new_images
from fbench.statistics.estimands import new_images
from fbench.statistics.many.mean_accuracies import semidefinite, with_common_seeds, with_own_seeds

BoolArray = npt.NDArray[np.bool_]


def answers(networks: int, seeds: int, images: int, seed: int = 0) -> BoolArray:
    """Answers with a difficulty of images that networks share, and luck of seeds of each network."""
    generator = np.random.default_rng(seed)
    difficulty = generator.normal(size=images)
    own = 0.3 * generator.normal(size=(networks, 1, images))
    luck = 0.1 * generator.normal(size=(networks, seeds, 1))
    noise = generator.normal(size=(networks, seeds, images))
    return np.asarray(difficulty + own + luck + noise + 0.4 > 0)


def test_each_variance_is_that_of_the_network_alone() -> None:
    correct = answers(6, 5, 300)
    alone = [new_images(found) for found in correct]
    assert {found.rule for found in alone} == {"crossed"}
    for joint in (with_common_seeds(correct), with_own_seeds(list(correct))):
        assert joint.means == pytest.approx([found.estimate for found in alone])
        errors = np.sqrt(np.diag(joint.covariance))
        assert errors == pytest.approx([found.standard_error for found in alone], rel=1e-9)


def test_the_variance_of_a_difference_follows() -> None:
    correct = answers(3, 6, 400)
    covariance = with_common_seeds(correct).covariance
    for a, b in ((0, 1), (0, 2), (1, 2)):
        paired = new_images(correct[a].astype(float) - correct[b])
        assert paired.rule == "crossed"
        variance = covariance[a, a] + covariance[b, b] - 2 * covariance[a, b]
        assert variance == pytest.approx(paired.standard_error**2, rel=1e-6)


def test_of_own_seeds_the_variance_of_a_difference_is_the_unpaired_one() -> None:
    both = answers(2, 7, 300)
    ours, theirs = both[0, :4], both[1]
    joint = with_own_seeds([ours, theirs])
    variance = joint.covariance[0, 0] + joint.covariance[1, 1] - 2 * joint.covariance[0, 1]
    assert variance == pytest.approx(unpaired_new_images(ours, theirs).standard_error ** 2, rel=1e-6)
    assert joint.degrees_of_freedom == 3


def test_the_degrees_of_freedom_of_two_networks_are_those_of_their_difference() -> None:
    correct = answers(2, 5, 300)
    paired = new_images(correct[0].astype(float) - correct[1])
    assert with_common_seeds(correct).degrees_of_freedom == pytest.approx(paired.degrees_of_freedom, rel=1e-6)


def test_the_degrees_of_freedom_of_one_network_are_those_of_its_own_accuracy() -> None:
    correct = answers(1, 5, 300)
    alone = new_images(correct[0].astype(float))
    assert alone.degrees_of_freedom > 5  # those of the seeds alone are 4
    assert with_common_seeds(correct).degrees_of_freedom == pytest.approx(alone.degrees_of_freedom, rel=1e-6)


def test_the_covariance_is_positive_semidefinite_with_more_networks_than_seeds() -> None:
    values = np.linalg.eigvalsh(with_common_seeds(answers(20, 2, 60)).covariance)
    assert values.min() > -1e-12


def test_networks_with_the_same_answers_do_not_differ() -> None:
    one = answers(1, 3, 100)[0]
    covariance = with_common_seeds(np.array([one, one, answers(1, 3, 100, seed=4)[0]])).covariance
    assert covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1] == pytest.approx(0, abs=1e-15)


def test_all_right_has_no_variance() -> None:
    correct = np.ones((3, 4, 50), dtype=bool)
    assert (with_common_seeds(correct).covariance == 0).all()
    assert (with_own_seeds(list(correct)).covariance == 0).all()


def test_one_seed_knows_the_chance_of_images_only() -> None:
    correct = answers(2, 1, 200)
    joint = with_own_seeds(list(correct))
    assert joint.covariance[0, 0] == pytest.approx(correct[0, 0].var(ddof=1) / 200)


def test_negative_eigenvalues_are_left_out_and_variances_kept() -> None:
    found = semidefinite(np.array([[1.0, 2.0], [2.0, 1.0]]), [1.0, 1.0])
    assert found == pytest.approx(np.ones((2, 2)))


def test_a_variance_that_the_matrix_knows_nothing_of_stands_alone() -> None:
    found = semidefinite(np.array([[2.0, 0.0], [0.0, 0.0]]), [1.0, 0.5])
    assert found == pytest.approx(np.diag([1.0, 0.5]))


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="2 seeds"):
        with_common_seeds(answers(2, 1, 20))
    with pytest.raises(ValueError, match="same 2 images"):
        with_own_seeds([answers(1, 2, 20)[0], answers(1, 2, 21)[0]])
