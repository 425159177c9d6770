"""Clusters of images, against arithmetic by hand, statsmodels' cluster-robust errors, and the analysis of images."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import numpy.typing as npt
import pytest
import statsmodels.api as sm
from scipy import stats

from fbench.statistics.clusters import Clusters, clusters_of
from fbench.statistics.comparison.equivalence import certified_margin
from fbench.statistics.comparison.networks import compare_networks
from fbench.statistics.comparison.paired import compare
from fbench.statistics.comparison.unpaired import unpaired_new_images
from fbench.statistics.comparison.verdict import FamilyMember, decide
from fbench.statistics.crossed import MeanSquares, error_distribution, mean_squares
from fbench.statistics.discordance import discordance
from fbench.statistics.estimands import new_images, this_test_set
from fbench.statistics.many.mean_accuracies import with_common_seeds, with_own_seeds
from fbench.statistics.seeds.power import variance_components
from fbench.statistics.single import summarise

FloatArray = npt.NDArray[np.float64]
SIZES = (5, 4, 3, 3, 2, 1)
UNEQUAL = Clusters(np.repeat(np.arange(len(SIZES)), SIZES))


def answers(seeds: int, sizes: tuple[int, ...], seed: int = 0, chance: float = 0.6) -> FloatArray:
    """Right and wrong answers of trainings, each subject with an ease of its own."""
    generator = np.random.default_rng(seed)
    ease = np.repeat(generator.normal(0, 0.3, len(sizes)), sizes)
    luck = generator.normal(0, 0.05, (seeds, 1))
    return (generator.random((seeds, sum(sizes))) < chance + ease + luck).astype(float)


def test_names_become_clusters_and_single_images_none() -> None:
    found = clusters_of(["S1", "S2", "S1", "S3"])
    assert found is not None
    assert found.numbers.tolist() == [0, 1, 0, 2]
    assert (found.count, found.images, found.sizes.tolist()) == (3, 4, [2, 1, 1])
    assert found.effective == pytest.approx(16 / 6)
    assert clusters_of(["a", "b", "c"]) is None


@pytest.mark.parametrize("numbers", [[0, 0], [0, 2], [-1, 0]])
def test_numbers_that_leave_one_out_are_refused(numbers: list[int]) -> None:
    with pytest.raises(ValueError, match="number them from 0"):
        Clusters(np.array(numbers))


def test_contributions_agree_with_a_hand_computed_case() -> None:
    # Images 1, 3 and 5 in the clusters {1, 3} and {5}: D = 3, totals 4 and 5, u = 2/3 (4 - 6), 2/3 (5 - 3).
    found = Clusters(np.array([0, 0, 1])).contributions([1, 3, 5])
    raw = np.array([-4 / 3, 4 / 3])
    assert found == pytest.approx(raw * np.sqrt((1 / 2) / np.array([1 / 3, 2 / 3])))


def test_mean_squares_agree_with_a_hand_computed_case() -> None:
    # Seed means 1 and 2. Totals of {0, 1} and {2} per seed: 0, 3 and 3, 3. D = 1.5.
    values = np.array([[0, 0, 3], [1, 2, 3]], dtype=float)
    squares = mean_squares(values, Clusters(np.array([0, 0, 1])))
    assert squares.seed == pytest.approx(2 * 0.5)
    # Means over seeds have totals 1.5 and 3: u = 2/3 (1.5 - 3) = -1 and 1; 1 / (1/3) + 1 / (2/3) = 4.5, halved.
    assert squares.image == pytest.approx(2 * 4.5 / 2)
    # Seed 1 alone: 2/3 (0 - 2), 2/3 (3 - 1) = -4/3, 4/3, so 1/3 beyond -1 and 1; seed 2 as far on the other side.
    assert squares.residual == pytest.approx(2 * (1 / 9) * 4.5 / 2)
    assert squares.image_freedom == pytest.approx(9 / 5 - 1)


def test_of_one_training_the_variance_is_the_cluster_robust_one_of_statsmodels() -> None:
    values = answers(1, SIZES)[0]
    error = new_images([values], clusters=UNEQUAL).standard_error
    # Its own is without Bell and McCaffrey's factor 1 / (1 - n_g / N), which is the mean over clusters otherwise.
    robust = sm.OLS(values, np.ones_like(values)).fit(
        cov_type="cluster", cov_kwds={"groups": UNEQUAL.numbers, "use_correction": False}
    )
    shares = UNEQUAL.sizes / UNEQUAL.images
    squares = UNEQUAL.totals(values - values.mean()) ** 2
    assert robust.bse[0] ** 2 == pytest.approx(squares.sum() / UNEQUAL.images**2)
    assert error**2 == pytest.approx((squares / (1 - shares)).sum() / UNEQUAL.images**2)


def test_the_variance_between_clusters_is_unbiased_for_independent_images() -> None:
    generator = np.random.default_rng(0)
    errors = [new_images(generator.normal(size=(1, 18)), clusters=UNEQUAL).standard_error ** 2 for _ in range(20_000)]
    assert np.mean(errors) == pytest.approx(1 / 18, rel=0.02)


def test_clusters_of_one_size_are_the_analysis_of_their_means() -> None:
    clusters = Clusters(np.repeat(np.arange(6), 3))
    differences = answers(4, (3,) * 6) - answers(4, (3,) * 6, seed=1)
    means = differences.reshape(4, 6, 3).mean(axis=2)
    ours, theirs = new_images(differences, clusters=clusters), new_images(means)
    assert (ours.estimate, ours.standard_error) == pytest.approx((theirs.estimate, theirs.standard_error))
    assert ours.degrees_of_freedom == pytest.approx(theirs.degrees_of_freedom)
    assert ours.rule == theirs.rule


def test_clusters_of_one_image_each_are_images() -> None:
    single = Clusters(np.arange(30))
    ours, theirs = answers(5, (1,) * 30), answers(4, (1,) * 30, seed=1)
    for found, known in (
        (new_images(ours, clusters=single), new_images(ours)),
        (unpaired_new_images(ours, theirs, clusters=single), unpaired_new_images(ours, theirs)),
    ):
        assert found.standard_error == pytest.approx(known.standard_error)
        assert found.degrees_of_freedom == pytest.approx(known.degrees_of_freedom)
    assert astuple(variance_components(ours, single)) == pytest.approx(astuple(variance_components(ours)))


def test_copies_bring_no_more_certainty() -> None:
    differences = answers(6, (1,) * 40) - answers(6, (1,) * 40, seed=1)
    four_times = np.repeat(differences, 4, axis=1)
    once = compare(differences)
    again = compare(four_times, clusters=Clusters(np.repeat(np.arange(40), 4)))
    assert again.new_images.standard_error == pytest.approx(once.new_images.standard_error)
    assert again.new_images.degrees_of_freedom == pytest.approx(once.new_images.degrees_of_freedom)
    assert again.this_test_set == this_test_set(four_times)
    assert compare(four_times).new_images.standard_error < 0.8 * once.new_images.standard_error


def test_the_variance_of_an_unpaired_difference_is_that_of_pairs_where_pairing_gains_nothing() -> None:
    sizes = (9, 12, 3, 6) * 30
    clusters = Clusters(np.repeat(np.arange(len(sizes)), sizes))
    ours, theirs = answers(6, sizes), answers(6, sizes, seed=1, chance=0.5)
    orders = [np.random.default_rng(k).permutation(6) for k in range(40)]
    paired = np.mean([new_images(ours - theirs[order], clusters=clusters).standard_error ** 2 for order in orders])
    unpaired = unpaired_new_images(ours, theirs, clusters=clusters)
    assert unpaired.standard_error**2 == pytest.approx(paired, rel=0.05)
    assert unpaired.rule == "crossed"


def test_many_networks_have_the_variances_of_each_and_of_their_differences() -> None:
    sizes = (9, 12, 3, 6) * 10
    clusters = Clusters(np.repeat(np.arange(len(sizes)), sizes))
    correct = np.array([answers(5, sizes, seed=seed) for seed in range(3)]).astype(bool)
    for joint in (with_common_seeds(correct, clusters), with_own_seeds(list(correct), clusters)):
        alone = [new_images(one, clusters=clusters).standard_error for one in correct]
        assert np.sqrt(np.diag(joint.covariance)) == pytest.approx(alone)
    covariance = with_common_seeds(correct, clusters).covariance
    paired = new_images(correct[0].astype(float) - correct[1], clusters=clusters)
    assert covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1] == pytest.approx(paired.standard_error**2)


def test_many_networks_of_one_training_each_have_the_degrees_of_freedom_of_their_clusters() -> None:
    correct = [answers(1, SIZES, seed=seed).astype(bool) for seed in range(3)]
    assert with_own_seeds(correct, UNEQUAL).degrees_of_freedom == pytest.approx(18**2 / 64 - 1)


def test_of_18_clusters_without_a_difference_none_certifies_a_point() -> None:
    clusters = Clusters(np.repeat(np.arange(18), 9))
    found = compare(np.zeros((10, 162)), clusters=clusters).new_images
    assert found.discordance is not None
    assert found.discordance.most_differing(0.05) == pytest.approx(1 - 0.05 ** (1 / 18))
    assert found.interval(0.9)[1] == pytest.approx(1 - 0.05 ** (1 / 18))
    assert decide([FamilyMember(found, 0.01)])[0].verdict == "undecided"


def test_few_clusters_that_differ_flip_as_wholes() -> None:
    values = np.zeros((1, 18))
    values[0, :9] = 1  # of the clusters of 5, 4, 3, 3, 2 and 1 the first two
    found = discordance(values, clusters=UNEQUAL)
    assert (found.images, found.differing, found.is_few) == (6, 2, True)
    assert found.p_no_difference == 0.5
    assert sum(found.means) / found.observations == pytest.approx(0.5)


def test_a_bound_is_of_the_error_at_the_bound() -> None:
    # 40 clusters, of which 30 differ as wholes: the variance is that of a binomial distribution, times 40 / 39.
    values = np.repeat(np.r_[np.ones(30), np.zeros(10)], 3)
    found = compare([values], clusters=Clusters(np.repeat(np.arange(40), 3))).new_images
    quantile = stats.t.ppf(0.975, 39)
    assert found.high - 0.75 == pytest.approx(quantile * np.sqrt(found.high * (1 - found.high) / 39), rel=1e-6)
    # Of no difference all that differ are as likely on either side: the share that differs is the variance.
    assert found.error_at(0.0) == pytest.approx(np.sqrt(0.75 / 39))
    assert found.p_value == pytest.approx(2 * stats.t.sf(0.75 / np.sqrt(0.75 / 39), 39))
    assert found.p_at_most(found.low) == pytest.approx(0.025, rel=1e-5)
    assert found.p_at_least(found.high) == pytest.approx(0.025, rel=1e-5)


def test_an_accuracy_of_clusters_is_exact_for_as_many_images_as_would_have_its_error() -> None:
    # 44 clusters, half of them right as wholes: the variance of 43 independent images, with Student's t on 43.
    values = np.repeat(np.r_[np.ones(22), np.zeros(22)], 3)
    found = summarise([values], clusters=Clusters(np.repeat(np.arange(44), 3))).new_images
    images = 43 * (stats.norm.ppf(0.975) / stats.t.ppf(0.975, 43)) ** 2
    assert found.low == pytest.approx(stats.beta.ppf(0.025, images / 2, images / 2 + 1))
    assert found.high == pytest.approx(1 - found.low)


def test_the_interval_of_an_accuracy_counts_subjects() -> None:
    clusters = Clusters(np.repeat(np.arange(18), 9))
    everything = summarise(np.ones((10, 162)), clusters=clusters).new_images
    assert everything.low == pytest.approx(0.025 ** (1 / 18))
    assert everything.high == 1
    once = summarise(answers(1, (9,) * 18), clusters=clusters).new_images
    alone = summarise(answers(1, (9,) * 18)).new_images
    assert once.rule == "one_seed"
    assert once.high - once.low > 1.2 * (alone.high - alone.low)


def test_a_comparison_takes_clusters_whether_paired_or_not() -> None:
    sizes = (9, 12, 3, 6) * 4
    clusters = Clusters(np.repeat(np.arange(len(sizes)), sizes))
    ours, theirs = answers(3, sizes), answers(3, sizes, seed=1)
    paired = compare_networks(ours, theirs, (0, 1, 2), (0, 1, 2), clusters=clusters)
    assert paired.new_images == compare(ours - theirs, clusters=clusters).new_images
    unpaired = compare_networks(ours, theirs, (0, 1, 2), (3, 4, 5), clusters=clusters)
    assert unpaired.new_images == unpaired_new_images(ours, theirs, clusters=clusters)


def test_an_accuracy_with_hardly_a_degree_of_freedom_says_nothing() -> None:
    generator = np.random.default_rng(0)
    correct = np.array([generator.random(162) < 0.2, generator.random(162) < 0.8])
    found = summarise(correct, clusters=Clusters(np.repeat(np.arange(18), 9))).new_images
    assert found.degrees_of_freedom < 2
    assert found.low < 0.05
    assert found.high > 0.95


@pytest.mark.parametrize("seeds", [3, 12])
def test_a_certified_margin_is_the_farther_end_of_the_interval_of_twice_the_level(seeds: int) -> None:
    sizes = (9, 12, 3, 6) * 15
    clusters = Clusters(np.repeat(np.arange(len(sizes)), sizes))
    found = compare(answers(seeds, sizes) - answers(seeds, sizes, seed=1), clusters=clusters).new_images
    assert found.discordance is not None
    assert not found.discordance.is_few
    assert certified_margin(found, 0.05) == pytest.approx(max(map(abs, found.interval(0.9))))


def test_with_few_seeds_critical_values_are_those_of_the_means_of_clusters_of_one_size() -> None:
    clusters = Clusters(np.repeat(np.arange(8), 3))
    ours, theirs = answers(3, (3,) * 8), answers(3, (3,) * 8, seed=1)
    as_means = [side.reshape(3, 8, 3).mean(axis=2) for side in (ours, theirs)]
    for found, known in (
        (new_images(ours, clusters=clusters), new_images(as_means[0])),
        (new_images(ours - theirs, clusters=clusters), new_images(as_means[0] - as_means[1])),
    ):
        assert found.error is not None
        assert known.error is not None
        assert np.array(found.error.terms) == pytest.approx(np.array(known.error.terms))
        assert found.interval(0.99) == pytest.approx(known.interval(0.99))


def test_the_part_of_unequal_clusters_has_the_degrees_of_freedom_of_as_many_equal_ones() -> None:
    squares = MeanSquares(3, 6, seed=1.0, image=2.0, residual=0.5, freedom_of_clusters=UNEQUAL.freedom)
    (_, by_seed), (_, by_cluster) = error_distribution(squares).terms
    # UNEQUAL has 18^2 / 64 = 5.0625 equal clusters: 4.0625 degrees of freedom. (2 - 1/2)^2 over 2^2 + (1/2)^2 / 2.
    assert (by_seed, by_cluster) == pytest.approx((2, 2.25 * 4.0625 / 4.125))


def test_one_cluster_of_nearly_all_images_leaves_everything_open() -> None:
    clusters = Clusters(np.r_[np.zeros(299, np.int64), 1])
    ours, theirs = answers(3, (1,) * 300, chance=0.7), answers(3, (1,) * 300, seed=1)
    found = compare_networks(ours, theirs, (0, 1, 2), (0, 1, 2), clusters=clusters).new_images
    assert found.high - found.low > 1.9


def test_groups_of_one_image_each_are_few_where_images_are() -> None:
    differences = np.zeros((10, 60))
    differences[:, :3] = 1
    differences[np.arange(27) % 10, np.arange(3, 30)] = 1
    of_images, of_groups = (discordance(differences, clusters=known) for known in (None, Clusters(np.arange(60))))
    assert of_groups.is_few
    assert of_groups.carrying == pytest.approx(of_images.carrying)
    assert of_groups.p_no_difference == pytest.approx(of_images.p_no_difference)
    assert of_groups.interval(0.95) == pytest.approx(of_images.interval(0.95))


@pytest.mark.parametrize("seeds", [(0, 1, 2), (3, 4, 5)])
def test_a_difference_for_new_clusters_is_within_what_both_accuracies_leave(seeds: tuple[int, ...]) -> None:
    sizes = (9,) * 18
    clusters = Clusters(np.repeat(np.arange(18), 9))
    ours, theirs = answers(3, sizes, chance=0.9), answers(3, sizes, seed=1, chance=0.4)
    found = compare_networks(ours, theirs, (0, 1, 2), seeds, clusters=clusters).new_images
    for confidence in (0.9, 0.95, 0.9999):
        (our_low, our_high), (their_low, their_high) = (
            summarise(side, clusters=clusters).new_images.interval(confidence) for side in (ours, theirs)
        )
        low, high = found.interval(confidence)
        assert max(-their_high, our_low - 1) <= low <= found.estimate <= high <= min(our_high, 1 - their_low)


@pytest.mark.parametrize("confidence", [0.8, 0.99])
def test_an_accuracy_of_clusters_is_exact_at_every_confidence(confidence: float) -> None:
    sizes, clusters = (3,) * 44, Clusters(np.repeat(np.arange(44), 3))
    correct = answers(3, sizes)
    asked = summarise(correct, confidence, clusters).new_images
    assert summarise(correct, clusters=clusters).new_images.interval(confidence) == (asked.low, asked.high)
    of_model = new_images(correct, clusters=clusters)
    share, quantile = of_model.estimate, of_model.distribution.quantile(confidence)
    images = share * (1 - share) / of_model.standard_error**2 * (stats.norm.ppf((1 + confidence) / 2) / quantile) ** 2
    right, tail = share * images, (1 - confidence) / 2
    assert asked.low == pytest.approx(stats.beta.ppf(tail, right, images - right + 1))
    assert asked.high == pytest.approx(stats.beta.ppf(1 - tail, right + 1, images - right))
