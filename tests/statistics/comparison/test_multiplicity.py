from __future__ import annotations

import gc
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from fbench.statistics.comparison.multiplicity import Correction, adjust, benjamini_hochberg, holm, levels_of_tests

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=15)


@pytest.fixture(autouse=True, scope="module")
def garbage_waits() -> Iterator[None]:
    """statsmodels collects garbage at every call, which late in a suite takes a second."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "collect", lambda: 0)
        yield


def test_a_hand_computed_family() -> None:
    # 0.01 x 4, 0.02 x 3, 0.03 x 2 and 0.04 x 1, none below the one before.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])


@given(P_VALUES)
def test_it_agrees_with_statsmodels(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)


@given(P_VALUES)
def test_it_keeps_the_order_and_lowers_nothing(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert (adjusted >= np.array(p_values)).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(p_values)]) >= 0).all()


def test_an_empty_family_stays_empty() -> None:
    assert holm([]).shape == (0,)


@pytest.mark.parametrize("p_values", [[0.1, float("nan")], [-0.1], [1.1], [[0.1]]])
def test_what_is_no_p_value_is_refused(p_values: list[float]) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm(p_values)


@given(P_VALUES)
def test_the_false_discovery_rate_agrees_with_statsmodels(p_values: list[float]) -> None:
    assert benjamini_hochberg(p_values) == pytest.approx(multipletests(p_values, method="fdr_bh")[1], abs=1e-12)


def test_each_test_is_held_against_the_level_that_its_rank_leaves_it() -> None:
    """Of five planned tests three are made; the first two are rejected: 0.05/5, 0.05/4, and 0.05/3 for the third."""
    assert levels_of_tests([0.002, 0.2, 0.011], tests=5) == pytest.approx([0.01, 0.05 / 3, 0.0125])
    assert levels_of_tests([0.002, 0.2, 0.011]) == pytest.approx([0.05 / 3, 0.05, 0.025])


def test_with_the_false_discovery_rate_all_rejected_share_a_level() -> None:
    """Two of four are rejected at 2 x 0.05 / 4; the others stay above 3 x 0.05 / 4."""
    levels = levels_of_tests([0.001, 0.6, 0.02, 0.3], "false_discovery_rate")
    assert levels == pytest.approx([0.025, 0.0375, 0.025, 0.0375])


def test_tests_that_were_planned_and_not_made_count_as_not_found() -> None:
    p_values = [0.002, 0.2, 0.011]
    cases: tuple[tuple[Correction, str], ...] = (("holm", "holm"), ("false_discovery_rate", "fdr_bh"))
    for correction, method in cases:
        wanted = multipletests([*p_values, 1.0, 1.0], method=method)[1][:3]
        assert adjust(p_values, correction, tests=5) == pytest.approx(wanted)
