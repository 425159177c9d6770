"""Networks as people write them: each trains and keeps its weights, or fails alone and says why."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import odd_networks as odd
import pytest
import torch
from support import Heard, run_here, trial_spec_of

from fbench.architectures import registry
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.export.formats import write_export
from fbench.benchmark.export.metadata import ExportFormat
from fbench.benchmark.export.trained import load_trained
from fbench.benchmark.records.predictions import Predictions, rounded_logits
from fbench.benchmark.records.specs import DataSpec, TrialSpec
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.runs import executors, training_task
from fbench.benchmark.runs.executors import WorkerContext
from fbench.benchmark.store import run_folder as store
from fbench.benchmark.store.ledger import log_readings, read_ledger
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.trial_result import TrialResult
from fbench.benchmark.training import networks
from fbench.benchmark.training.networks import load_model
from fbench.benchmark.training.trial import TrialContext, run_trial
from fbench.benchmark.workers.inside import Parent
from fbench.core.contained import UNFINISHED
from fbench.core.errors import UserError

CPU = TrialContext(torch.device("cpu"))
pytestmark = pytest.mark.usefixtures("same_registry_afterwards")

KEPT = [
    odd.Tied,
    odd.PartOfAnother,
    odd.Cached,
    odd.Growing,
    odd.FilledLater,
    odd.RegisteredLater,
    odd.Expanded,
    odd.Complex,
    odd.ManyTypes,
    odd.ComputedWeight,
    odd.CountsInExtraState,
]


def spec_of(network: type[odd.Small], stripes: ImageDataset, **protocol: object) -> TrialSpec:
    return trial_spec_of(stripes, odd.registered(network), **protocol)


@pytest.mark.filterwarnings("ignore:.*weight_norm:FutureWarning")
@pytest.mark.parametrize("ema_decay", [None, 0.5])
@pytest.mark.parametrize("network", KEPT)
def test_a_network_comes_back_and_predicts_what_its_trial_predicted(
    network: type[odd.Small], ema_decay: float | None, stripes: ImageDataset, tmp_path: Path
) -> None:
    result = run_trial(spec_of(network, stripes, ema_decay=ema_decay), stripes, CPU)
    assert result.record.status == "finished", result.record.failure_reason
    folder = RunFolder(tmp_path)
    record = folder.write_trial(result)
    assert record.weights_not_kept is None
    trained = load_trained(folder, record.trial_id)
    pixels = stripes.images[stripes.rows("test")].astype("float32")
    assert result.predictions is not None
    assert (
        trained.logits(pixels).argmax(1) == result.predictions["test"].predicted
    ).mean() > 0.95  # equal but for ties
    report = write_export(trained, ExportFormat.SAFETENSORS, tmp_path / "n.safetensors")
    assert report.deviation <= 1e-4
    kept, loaded = result.weights, load_model(folder, record.trial_id).state_dict()
    assert kept is not None
    assert kept.keys() == loaded.keys()
    for name, value in kept.items():
        if isinstance(value, torch.Tensor):
            assert (value.shape, value.dtype, value.layout) == (
                loaded[name].shape,
                loaded[name].dtype,
                loaded[name].layout,
            )
            assert torch.equal(value.to_dense(), loaded[name].to_dense())
        else:
            assert value == loaded[name]


def test_the_chosen_step_is_that_of_a_memory_that_went_on_growing(stripes: ImageDataset) -> None:
    result = run_trial(spec_of(odd.Growing, stripes), stripes, CPU)
    assert result.weights is not None
    assert len(result.weights["memory"]) == 1 + (result.record.chosen_step or 0)


def test_a_finished_trial_says_why_its_weights_are_not_kept(stripes: ImageDataset, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    record = folder.write_trial(run_trial(spec_of(odd.KeepsAnObject, stripes), stripes, CPU))
    assert record.status == "finished"
    assert record.weights_not_kept is not None
    assert "'_extra_state' is or holds an object of class Colour" in record.weights_not_kept
    assert folder.trial(record.trial_id) == record
    assert not folder.has_weights(record.trial_id)
    with pytest.raises(UserError, match="could not be kept"):
        load_model(folder, record.trial_id)


@pytest.mark.parametrize(
    ("network", "reason", "evaluations"),
    [
        (odd.KeepsTheGraph, "backward through the graph a second time", 0),
        (odd.KeepsALock, "'_extra_state' of the network's state", 1),
        (odd.GivesTwoLater, "gives a tuple in training; let it return a tensor", 0),
        (odd.Leaves, "SystemExit: enough", 0),
        (odd.NanInEvaluation, "diverged: the validation loss was not finite at step 2 (nan)", 0),
        (odd.MaskedClass, "30 of 30 images have a logit that is NaN or infinite", 0),
        (odd.raising(odd.UnprintableError()), "UnprintableError: (its message cannot be had: RuntimeError)", 0),
        (odd.raising(ValueError("\udcff \x1b[31m")), "ValueError: \\udcff \\x1b[31m", 0),
        (odd.raising(ValueError("x" * 10_000)), "x…", 0),
        (odd.raising(GeneratorExit()), "GeneratorExit", 0),
    ],
)
def test_a_failed_trial_has_its_reason_and_history_and_the_next_one_runs(
    network: type[odd.Small],
    reason: str,
    evaluations: int,
    stripes: ImageDataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(executors, "load_for", lambda data: stripes)
    specs = [spec_of(network, stripes), spec_of(odd.Small, stripes)]
    heard = Heard()
    run_here(specs, tmp_path, heard)
    folder = RunFolder(tmp_path)
    assert [record.status for record in heard.records] == ["failed", "finished"]
    assert list(folder.trials().values()) == sorted(heard.records, key=lambda record: record.trial_id)
    failed = heard.records[0]
    assert failed.failure_reason is not None
    assert reason in failed.failure_reason
    assert len(failed.failure_reason) <= 2000
    assert len(folder.history(failed.trial_id)) == evaluations
    assert sorted(path.name for path in (tmp_path / "trials").iterdir()) == sorted(spec.trial_id for spec in specs)


def test_a_reading_of_the_test_split_that_chose_the_epoch_counts_where_it_ends_the_trial(
    stripes: ImageDataset,
) -> None:
    result = run_trial(spec_of(odd.NanInEvaluation, stripes, selection="test"), stripes, CPU)
    assert "diverged: the test loss was not finite at step 2 (nan)" in (result.record.failure_reason or "")
    log_readings(result)
    assert len(read_ledger(stripes.fingerprint)) == 1


def test_logits_that_float16_cannot_hold_are_kept_by_their_differences(stripes: ImageDataset, tmp_path: Path) -> None:
    result = run_trial(spec_of(odd.LargeLogits, stripes), stripes, CPU)
    assert result.record.status == "finished", result.record.failure_reason
    assert result.predictions is not None
    part = result.predictions["test"]
    assert part.logits is not None
    assert (part.logits.argmax(1) == part.predicted).all()
    assert (part.logits.max(1) == 0).all()
    assert RunFolder(tmp_path).write_trial(result).status == "finished"


def test_nan_on_the_test_split_alone_is_named_and_its_reading_counts(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network gives NaN for the one image that only the test split has."""
    images = stripes.images.copy()
    row = stripes.rows("test")[4]
    images[row] = 0

    class Picky(odd.Small):
        def features(self, x: torch.Tensor) -> torch.Tensor:
            flat = (x.amax((1, 2, 3)) == x.amin((1, 2, 3)))[:, None]
            return super().features(x).masked_fill(flat, torch.nan)

    data = replace(stripes, images=images)
    result = run_trial(spec_of(Picky, data), data, CPU)
    assert result.record.status == "failed"
    reason = result.record.failure_reason or ""
    assert "the test loss was not finite" in reason
    assert "1 of 30 images" in reason
    assert len(result.history) == 2
    log_readings(result)
    assert len(read_ledger(data.fingerprint)) == 1


