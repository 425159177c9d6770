"""The measurement of a run's cost: whoever listens is told where other work disturbed it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from support import make_stripes, two_lenets, use_stripes

from fbench.benchmark.cost.roofline import measure_roofline
from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.records.cost_specs import CostPlan, CostSpec
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.runs import run_cost
from fbench.benchmark.runs.configuration import different_settings
from fbench.benchmark.runs.driver import keep
from fbench.benchmark.runs.executors import failed_record
from fbench.benchmark.runs.listener import RunListener, Together
from fbench.benchmark.runs.network_tasks import NetworkTasks
from fbench.benchmark.runs.plan import RunPlan
from fbench.benchmark.runs.planning import plan_run
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
    monkeypatch.setattr(run_cost, "is_of_user", lambda network: network.name == made.networks[1].name)
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
    monkeypatch.setattr(run_cost, "is_of_user", lambda network: True)
    said: list[str] = []

    class Hearer(RunListener):
        def left_without_cost(self, reason: str) -> None:
            said.append(reason)

    measure_run_cost(plan, Hearer(), cast(NetworkTasks, SimpleNamespace()))
    assert said == [f"of {plan.networks[0].name}, {plan.networks[1].name} not one trial finished"]


def test_energy_is_read_on_an_accelerator_where_it_is_asked_for(plan: RunPlan) -> None:
    """A measurement with it is enough for a run that does not ask, and none without it for one that does."""
    on_gpu = replace(plan, config=plan.config.model_copy(update={"numerics": choose_numerics("cuda")}))
    asked = replace(on_gpu, energy=True)
    with_energy, without = (run_cost._cost_spec(one) for one in (asked, on_gpu))
    assert run_cost._cost_spec(plan).plan.energy_s == with_energy.plan.energy_s == CostPlan().energy_s
    assert without.plan.energy_s is None
    plan.folder.create(on_gpu.config)
    found = cost(series("lenet5", 1.0))
    plan.folder.write_cost(found.model_copy(update={"cost_id": with_energy.cost_id, "spec": with_energy}))
    assert has_cost(asked)
    assert has_cost(on_gpu)
    plan.folder.write_cost(found.model_copy(update={"cost_id": without.cost_id, "spec": without}))
    (found_with,) = plan.folder.path.rglob(f"{with_energy.cost_id}.json")
    found_with.unlink()
    assert has_cost(on_gpu)
    assert not has_cost(asked)


def test_jobs_are_no_part_of_what_a_run_or_its_cost_is_known_by(
    plan: RunPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fbench.benchmark.machine.jobs.usable_cores", lambda: 8)
    monkeypatch.setattr("fbench.benchmark.machine.jobs.available_memory_gib", lambda: 64.0)
    request = RunRequest(suite=two_lenets(), preset="smoke", seeds=1, device="cpu", out=tmp_path / "run")
    one, eight = (plan_run(replace(request, jobs=jobs)) for jobs in (1, 8))
    assert (one.jobs, eight.jobs) == (1, 8)
    assert [spec.trial_id for spec in one.specs] == [spec.trial_id for spec in eight.specs]
    assert run_cost._cost_spec(one) == run_cost._cost_spec(eight)
    assert not different_settings(one.config, eight.config)
