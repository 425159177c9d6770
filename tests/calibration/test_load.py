"""A run of many records holds together as a trained one does."""

from __future__ import annotations

from pathlib import Path

from fbench.benchmark.store.run_check import check_run
from fbench.benchmark.store.run_table import load_run
from fbench.reports.findings.comparisons.evidence import gather
from tests.calibration.load.many_records import multiply
from tests.reports.fabricated_run import Recipe, fabricate_run


def test_copies_of_trials_are_trials_of_their_own(tmp_path: Path) -> None:
    fabricate_run(tmp_path / "one", Recipe(seeds=(0,), images=60))
    assert multiply(tmp_path / "one", tmp_path / "many", 4) == 12
    run = load_run(tmp_path / "many")
    assert all(record.spec.trial_id == trial_id for trial_id, record in run.trials.items())
    evidence = gather(run, run.config.data[0])
    assert {found.seeds for found in evidence.networks.values()} == {(0, 1, 2, 3)}
    assert len({measures.top1 for found in evidence.networks.values() for measures in found.measures}) > 3
    assert check_run(run.folder).is_whole
