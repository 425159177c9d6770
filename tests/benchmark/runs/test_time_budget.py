"""A run that has so much time: what it may begin, and that nothing is lost at its end."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from fbench.benchmark.runs.stopping import STOP_S, Stopping, UnfinishedRunError
from fbench.benchmark.runs.time_budget import SAFETY, refuse_short_budget, trial_limits
from fbench.core.errors import UserError


class Work:
    def __init__(self) -> None:
        self.asked = 0

    def ask_to_stop(self) -> None:
        self.asked += 1


def test_without_a_budget_everything_may_begin() -> None:
    stopping = Stopping()
    limits = trial_limits({"a": 1e9}, {"a": 1e9}, None, stopping)
    assert limits.may_begin("a")
    assert limits.timeouts_s == {"a": 20e9}
    refuse_short_budget({"a": 1e9}, stopping)


def test_a_trial_begins_where_its_estimate_with_a_margin_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    now = SimpleNamespace(at=1000.0)
    monkeypatch.setattr(time, "monotonic", lambda: now.at)
    stopping = Stopping(100.0 + STOP_S)
    limits = trial_limits({"a": 100.0, "b": 60.0}, {"a": 40.0, "b": 60.0}, 7.0, stopping)
    assert limits.timeouts_s == {"a": 7.0, "b": 7.0}
    now.at += 100 - SAFETY * 60 - 0.01
    assert limits.may_begin("b")
    now.at += 0.02
    assert not limits.may_begin("b")
    assert limits.may_begin("a")  # of which a part was done before


def test_a_budget_in_which_no_trial_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    now = SimpleNamespace(at=0.0)
    monkeypatch.setattr(time, "monotonic", lambda: now.at)
    stopping = Stopping(60.0)
    now.at = 5.0
    message = "of 60 s, 40 s are left for trials, and the shortest that is still to run takes 50 s; give at least 71 s"
    with pytest.raises(UserError, match=message):
        refuse_short_budget({"a": 40.0, "b": 90.0}, stopping)
    refuse_short_budget({"a": 32.0, "b": 90.0}, stopping)
    short = Stopping(2.0)
    now.at = 8.0
    with pytest.raises(UserError, match=r"of 2 s, 0 s are left .* takes 50 s; give at least 69 s"):
        refuse_short_budget({"a": 40.0}, short)  # 50 s, 15 s to stop, 3 s that are gone, and one more
    refuse_short_budget({}, stopping)


def test_work_is_asked_to_stop_when_time_is_over() -> None:
    stopping, work = Stopping(STOP_S + 0.2), Work()
    assert not stopping.was_asked
    with stopping.of(work):
        deadline = time.monotonic() + 10
        while not work.asked and time.monotonic() < deadline:
            time.sleep(0.01)
    assert work.asked == 1
    assert stopping.was_asked
    assert stopping.time_left_s == 0


def test_work_that_ended_in_time_is_not_asked() -> None:
    stopping, work = Stopping(STOP_S + 0.2), Work()
    with stopping.of(work):
        pass
    time.sleep(0.3)
    assert work.asked == 0
    assert not stopping.was_asked


def test_a_checkpoint_shortens_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from support import make_stripes, two_lenets

    from fbench.benchmark.runs.planning import plan_run
    from fbench.benchmark.runs.request import RunRequest
    from fbench.benchmark.runs.time_budget import seconds_left
    from fbench.benchmark.training import checkpoints

    monkeypatch.setattr("fbench.benchmark.runs.planning.load_dataset", lambda reference: make_stripes())
    plan = plan_run(RunRequest(suite=two_lenets(), preset="smoke", seeds=1, device="cpu", out=tmp_path / "run"))
    begun, fresh = plan.specs
    steps = {f"{begun.trial_id}.safetensors": 3}
    monkeypatch.setattr(checkpoints, "steps_done", lambda file: steps.get(file.path.name, 0))
    left = seconds_left(plan.folder, plan.specs, {begun.trial_id: 8.0, fresh.trial_id: 8.0})
    assert left == {begun.trial_id: pytest.approx(2.0), fresh.trial_id: 8.0}  # 3 of the 4 steps of the preset smoke


def test_what_is_left_beside_trials_is_named() -> None:
    assert str(UnfinishedRunError([], also="the measurement of cost")) == "the measurement of cost is still to be done"
