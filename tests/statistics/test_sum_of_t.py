"""A weighted sum of t variables; by published critical values, by integration with scipy, and by drawing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate, stats

from fbench.statistics.sum_of_t import InterpolatedTail, SumOfT, student, sum_of_t


@pytest.mark.parametrize(
    ("degrees", "angle", "critical"),
    [(6, 15, 2.440), (6, 30, 2.435), (6, 45, 2.435), (8, 15, 2.300), (8, 30, 2.294), (8, 45, 2.292)],
)
def test_critical_values_are_those_of_the_table_of_behrens_and_fishers_test(
    degrees: int, angle: int, critical: float
) -> None:
    """Sukhatme 1938, Sankhya 4, 39-48: two-sided 5 % points of t1 sin(angle) - t2 cos(angle)."""
    sine = math.sin(math.radians(angle))
    found = sum_of_t([(sine**2, degrees), (1 - sine**2, degrees)])
    assert found.quantile(0.95) == pytest.approx(critical, abs=1e-3)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("degrees", [(2.0, 3_588.0), (4.0, 146.0), (8.0, 17.3)])
@pytest.mark.parametrize("value", [1.0, 3.0, 8.0])
def test_tails_are_those_of_the_convolution(share: float, degrees: tuple[float, float], value: float) -> None:
    first, second = stats.t(degrees[0]), stats.t(degrees[1])
    narrow, wide = math.sqrt(share), math.sqrt(1 - share)

    def integrand(y: float) -> float:
        return float(second.pdf(y) * first.cdf((-value - wide * y) / narrow))

    edge = -value / wide
    pieces = [(-1_000, 2 * edge), (2 * edge, edge), (edge, 0), (0, 20)]
    wanted = sum(integrate.quad(integrand, *piece, epsabs=1e-15, limit=200)[0] for piece in pieces)
    found = sum_of_t([(3 * share, degrees[0]), (3 * (1 - share), degrees[1])])
    assert float(found.below(-value)) == pytest.approx(wanted, rel=1e-4, abs=1e-13)
    assert float(found.below(value)) == pytest.approx(1 - wanted, abs=1e-5)


def test_three_terms_are_drawn_as_often() -> None:
    generator = np.random.default_rng(0)
    terms = [(0.3, 2.0), (0.3, 4.0), (0.4, 100.0)]
    drawn = sum(math.sqrt(share) * generator.standard_t(degrees, 400_000) for share, degrees in terms)
    for value in (1.0, 3.0, 6.0):
        share = float(np.mean(np.abs(drawn) > value))
        assert 2 * float(sum_of_t(terms).below(-value)) == pytest.approx(share, abs=4 * math.sqrt(share / 400_000))


@pytest.mark.parametrize("confidence", [0.9, 0.95, 1 - 0.05 / 66])
def test_a_quantile_has_its_tails_and_one_term_is_students(confidence: float) -> None:
    found = sum_of_t([(0.2, 2.0), (0.8, 50.0)])
    assert 2 * float(found.below(-found.quantile(confidence))) == pytest.approx(1 - confidence)
    assert sum_of_t([(3.0, 7.5), (0.0, 2.0)]) == student(7.5)
    assert student(7.5).quantile(confidence) == pytest.approx(stats.t.ppf((1 + confidence) / 2, 7.5))
    assert student(7.5).below([-2.0, 1.0]) == pytest.approx(stats.t.cdf([-2, 1], 7.5))


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 1.0])
@pytest.mark.parametrize("seeds", [3, 5, 9])
@pytest.mark.parametrize("level", [0.05, 0.05 / 12])
def test_the_test_errs_at_most_as_often_as_it_says_whatever_the_share(share: float, seeds: int, level: float) -> None:
    """With so many images that their variance is known: the error is the mean over what the seeds' variance may be."""
    degrees = seeds - 1
    equally_likely = (np.arange(400) + 0.5) / 400
    of_seeds = share * stats.chi2.ppf(equally_likely, degrees) / degrees
    variances = of_seeds + 1 - share
    criticals = [sum_of_t([(one, degrees), (1 - share, 1e6)]).quantile(1 - level) for one in of_seeds]
    error = float(np.mean(2 * stats.norm.cdf(-np.array(criticals) * np.sqrt(variances))))
    assert error <= 1.01 * level


def test_something_must_vary() -> None:
    with pytest.raises(ValueError, match="give one above 0"):
        sum_of_t([(0.0, 3.0)])
    with pytest.raises(ValueError, match="confidence of 1"):
        student(3).quantile(1.0)


@pytest.mark.parametrize(
    "distribution",
    [
        student(1),
        student(2),
        student(7.5),
        student(1e6),
        sum_of_t([(0.3, 2), (0.7, 800)]),
        sum_of_t([(1, 1), (60, 50)]),
    ],
)
def test_interpolated_tails_are_the_tails_to_four_digits(distribution: SumOfT) -> None:
    sizes = np.concatenate([np.geomspace(1e-4, 1e3, 2000), [0.0, 1e30]])
    values = np.concatenate([-sizes, sizes])
    expected, found = distribution.below(values), InterpolatedTail(distribution).below(values)
    seen = expected > 1e-10
    np.testing.assert_allclose(found[seen], expected[seen], rtol=1e-4)
    np.testing.assert_allclose(found[~seen], 0, atol=1e-10)
