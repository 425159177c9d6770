from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.multitest import multipletests

from fbench.statistics.comparison.equivalence import equivalence_p_values
from fbench.statistics.comparison.multiplicity import Correction
from fbench.statistics.comparison.paired import new_images_difference
from fbench.statistics.comparison.verdict import Decision, FamilyMember, decide
from fbench.statistics.estimands import MeanEstimate, new_images


def estimate(middle: float, error: float) -> MeanEstimate:
    return MeanEstimate(middle, math.nan, math.nan, error, 20.0, 0.95, "crossed")


def decided(
    estimates: Sequence[MeanEstimate],
    margin: float = 0.01,
    correction: Correction = "holm",
    planned: int = 0,
) -> list[Decision]:
    """The decisions on a family of different pairs with one margin."""
    return decide([FamilyMember(one, margin) for one in estimates], correction, planned=planned)


@pytest.mark.parametrize(
    ("middle", "error", "verdict", "below_margin"),
    [
        (0.03, 0.005, "better", False),
        (-0.03, 0.005, "worse", False),
        (0.001, 0.002, "equivalent", True),
        (0.004, 0.001, "better", True),  # real, and smaller than what matters
        (0.008, 0.006, "undecided", False),
    ],
)
def test_the_answer_is_one_of_four(middle: float, error: float, verdict: str, below_margin: bool) -> None:
    (found,) = decided([estimate(middle, error)])
    assert (found.verdict, found.below_margin) == (verdict, below_margin)


def test_both_kinds_of_p_value_are_corrected_over_the_family() -> None:
    family = [estimate(0.02, 0.008), estimate(0.015, 0.004), estimate(0.0, 0.003), estimate(-0.01, 0.006)]
    found = decided(family)
    different = multipletests([one.p_value for one in family], method="holm")[1]
    near = multipletests(equivalence_p_values(family, 0.01), method="holm")[1]
    assert [one.p_adjusted for one in found] == pytest.approx(different)
    assert [one.p_equivalent_adjusted for one in found] == pytest.approx(near)


def test_exploring_may_control_the_false_discovery_rate() -> None:
    family = [estimate(0.02, 0.008), estimate(0.015, 0.004), estimate(0.01, 0.0045)]
    found = decided(family, correction="false_discovery_rate")
    wanted = multipletests([one.p_value for one in family], method="fdr_bh")[1]
    assert [one.p_adjusted for one in found] == pytest.approx(wanted)


def test_one_seed_decides_nothing_and_weighs_on_nobody() -> None:
    lone = new_images(np.array([[1, 0, 1, 1, 0, 1]]))
    pair = estimate(0.02, 0.008)
    alone, (first, second) = decided([pair])[0], decided([pair, lone])
    assert first == alone
    assert second.verdict == "undecided"
    assert math.isnan(second.p_adjusted)
    assert math.isnan(second.smallest_margin)


@pytest.mark.parametrize(
    ("seeds", "images", "verdict"),
    [
        (1, 3_589, "undecided"),
        (2, 299, "undecided"),  # two seeds have one degree of freedom: t of 0.01 * 598 is 5.98, below 6.31
        (3, 2, "undecided"),
        (3, 7, "undecided"),
        (3, 50, "undecided"),
        (3, 298, "undecided"),
        (3, 299, "equivalent"),
        (2, 3_589, "equivalent"),
        (10, 3_589, "equivalent"),
    ],
)
def test_networks_that_answer_alike_are_equivalent_where_images_and_seeds_carry_it(
    seeds: int, images: int, verdict: str
) -> None:
    (found,) = decided([new_images_difference(np.zeros((seeds, images)))])
    assert found.verdict == verdict


def test_in_a_family_more_images_are_needed() -> None:
    """Holm's correction of two asks the first for 2.5 %: 368 images (0.99^367 = 0.02501)."""
    for images, verdict in ((367, "undecided"), (368, "equivalent")):
        pair = [new_images_difference(np.zeros((5, images)))] * 2
        assert {one.verdict for one in decided(pair)} == {verdict}


@pytest.mark.parametrize(("images", "verdict"), [(2, "undecided"), (3, "undecided"), (5, "undecided"), (7, "better")])
def test_right_against_wrong_on_few_images_is_decided_as_mcnemar_would(images: int, verdict: str) -> None:
    (found,) = decided([new_images_difference(np.ones((3, images)))])
    assert found.verdict == verdict
    assert found.p_adjusted == pytest.approx(binomtest(images, images).pvalue)


