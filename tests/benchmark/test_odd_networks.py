"""Networks as people write them: each trains and keeps its weights, or fails alone and says why."""

from __future__ import annotations

from pathlib import Path

import odd_networks as odd
import pytest
import torch
from support import trial_spec_of

from fbench.architectures.errors import UserError
from fbench.benchmark import executor
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.executor import Workplace, run_trials
from fbench.benchmark.export.trained import load_trained
from fbench.benchmark.ledger import log_readings, read_ledger
from fbench.benchmark.networks import load_model
from fbench.benchmark.records import TrialRecord
from fbench.benchmark.specs import TrialSpec
from fbench.benchmark.store import RunFolder
from fbench.benchmark.trial import TrialContext, run_trial

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
    """The rate is so large that the first of two evaluations is the better one, or it is the last that is taken."""
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
        (odd.GivesTwo, "gives a tuple in training; let it return a tensor", 0),
        (odd.Leaves, "SystemExit: enough", 0),
        (odd.NanInEvaluation, "diverged: the validation loss was not finite at step 2 (nan)", 0),
        (odd.MaskedClass, "30 of 30 images have a logit that is NaN or infinite", 0),
        (odd.raising(odd.UnprintableError()), "UnprintableError: (its message cannot be had: RuntimeError)", 0),
        (odd.raising(ValueError("\udcff \x1b[31m")), "ValueError: \\udcff \\x1b[31m", 0),
        (odd.raising(ValueError("x" * 10_000)), "x...", 0),
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
    monkeypatch.setattr(executor, "load_for", lambda data: stripes)
    specs = [spec_of(network, stripes), spec_of(odd.Small, stripes)]
    heard = Heard()
    run_trials(specs, Workplace(tmp_path, "cpu", 1), heard)
    folder = RunFolder(tmp_path)
    assert [record.status for record in heard.records] == ["failed", "finished"]
    assert list(folder.trials().values()) == sorted(heard.records, key=lambda record: record.trial_id)
    failed = heard.records[0]
    assert failed.failure_reason is not None
    assert reason in failed.failure_reason
    assert len(failed.failure_reason) <= 2000
    assert len(folder.history(failed.trial_id)) == evaluations
    assert sorted(path.name for path in (tmp_path / "trials").iterdir()) == sorted(spec.trial_id for spec in specs)


class Heard:
    """Keeps what a run tells."""

    def __init__(self) -> None:
        self.records: list[TrialRecord] = []

    def stepped(self, trial_id: str, steps: int) -> None:
        pass

    def ended(self, record: TrialRecord) -> None:
        self.records.append(record)


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

    from dataclasses import replace

    data = replace(stripes, images=images)
    result = run_trial(spec_of(Picky, data), data, CPU)
    assert result.record.status == "failed"
    reason = result.record.failure_reason or ""
    assert "the test loss was not finite" in reason
    assert "1 of 30 images" in reason
    assert len(result.history) == 2
    log_readings(result)
    assert len(read_ledger(data.fingerprint)) == 1