@pytest.fixture
def two_specs(stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch) -> list[TrialSpec]:
    monkeypatch.setattr(executors, "load_for", lambda data: stripes)
    name = odd.registered(odd.Small)
    return [trial_spec_of(stripes, name, seed=seed) for seed in (0, 1)]


def failing_for(trial_id: str, error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the writing of what a trial predicted raise this."""
    files_of = store.prediction_files

    def failing(predictions: Predictions) -> dict[str, bytes]:
        if current[0] == trial_id:
            raise error
        return files_of(predictions)

    current = [""]
    whole = RunFolder.write_trial

    def write_trial(self: RunFolder, result: TrialResult) -> TrialRecord:
        current[0] = result.record.trial_id
        return whole(self, result)

    monkeypatch.setattr(store, "prediction_files", failing)
    monkeypatch.setattr(RunFolder, "write_trial", write_trial)


def test_a_trial_that_cannot_be_written_is_a_failed_record_with_its_history(
    two_specs: list[TrialSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_for(two_specs[0].trial_id, TypeError("no such numbers"), monkeypatch)
    heard = Heard()
    run_here(two_specs, tmp_path, heard)
    assert [record.status for record in heard.records] == ["failed", "finished"]
    assert heard.records[0].failure_reason == "its result could not be written: TypeError: no such numbers"
    folder = RunFolder(tmp_path)
    assert folder.trials() == {record.trial_id: record for record in heard.records}
    assert len(folder.history(two_specs[0].trial_id)) == 2
    assert not folder.has_weights(two_specs[0].trial_id)
    assert len(list((tmp_path / "trials").iterdir())) == 2


def test_a_disk_that_refuses_ends_the_run_with_one_sentence_and_leaves_nothing_half_written(
    two_specs: list[TrialSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing_for(two_specs[1].trial_id, OSError(28, "No space left on device"), monkeypatch)
    heard = Heard()
    with pytest.raises(UserError, match=r"No space left on device.*run the same command again"):
        run_here(two_specs, tmp_path, heard)
    assert list(RunFolder(tmp_path).trials()) == [two_specs[0].trial_id]
    assert len(list((tmp_path / "trials").iterdir())) == 1


def test_a_number_that_json_cannot_hold_fails_its_trial_and_not_all_that_read_the_run(
    two_specs: list[TrialSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_numbers(*args: Any, **kwargs: Any) -> TrialResult:
        result = run_trial(*args, **kwargs)
        assert result.record.test is not None
        test = result.record.test.model_copy(update={"loss": float("nan")})
        return replace(result, record=result.record.model_copy(update={"test": test}))

    monkeypatch.setattr("fbench.benchmark.training.trial.run_trial", without_numbers)
    heard = Heard()
    run_here(two_specs[:1], tmp_path, heard)
    assert "'test.loss' of its record" in (heard.records[0].failure_reason or "")
    assert RunFolder(tmp_path).trials() == {two_specs[0].trial_id: heard.records[0]}


def test_data_that_cannot_be_loaded_any_more_fail_the_trial(
    two_specs: list[TrialSpec], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(data: DataSpec) -> ImageDataset:
        raise ValueError(f"the data set {data.name} is gone")

    monkeypatch.setattr(executors, "load_for", gone)
    heard = Heard()
    run_here(two_specs, tmp_path, heard)
    assert [record.failure_reason for record in heard.records] == ["ValueError: the data set stripes is gone"] * 2


def test_a_record_says_whether_deterministic_algorithms_were_taken_and_what_has_none(stripes: ImageDataset) -> None:
    """A network that asks for them itself, as CUDA's numerics do; unpooling has none on a CPU either."""
    plain = run_trial(trial_spec_of(stripes, "lenet5"), stripes, CPU).record
    assert (plain.deterministic_algorithms, plain.without_deterministic_algorithm) == (False, ())
    with pytest.warns(UserWarning, match="max_unpooling2d_forward_out does not have"):  # it is shown all the same
        asking = run_trial(spec_of(odd.Unpools, stripes), stripes, CPU).record
    assert asking.status == "finished", asking.failure_reason
    assert asking.deterministic_algorithms
    assert asking.without_deterministic_algorithm == ("max_unpooling2d_forward_out",)
    assert not torch.are_deterministic_algorithms_enabled()
    before = {"deterministic_algorithms", "without_deterministic_algorithm"}
    assert TrialRecord.model_validate(plain.model_dump(exclude=before)).deterministic_algorithms is None


def test_what_a_network_sets_for_the_whole_process_ends_with_its_trial(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks, "refuse_unusable_output", lambda *arguments: None)

    class Selfish(odd.Small):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.training:
                torch.set_grad_enabled(False)
                torch.set_default_dtype(torch.float64)
            return super().forward(x)

    assert run_trial(spec_of(Selfish, stripes), stripes, CPU).record.status == "failed"
    assert torch.is_grad_enabled()
    assert torch.get_default_dtype() is torch.float32


def test_ctrl_c_of_a_network_ends_its_trial_where_it_works_for_another_process_and_else_the_run(
    stripes: ImageDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executors, "load_for", lambda data: stripes)
    monkeypatch.setattr(networks, "refuse_unusable_output", lambda *arguments: None)
    spec = spec_of(odd.raising(KeyboardInterrupt()), stripes)
    there = training_task._trained(Parent(io.BytesIO(), tmp_path / "log"), spec, WorkerContext(tmp_path / "scratch"))
    assert there.record.failure_reason == "KeyboardInterrupt"
    with pytest.raises(KeyboardInterrupt):
        run_here([spec], tmp_path)


def test_what_a_killed_process_left_is_no_trial(stripes: ImageDataset, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    record = folder.write_trial(run_trial(spec_of(odd.Small, stripes), stripes, CPU))
    shutil.copytree(folder.trial_folder(record.trial_id), tmp_path / "trials" / f"{UNFINISHED}1")
    assert list(folder.trials()) == [record.trial_id]


def test_an_edited_network_does_not_take_weights_that_no_longer_fit(stripes: ImageDataset, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    name = odd.registered(odd.Tied, "edited_later")
    record = folder.write_trial(run_trial(trial_spec_of(stripes, name), stripes, CPU))
    del registry._REGISTRY.builders[name], registry._REGISTRY.entries[name]
    odd.registered(odd.Small, name)
    with pytest.raises(UserError, match=r"do not fit the network 'edited_later' .*Unexpected key"):
        load_model(folder, record.trial_id)


@pytest.mark.parametrize(
    ("logits", "kept"),
    [
        ([[1.0, -2.5]], [[1.0, -2.5]]),
        ([[65504.0, 0.0]], [[65504.0, 0.0]]),
        ([[70000.0, 69996.0]], [[0.0, -4.0]]),
        ([[-1e6, -1e6 - 2]], [[0.0, -2.0]]),
        ([[1e30, 0.0]], [[0.0, -65504.0]]),
        ([[70000.0, 69996.0], [1.0, 2.0]], [[0.0, -4.0], [1.0, 2.0]]),
    ],
)
def test_logits_are_rounded_with_their_order(logits: list[list[float]], kept: list[list[float]]) -> None:
    found = rounded_logits(np.array(logits, np.float32))
    assert found.dtype == np.float16
    np.testing.assert_array_equal(found, np.array(kept, np.float16))
