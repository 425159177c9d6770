from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from fbench.statistics.comparison.equivalence import equivalence_p_values
from fbench.statistics.comparison.verdict import decide
from fbench.statistics.estimands import MeanEstimate, new_images


def estimate(middle: float, error: float) -> MeanEstimate:
    return MeanEstimate(middle, math.nan, math.nan, error, 20.0, 0.95, "crossed")


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
    (found,) = decide([estimate(middle, error)], margin=0.01)
    assert (found.verdict, found.below_margin) == (verdict, below_margin)


def test_both_kinds_of_p_value_are_corrected_over_the_family() -> None:
    family = [estimate(0.02, 0.008), estimate(0.015, 0.004), estimate(0.0, 0.003), estimate(-0.01, 0.006)]
    found = decide(family, margin=0.01)
    different = multipletests([one.p_value for one in family], method="holm")[1]
    near = multipletests(equivalence_p_values(family, 0.01), method="holm")[1]
    assert [one.p_adjusted for one in found] == pytest.approx(different)
    assert [one.p_equivalent_adjusted for one in found] == pytest.approx(near)


def test_exploring_may_control_the_false_discovery_rate() -> None:
    family = [estimate(0.02, 0.008), estimate(0.015, 0.004), estimate(0.01, 0.0045)]
    found = decide(family, margin=0.01, correction="false_discovery_rate")
    wanted = multipletests([one.p_value for one in family], method="fdr_bh")[1]
    assert [one.p_adjusted for one in found] == pytest.approx(wanted)


def test_one_seed_decides_nothing_and_weighs_on_nobody() -> None:
    lone = new_images(np.array([[1, 0, 1, 1, 0, 1]]))
    pair = estimate(0.02, 0.008)
    alone, (first, second) = decide([pair], 0.01)[0], decide([pair, lone], 0.01)
    assert first == alone
    assert second.verdict == "undecided"
    assert math.isnan(second.p_adjusted)
    assert math.isnan(second.smallest_margin)


def test_networks_that_answer_alike_are_equivalent() -> None:
    (found,) = decide([new_images(np.zeros((3, 50)))], 0.01)
    assert (found.verdict, found.smallest_margin, found.detectable_difference) == ("equivalent", 0.0, 0.0)


def test_an_undecided_comparison_would_be_equivalent_within_its_smallest_margin() -> None:
    family = [estimate(0.004, 0.006), estimate(0.0, 0.002)]
    found = decide(family, 0.01)
    assert found[0].verdict == "undecided"
    assert decide(family, found[0].smallest_margin * 1.0001)[0].verdict == "equivalent"


def test_a_level_outside_of_0_to_1_is_refused() -> None:
    with pytest.raises(ValueError, match=r"level of 1\.5"):
        decide([], 0.01, level=1.5)
