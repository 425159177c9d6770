from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbench.statistics.many.cliques import cliques


def matrix(size: int, different: set[tuple[int, int]]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    found = np.ones((size, size))
    for a, b in different:
        found[a, b] = found[b, a] = 0.001
    return found


def test_groups_overlap_as_in_the_figure_of_demsar() -> None:
    # 2006, figure 1a: of four, ranked 3.143, 2.000, 2.893, 1.964, the best two differ from none but by the ends here.
    assert cliques([3.143, 2.0, 2.893, 1.964], matrix(4, {(0, 3), (0, 1)})) == ((3, 1, 2), (2, 0))


def test_all_alike_are_one_group_and_all_different_are_none() -> None:
    assert cliques([3, 1, 2], np.ones((3, 3))) == ((1, 2, 0),)
    assert cliques([3, 1, 2], np.eye(3)) == ()


def test_an_untested_pair_is_no_difference() -> None:
    assert cliques([1, 2], np.array([[1, np.nan], [np.nan, 1]])) == ((0, 1),)


@given(
    st.integers(1, 7).flatmap(lambda k: st.tuples(st.just(k), st.sets(st.sampled_from([*combinations(range(7), 2)]))))
)
def test_groups_are_all_maximal_runs_of_ranks_without_a_difference(case: tuple[int, set[tuple[int, int]]]) -> None:
    size, pairs = case
    different = {pair for pair in pairs if max(pair) < size}
    runs = [tuple(range(a, b + 1)) for a in range(size) for b in range(a + 1, size)]
    alike = [run for run in runs if not different & set(combinations(run, 2))]
    expected = tuple(run for run in alike if not any(set(run) < set(other) for other in alike))
    assert cliques(np.arange(size), matrix(size, different)) == expected


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        cliques([1, 2], np.ones((3, 3)))
    with pytest.raises(ValueError, match="not symmetric"):
        cliques([1, 2], np.array([[1, 0.5], [0.4, 1]]))
