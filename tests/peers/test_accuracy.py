from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from tests.csv_tables import write_rows
from tests.peers.accuracy import Trained, differences, read_trained


def trained(contestant: str, *top1: float) -> list[Trained]:
    return [Trained("ires", contestant, seed, 1000, value) for seed, value in enumerate(top1)]


def test_the_difference_and_its_interval_are_welch_s_over_seeds() -> None:
    ours, theirs = (0.52, 0.54, 0.50, 0.53), (0.51, 0.49, 0.53, 0.50)
    rows = differences([*trained("fbench", *ours), *trained("keras", *theirs)])
    assert [row.contestant for row in rows] == ["fbench", "keras"]
    keras = rows[1]
    assert keras.fbench_minus_this_points == pytest.approx(1.5)
    compared = CompareMeans(DescrStatsW(100 * np.array(ours)), DescrStatsW(100 * np.array(theirs)))
    low, high = compared.tconfint_diff(usevar="unequal")
    assert (keras.low_points, keras.high_points) == pytest.approx((low, high))


def test_an_earlier_table_is_read_back(tmp_path: Path) -> None:
    rows = [*trained("fbench", 0.52, 0.54), *trained("keras", 0.51)]
    write_rows(tmp_path / "accuracy.csv", [asdict(row) for row in rows])
    assert read_trained(tmp_path / "accuracy.csv") == rows
    assert read_trained(tmp_path / "none.csv") == []
