"""The measurement of a run's cost: whoever listens is told where other work disturbed it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from support import make_stripes, two_lenets, use_stripes

from fbench.benchmark.cost.roofline import measure_roofline
from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.records.cost_specs import CostSpec
from fbench.benchmark.runs import run_cost
from fbench.benchmark.runs.driver import keep
from fbench.benchmark.runs.executors import failed_record
from fbench.benchmark.runs.listener import RunListener, Together
from fbench.benchmark.runs.network_tasks import NetworkTasks
from fbench.benchmark.runs.planning import RunPlan, plan_run
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.runs.run_cost import NOT_TRAINED, has_cost, measure_run_cost
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.trial_result import TrialResult
from tests.reports.fabricated_cost import cost, series


class Hears(RunListener):
    def __init__(self) -> None:
        self.busy: list[tuple[float | None, Path]] = []

    def measured_on_busy_machine(self, record: CostRecord, folder: Path) -> None:
        self.busy.append((record.busy_percent, folder))


@pytest.mark.parametrize(("percent", "said"), [(90.0, True), (15.0, False)])
def test_other_work_above_the_limit_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, percent: float, said: bool
) -> None:
    monkeypatch.setattr("fbench.benchmark.runs.planning.load_dataset", lambda reference: make_stripes())
    monkeypatch.setattr(measure_roofline, "roofline_of_this_machine", lambda numerics, device: None)
    request = RunRequest(suite=two_lenets(), preset="smoke", seeds=1, jobs=1, device="cpu", out=tmp_path / "run")
    plan = plan_run(request)
    plan.folder.create(plan.config)
    found = cost(series("lenet5", 1.0)).model_copy(update={"other_work_percent": percent})
    tasks = cast(NetworkTasks, SimpleNamespace(measure_cost=lambda *_, **options: found))
    heard: Any = Hears()
    measure_run_cost(plan, Together(heard), tasks)
    assert heard.busy == ([(percent, plan.folder.path)] if said else [])
    assert plan.folder.costs()[0].other_work_percent == percent


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunPlan:
    """A run of two networks, the second of which counts as a user's; each trial is done and failed."""
    use_stripes(monkeypatch)
    monkeypatch.setattr(measure_roofline, "roofline_of_this_machine", lambda numerics, device: None)
    request = RunRequest(suite=two_lenets(), preset="smoke", seeds=1, jobs=1, device="cpu", out=tmp_path / "run")
    made = plan_run(request)
    monkeypatch.setattr(run_cost, "answers_elsewhere", lambda network: network.name == made.networks[1].name)
    made.folder.create(made.config)
    for spec in made.specs:
        keep(made.folder, TrialResult(failed_record(spec, "it hung")))
    return made


def test_a_users_network_of_which_no_trial_finished_is_not_timed_until_one_has(
    plan: RunPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hung in every trial, and would hang again."""
    users = plan.networks[1].name
    asked: list[dict[str, str]] = []

    def measure(spec: CostSpec, *_: object, left_out: dict[str, str]) -> CostRecord:
        asked.append(dict(left_out))
        return cost(series("lenet5", 1.0)).model_copy(
            update={"spec": spec, "cost_id": spec.cost_id, "failures": left_out}
        )

    tasks = cast(NetworkTasks, SimpleNamespace(measure_cost=measure))
    measure_run_cost(plan, RunListener(), tasks)
    assert asked == [{users: NOT_TRAINED}]
    assert has_cost(plan)
    measure_run_cost(plan, RunListener(), tasks)
    assert len(asked) == 1
    later = SimpleNamespace(status="finished", spec=SimpleNamespace(network=plan.networks[1]))
    monkeypatch.setattr(RunFolder, "trials", lambda folder: {"later": later})
    assert not has_cost(plan)
    measure_run_cost(plan, RunListener(), tasks)
    assert asked[1:] == [{}]
    assert has_cost(plan)


def test_where_nothing_trained_nothing_is_timed(plan: RunPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_cost, "answers_elsewhere", lambda network: True)
    said: list[str] = []

    class Hearer(RunListener):
        def left_without_cost(self, reason: str) -> None:
            said.append(reason)

    measure_run_cost(plan, Hearer(), cast(NetworkTasks, SimpleNamespace()))
    assert said == [f"of {plan.networks[0].name}, {plan.networks[1].name} not one trial finished"]
