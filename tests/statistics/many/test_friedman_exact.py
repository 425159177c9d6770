from __future__ import annotations

import itertools

import numpy as np
import pytest

from fbench.statistics.many.friedman_exact import exact_p_value, is_small
from fbench.statistics.many.ranks import friedman, ranks


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 3)])
@pytest.mark.parametrize("values", [2, 9])  # with 2 there are many ties
def test_it_is_the_share_of_all_arrangements_counted_out(shape: tuple[int, int], values: int) -> None:
    found = ranks(np.random.default_rng(values).integers(0, values, size=shape).astype(float))
    seen = (found.sum(axis=0) ** 2).sum()
    orders = [list(itertools.permutations(block)) for block in found]
    sums = [np.sum(table, axis=0) for table in itertools.product(*orders)]
    share = np.mean([(total**2).sum() >= seen - 1e-9 for total in sums])
    assert exact_p_value(found) == pytest.approx(share, abs=1e-12)


def test_published_tails_are_met() -> None:
    # Three networks over three blocks, Siegel and Castellan 1988, Table M: 6 has p = 0.028, 4.667 has p = 0.194.
    agreeing = np.array([[1.0, 2, 3]] * 3)
    assert exact_p_value(agreeing) == pytest.approx(1 / 36)
    one_off = np.array([[1.0, 2, 3], [1, 2, 3], [1, 3, 2]])
    assert exact_p_value(one_off) == pytest.approx(0.194, abs=5e-4)


def test_small_tables_use_it_and_large_ones_do_not() -> None:
    generator = np.random.default_rng(0)
    small, large = generator.random((4, 4)), generator.random((30, 4))
    assert (is_small(4, 4), is_small(30, 4), is_small(1, 3)) == (True, False, False)
    assert friedman(small).rule == "exact"
    assert friedman(small).p_value == exact_p_value(ranks(small))
    assert friedman(large).rule == "f_distribution"