def test_where_neither_learned_nothing_is_decided() -> None:
    alike = new_images_difference(np.zeros((5, 3_589)))
    family = [alike, estimate(0.03, 0.005), alike]
    marks = (True, True, False)
    found = decide([FamilyMember(one, 0.01, neither_learned=mark) for one, mark in zip(family, marks, strict=True)])
    assert [one.verdict for one in found] == ["undecided", "undecided", "equivalent"]
    assert not found[0].below_margin


def test_an_undecided_comparison_would_be_equivalent_within_its_smallest_margin() -> None:
    family = [estimate(0.004, 0.006), estimate(0.0, 0.002)]
    found = decided(family)
    assert found[0].verdict == "undecided"
    assert decided(family, found[0].smallest_margin * 1.0001)[0].verdict == "equivalent"


def test_a_level_outside_of_0_to_1_is_refused() -> None:
    with pytest.raises(ValueError, match=r"level of 1\.5"):
        decide([], level=1.5)


@pytest.mark.parametrize(
    ("with_collapsed", "verdict"),
    [((0.028, 0.006), "better"), ((-0.01, 0.02), "undecided"), ((-0.03, 0.005), "undecided"), (None, "better")],
)
def test_where_trainings_collapsed_the_means_with_them_must_say_the_same(
    with_collapsed: tuple[float, float] | None, verdict: str
) -> None:
    family = [estimate(0.03, 0.005), estimate(0.001, 0.002)]
    doubt = None if with_collapsed is None else estimate(*with_collapsed)
    found = decide([FamilyMember(family[0], 0.01, with_collapsed=doubt), FamilyMember(family[1], 0.01)])
    assert [one.verdict for one in found] == [verdict, "equivalent"]
    assert found[0].learned_verdict == (None if with_collapsed is None else "better")
    assert found[0].p_adjusted == decided(family)[0].p_adjusted


def test_equivalence_of_those_that_learned_is_none_if_all_trainings_deny_it() -> None:
    (found,) = decide([FamilyMember(estimate(0.001, 0.002), 0.01, with_collapsed=estimate(-0.05, 0.05))])
    assert (found.verdict, found.learned_verdict, found.below_margin) == ("undecided", "equivalent", False)


def test_planned_comparisons_that_are_missing_count_as_if_nothing_was_found() -> None:
    family = [estimate(0.02, 0.008), estimate(0.015, 0.004)]
    found = decided(family, planned=9)
    p_values = [*(one.p_value for one in family), *[1.0] * 7]
    near = [*equivalence_p_values(family, 0.01), *[1.0] * 7]
    assert [one.p_adjusted for one in found] == pytest.approx(multipletests(p_values, method="holm")[1][:2])
    assert [one.p_equivalent_adjusted for one in found] == pytest.approx(multipletests(near, method="holm")[1][:2])


def test_the_same_pair_in_two_studies_counts_once() -> None:
    pair, other = estimate(0.02, 0.008), estimate(0.015, 0.004)
    turned = estimate(-0.02, 0.008)
    both = frozenset({"a", "b"})
    first, second, third = decide(
        [FamilyMember(pair, 0.01, both), FamilyMember(other, 0.01, "c"), FamilyMember(turned, 0.01, both)]
    )
    alone = decided([pair, other])
    assert (first, second) == tuple(alone)
    assert (first.verdict, third.verdict) == ("better", "worse")
    assert third.p_adjusted == first.p_adjusted


def test_the_same_pair_with_another_margin_is_another_hypothesis_of_equivalence_only() -> None:
    pair = estimate(0.001, 0.002)
    narrow, wide = decide([FamilyMember(pair, 0.01, "ab"), FamilyMember(pair, 0.02, "ab")])
    assert narrow.p_adjusted == wide.p_adjusted == pytest.approx(pair.p_value)
    near = multipletests([equivalence_p_values([pair], margin)[0] for margin in (0.01, 0.02)], method="holm")[1]
    assert [narrow.p_equivalent_adjusted, wide.p_equivalent_adjusted] == pytest.approx(near)


@given(
    st.lists(st.tuples(st.floats(-0.03, 0.03), st.floats(0.0005, 0.01)), min_size=1, max_size=12),
    st.sampled_from(["holm", "false_discovery_rate"]),
    st.integers(0, 20),
)
@pytest.mark.slow
def test_an_interval_at_the_level_of_its_test_leaves_out_zero_where_the_verdict_says_so(
    family: list[tuple[float, float]], correction: Correction, planned: int
) -> None:
    estimates = [estimate(*one) for one in family]
    for one, found in zip(estimates, decided(estimates, correction=correction, planned=planned), strict=True):
        low, high = one.interval(1 - found.level)
        assert (low > 0) == (found.verdict == "better")
        assert (high < 0) == (found.verdict == "worse")
        low, high = one.interval(1 - 2 * found.equivalent_level)
        assert (low > -0.01 and high < 0.01) == found.below_margin
