"""The measurement of a run's cost: whoever listens is told where other work disturbed it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from support import make_stripes, two_lenets

from fbench.benchmark.cost.roofline import measure_roofline
from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.runs.listener import RunListener, Together
from fbench.benchmark.runs.network_tasks import NetworkTasks
from fbench.benchmark.runs.planning import plan_run
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.runs.run_cost import measure_run_cost
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
    tasks = cast(NetworkTasks, SimpleNamespace(measure_cost=lambda *_: found))
    heard: Any = Hears()
    measure_run_cost(plan, Together(heard), tasks)
    assert heard.busy == ([(percent, plan.folder.path)] if said else [])
    assert plan.folder.costs()[0].other_work_percent == percent
