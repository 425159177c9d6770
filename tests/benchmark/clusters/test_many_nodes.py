"""The driver of a cluster keeps many machines at work: as fast as the best plan that knows everything beforehand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from many_nodes import simulate
from simulated import Machine, SimulatedCluster, best_static_packing_s, least_possible_s

MOST_PERCENT = 10.0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nodes alike", "speeds from 0.6 to 1.4", "a fifth leaves, a fifth joins"])
def test_trials_on_many_nodes_take_at_most_a_tenth_longer_than_the_best_packing(name: str, tmp_path: Path) -> None:
    found = simulate(name, 300, 15, tmp_path)  # of 1,000 on 50 nodes, results/scale/simulated.csv says it
    assert (found.lost, found.doubled) == (0, 0)
    assert found.over_packing_percent <= MOST_PERCENT
    assert (found.again > 0) == (name == "a fifth leaves, a fifth joins")


def test_a_trial_whose_machine_leaves_goes_on_elsewhere_from_its_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares: list[float] = []
    begin = SimulatedCluster.begin

    def watched(cluster: SimulatedCluster, parcel: str, data: object, checkpoint: bytes, avoided: Any) -> Any:
        shares.append(float(checkpoint or b"0"))
        return begin(cluster, parcel, data, checkpoint, avoided)

    monkeypatch.setattr(SimulatedCluster, "begin", watched)
    found = simulate("a fifth leaves, a fifth joins", 60, 10, tmp_path)
    assert (found.lost, found.doubled) == (0, 0)
    assert found.again == len(shares) - 60 > 0
    assert max(shares) > 0  # what was begun again went on from its checkpoint


def test_the_best_packing_of_known_trials() -> None:
    """By hand: 5, 4, 3, 3, 3 on two machines are 9 and 9; on one of them twice as fast, 5+4+3 / 2 and 3+3 are 6."""
    works = [5.0, 4.0, 3.0, 3.0, 3.0]
    assert best_static_packing_s([Machine("a", 1), Machine("b", 1)], works) == pytest.approx(10.0)  # the rule's, not 9
    assert best_static_packing_s([Machine("a", 2)], [4.0, 4.0]) == pytest.approx(4.0)
    assert least_possible_s([Machine("a", 1), Machine("b", 1)], works) == pytest.approx(9.0)
    assert least_possible_s([Machine("a", 1), Machine("b", 1, 2.0)], works) == pytest.approx(6.0)
    assert least_possible_s([Machine("a", 1), Machine("b", 1, joins_s=9.0)], works) == pytest.approx(13.5)
    assert least_possible_s([Machine("a", 3), Machine("b", 1, leaves_s=1.0)], [4.0, 4.0]) == pytest.approx(4.0)
