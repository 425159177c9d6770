"""The trainings of one network from two runs are those of one that trained all of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fbench.reports.findings.comparisons.evidence import NetworkEvidence, gather
from fbench.reports.findings.comparisons.joining import joined
from tests.reports.fabricated_run import Recipe, fabricate_run


def network(folder: Path, seeds: tuple[int, ...]) -> NetworkEvidence:
    run = fabricate_run(folder, Recipe(seeds=seeds, images=60, with_cost=False))
    return gather(run, run.config.data[0]).networks["ires"]


def test_seeds_come_in_order_each_once(tmp_path: Path) -> None:
    found = joined(network(tmp_path / "odd", (1, 3)), network(tmp_path / "more", (0, 2, 3)))
    whole = network(tmp_path / "whole", (0, 1, 2, 3))
    assert found.seeds == whole.seeds
    assert found.records == whole.records
    assert found.measures == whole.measures
    assert found.histories == whole.histories
    assert np.array_equal(found.correct, whole.correct)
    assert np.array_equal(found.confusion, whole.confusion)


def test_of_a_seed_that_both_have_the_first_counts(tmp_path: Path) -> None:
    ours, other = network(tmp_path / "ours", (0, 1)), network(tmp_path / "other", (1, 2))
    other.correct[0] = ~other.correct[0]
    found = joined(ours, other)
    assert np.array_equal(found.correct[:2], ours.correct)
    assert np.array_equal(found.correct[2], other.correct[1])
