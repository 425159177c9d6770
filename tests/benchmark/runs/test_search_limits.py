"""Trials of searches in a run that has so much time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import torch
from support import make_stripes, trial_spec_of

from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.runs.network_tasks import NetworkTasks
from fbench.benchmark.runs.search_limits import SearchLimits
from fbench.benchmark.runs.stopping import STOP_S, Stopping
from fbench.benchmark.runs.time_budget import ESTIMATES_IN_A_LIMIT, SAFETY
from fbench.benchmark.store.run_folder import RunFolder
from fbench.core.errors import UserError


class Timed:
    """Every trial takes as long as it is told; counts how often it is asked."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.asked: list[str] = []

    def estimate_trials_s(self, specs: Sequence[TrialSpec], device: torch.device) -> dict[str, float]:
        self.asked += [spec.trial_id for spec in specs]
        return dict.fromkeys((spec.trial_id for spec in specs), self.seconds)


def limits_of(folder: Path, timed: Timed, stopping: Stopping, timeout_s: float | None = None) -> SearchLimits:
    return SearchLimits(RunFolder(folder), torch.device("cpu"), cast("NetworkTasks", timed), timeout_s, stopping)


def spec_of(passes: int) -> TrialSpec:
    budget = Budget(image_passes=passes, evaluation_points=1, batch_size=8)
    return trial_spec_of(make_stripes(), "lenet5", budget=budget)


def test_a_rung_of_half_the_steps_takes_half_the_time_and_is_not_timed_again(tmp_path: Path) -> None:
    short, long = spec_of(80), spec_of(160)  # 10 and 20 steps
    timed = Timed(1000.0)
    limits = limits_of(tmp_path, timed, Stopping())
    assert limits([short]).timeouts_s == {short.trial_id: ESTIMATES_IN_A_LIMIT * 1000.0}
    assert limits([long]).timeouts_s == {long.trial_id: ESTIMATES_IN_A_LIMIT * 2000.0}
    assert timed.asked == [short.trial_id]
    assert limits([long]).may_begin(long.trial_id)


def test_a_time_that_is_asked_for_holds_for_every_trial(tmp_path: Path) -> None:
    spec = spec_of(80)
    assert limits_of(tmp_path, Timed(1.0), Stopping(), timeout_s=7.0)([spec]).timeouts_s == {spec.trial_id: 7.0}


def test_no_trial_begins_that_would_not_end_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = SimpleNamespace(at=0.0)
    monkeypatch.setattr(time, "monotonic", lambda: now.at)
    short, long = spec_of(80), spec_of(160)
    limits = limits_of(tmp_path, Timed(10.0), Stopping(SAFETY * 10.0 + STOP_S + 5.0))
    assert limits([short]).may_begin(short.trial_id)
    assert not limits([long]).may_begin(long.trial_id)  # of 20 s, and refused nothing: the first rung was begun
    now.at += 5.1
    assert not limits([short]).may_begin(short.trial_id)


def test_a_time_in_which_not_one_trial_ends_is_refused(tmp_path: Path) -> None:
    limits = limits_of(tmp_path, Timed(100.0), Stopping(60.0))
    with pytest.raises(UserError, match="the shortest that is still to run takes 125 s"):
        limits([spec_of(80)])
