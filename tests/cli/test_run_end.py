"""What is said of a run that was stopped."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fbench.cli.run_end import tell_stopped
from tests.reports.fabricated_run import Recipe, fabricate_run


def test_a_stopped_run_says_how_many_trials_failed_and_is_stopped_though_none_can_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(seeds=(0,), images=40)).folder
    trials, end = len(run.trial_ids()), "run the same command again to go on from there.\n"
    file = run.trial_folder(run.trial_ids()[0]) / "record.json"
    failed = json.loads(file.read_text()) | {"status": "failed", "failure_reason": "RuntimeError: boom"}
    for content, words in ((json.dumps(failed), ", 1 of them failed"), ("damaged", "")):
        file.write_text(content)
        tell_stopped(run, "")
        assert capsys.readouterr().err == f"\nStopped. {trials} trials are kept in {run.path}{words}; {end}"
    shutil.rmtree(run.path)
    tell_stopped(run, "")
    assert capsys.readouterr().err == f"\nStopped. 0 trials are kept in {run.path}; {end}"
