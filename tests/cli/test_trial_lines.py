"""What is said of trials, whatever a network's own exception says: brackets are no markup."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from support import trial_spec_of

from fbench.ablations.suite import adhoc_suite
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.records.events import Ended
from fbench.benchmark.records.trial_records import PlannedTrial, RunConfig
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.trial_result import TrialResult
from fbench.benchmark.training.trial import TrialContext, run_trial
from fbench.cli.progress import RunProgress
from fbench.cli.status import status_command
from tests.reports.fabricated_cost import cost, series

REASON = "ValueError: [/red] of [bold"


@pytest.fixture
def failed(stripes: ImageDataset) -> TrialResult:
    result = run_trial(trial_spec_of(stripes, "lenet5"), stripes, TrialContext(torch.device("cpu")))
    return TrialResult(result.record.model_copy(update={"status": "failed", "failure_reason": REASON}))


def told(result: TrialResult, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> str:
    """What the progress of a run prints of a trial, on one line."""
    specs = [result.record.spec]
    config = SimpleNamespace(data=())  # no budget to be told of
    plan: Any = SimpleNamespace(
        remaining=specs, specs=specs, own_specs=specs, jobs=1, folder=RunFolder(tmp_path), config=config
    )
    with RunProgress() as progress:
        progress.began(plan, {result.record.trial_id: 1.0}, 1.0)
        progress.happened(Ended(result.record))
    return " ".join(capsys.readouterr().out.split())


def test_a_failed_trial_is_told_with_its_reason_as_it_is(
    failed: TrialResult, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert f"failed: {failed.record.spec.label}: {REASON}" in told(failed, capsys, tmp_path)


def test_weights_that_are_not_kept_are_told_as_the_trial_ends(
    failed: TrialResult, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    finished = {"status": "finished", "failure_reason": None, "weights_not_kept": "'a' [/is] odd"}
    text = told(TrialResult(failed.record.model_copy(update=finished)), capsys, tmp_path)
    assert f"The weights of {failed.record.spec.label} are not kept: 'a' [/is] odd" in text


def test_a_busy_machine_is_told_with_the_command_that_measures_again(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    record = cost(series("lenet5", 1.0)).model_copy(update={"other_work_percent": 63.4})
    with RunProgress() as progress:
        progress.measured_on_busy_machine(record, tmp_path / "my run")
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("Cost was measured while other work took 63 % of the cores (more than 15 %)")
    assert said.endswith(f"fbench speed --into '{tmp_path / 'my run'}'")


def test_status_shows_the_reason_as_it_is(
    failed: TrialResult, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    record, folder = failed.record, RunFolder(tmp_path)
    spec = record.spec
    folder.create(
        RunConfig(
            name="odd",
            suite=adhoc_suite(["ires"]),
            protocol=spec.protocol,
            preset="smoke",
            budget=spec.budget,
            data=(spec.data,),
            numerics=spec.numerics,
            created_at=record.started_at,
            fbench_version="0",
        )
    )
    folder.extend_plan([PlannedTrial(network="n", data="d", seed=0, trial_id=record.trial_id)])
    folder.write_trial(failed)
    status_command(tmp_path, as_json=False)
    shown = capsys.readouterr().out
    assert "[/red]" in shown
    assert "[bold" in shown
