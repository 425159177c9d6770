from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from support import trial_spec_of

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.store.ledger import log_later_reading, log_readings, read_ledger
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.training.trial import TrialContext, run_trial


@pytest.mark.parametrize(
    ("protocol", "readings"),
    [({}, 1), ({"test": "none"}, 0), ({"selection": "test"}, 3), ({"selection": "last"}, 1)],
)
def test_every_reading_of_the_test_split_is_a_line(
    stripes: ImageDataset, protocol: dict[str, object], readings: int
) -> None:
    """Two evaluations choose the epoch; where the test split chooses, each of them is a reading too."""
    result = run_trial(trial_spec_of(stripes, **protocol), stripes, TrialContext(torch.device("cpu")))
    log_readings(result)
    lines = [json.loads(line) for line in read_ledger(stripes.fingerprint)]
    assert [line["trial_id"] for line in lines] == [result.record.trial_id] * readings
    log_readings(result)
    assert len(read_ledger(stripes.fingerprint)) == 2 * readings


def test_data_that_was_never_read_has_an_empty_ledger() -> None:
    assert read_ledger("0" * 64) == []


def test_a_reading_after_the_trial_is_a_line_with_its_purpose(stripes: ImageDataset) -> None:
    record = run_trial(trial_spec_of(stripes, test="none"), stripes, TrialContext(torch.device("cpu"))).record
    log_later_reading(record, 30, "accuracy of int8")
    (line,) = [json.loads(text) for text in read_ledger(stripes.fingerprint)]
    assert (line["trial_id"], line["split"], line["rows"]) == (record.trial_id, "test", 30)
    assert line["purpose"] == "accuracy of int8"
    assert "selected_on" not in line


def test_a_cache_that_cannot_be_written_costs_the_line_and_not_the_trial(
    stripes: ImageDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FBENCH_CACHE_DIR", str(tmp_path / "file" / "cache"))
    log_readings(run_trial(trial_spec_of(stripes), stripes, TrialContext(torch.device("cpu"))))
    assert "a reading of the test split could not be written to" in caplog.text
    assert read_ledger(stripes.fingerprint) == []


def test_a_ledger_that_cannot_be_read_costs_no_run_and_no_line_that_a_run_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("FBENCH_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "cache" / "test_readings" / f"{'0' * 64}.jsonl").mkdir(parents=True)
    run = RunFolder(tmp_path / "run")
    run.write_test_readings(['{"rows": 1}'])
    run.write_test_readings(read_ledger("0" * 64))
    assert run.test_readings() == [{"rows": 1}]
    assert "cannot be read" in caplog.text
