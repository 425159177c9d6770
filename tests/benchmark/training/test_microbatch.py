"""A batch that does not fit into the device's memory fails its trial, which names what does fit."""

from __future__ import annotations

from pathlib import Path

import odd_networks as odd
import pytest
import torch
from support import make_stripes, trial_spec_of

from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.runs.uniform_microbatch import with_uniform_microbatch
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.trial_result import TrialResult
from fbench.benchmark.training import networks
from fbench.benchmark.training.trial import TrialContext, run_trial
from fbench.core.errors import UserError

CPU = TrialContext(torch.device("cpu"))
pytestmark = pytest.mark.usefixtures("same_registry_afterwards")


def record_of(most: int, monkeypatch: pytest.MonkeyPatch, microbatch: int | None = None) -> TrialRecord:
    """Of a network that trains on at most so many images at a time, with batches of 24."""

    class Large(odd.Small):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if self.training and len(x) > most and x.device.type != "meta":
                raise torch.OutOfMemoryError(f"{len(x)} images do not fit")
            return super().forward(x)

    monkeypatch.setattr(networks, "refuse_unusable_output", lambda *arguments: None)
    stripes = make_stripes()
    spec = trial_spec_of(stripes, odd.registered(Large, f"large_{most}"))
    numerics = spec.numerics.model_copy(update={"microbatch": microbatch})
    return run_trial(spec.model_copy(update={"numerics": numerics}), stripes, CPU).record


def test_a_trial_without_room_names_the_microbatch_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    record = record_of(8, monkeypatch)
    assert (record.status, record.fitting_microbatch) == ("failed", 6)
    assert record.failure_reason == (
        "OutOfMemoryError: 24 images do not fit; a microbatch of 6 fits: --uniform-microbatch plans the whole run anew "
        "with it"
    )


def test_where_no_image_fits_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    record = record_of(0, monkeypatch)
    assert record.fitting_microbatch is None
    assert record.failure_reason == "OutOfMemoryError: 24 images do not fit"


def test_the_named_microbatch_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    assert record_of(8, monkeypatch, microbatch=6).status == "finished"


def test_a_run_is_planned_anew_beside_itself_with_the_least_that_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = RunFolder(tmp_path / "run")
    numerics = choose_numerics("cpu")
    with pytest.raises(UserError, match="has no trial that failed for lack of the device's memory"):
        with_uniform_microbatch(first, numerics)
    first.write_trial(TrialResult(record_of(8, monkeypatch)))
    folder, chosen = with_uniform_microbatch(first, numerics)
    assert (folder.path, chosen.microbatch) == (tmp_path / "run-microbatch6", 6)
    folder.write_trial(TrialResult(record_of(3, monkeypatch, microbatch=6)))
    folder, chosen = with_uniform_microbatch(first, numerics)
    assert (folder.path, chosen.microbatch) == (tmp_path / "run-microbatch3", 3)
