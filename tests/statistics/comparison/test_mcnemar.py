from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar as reference

from fbench.statistics.comparison.mcnemar import mcnemar

ROWS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60)


@given(ROWS)
def test_it_agrees_with_statsmodels(pairs: list[tuple[bool, bool]]) -> None:
    ours, theirs = np.array(pairs, dtype=bool).T
    found = mcnemar(ours, theirs)
    table = [[(ours & theirs).sum(), found.only_ours], [found.only_theirs, (~ours & ~theirs).sum()]]
    assert found.p_value == pytest.approx(min(1.0, reference(table, exact=True).pvalue), abs=1e-9)


def test_a_hand_computed_case() -> None:
    # Five images that only ours has right, none that only theirs has: 2 / 2**5.
    found = mcnemar([1, 1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 1, 0])
    assert (found.only_ours, found.only_theirs, found.p_value) == (5, 0, 0.0625)


@pytest.mark.parametrize(("ours", "theirs"), [([1, 0], [1]), ([], []), ([2, 0], [1, 0]), ([[1]], [[1]])])
def test_what_are_no_answers_is_refused(ours: list[int], theirs: list[int]) -> None:
    with pytest.raises(ValueError, match=r"right|pair"):
        mcnemar(ours, theirs)
