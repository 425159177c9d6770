"""Whatever is done on ``cuda:1`` is done there, and nothing on the first device."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from fbench.benchmark.cost.estimate import estimate_trials_s
from fbench.benchmark.cost.measure import measure_cost
from fbench.benchmark.cost.memory import read_peak_memory
from fbench.benchmark.cost.roofline import measure_roofline
from fbench.benchmark.cost.roofline.profile import profile_network
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.machine.device import Stopwatch, numerics_in_force, pick_device
from fbench.benchmark.machine.diagnosis import diagnose
from fbench.benchmark.records.cost_specs import Backend, CostPlan, CostSpec, Setting
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.runs import executors, network_answers
from fbench.benchmark.runs.executors import WorkerContext, attempt
from fbench.benchmark.runs.program_check import failing_programs
from fbench.benchmark.training.repetition import trained_twice
from fbench.benchmark.training.trial import TrialContext, run_trial
from fbench.benchmark.workers.note import blank_note
from tests.gpu.pretended import DEVICE, pretended_cuda
from tests.gpu.training import cuda_spec
from tests.support import network_spec_of

NUMERICS = choose_numerics("cuda")


def cost_spec(dataset: ImageDataset) -> CostSpec:
    backends: tuple[Backend, ...] = ("eager", "cuda_graph")
    settings = [Setting(mode=mode, batch_size=2, backend=one) for one in backends for mode in ("inference", "train")]
    plan = CostPlan(settings=tuple(settings), blocks=2, seconds=0.02, energy_s=None)
    return CostSpec(networks=(network_spec_of("lenet5", dataset),), numerics=NUMERICS, plan=plan)


def trial(dataset: ImageDataset) -> object:
    result = run_trial(cuda_spec(dataset, ema_decay=0.9), dataset, TrialContext(DEVICE))
    assert result.record.status == "finished", result.failure_details
    assert result.record.machine.accelerator == "Pretended 1"
    return result


def cost(dataset: ImageDataset) -> object:
    record = measure_cost(cost_spec(dataset), DEVICE)
    assert not record.failures
    assert not record.setting_failures
    assert {one.peak_memory_mib for one in record.memory} == {1.0}
    assert record.machine.accelerator == "Pretended 1"
    return record


def roofline(dataset: ImageDataset) -> object:
    found = measure_roofline.measure_roofline(NUMERICS, DEVICE)
    assert found.where.machine.accelerator == "Pretended 1"
    return found


def program(dataset: ImageDataset) -> object:
    spec = cuda_spec(dataset)
    assert failing_programs([spec.network], spec.protocol, 8, NUMERICS, DEVICE) == {}
    return spec


def estimate(dataset: ImageDataset) -> object:
    spec = cuda_spec(dataset)
    assert estimate_trials_s([spec], DEVICE)[spec.trial_id] > 0
    return spec


def in_a_worker(dataset: ImageDataset) -> object:
    """All that is asked of a worker process, from what travels to it."""
    spec, costs = cuda_spec(dataset), cost_spec(dataset)
    network, protocol, numerics, whole, measured = (
        one.model_dump(mode="json") for one in (spec.network, spec.protocol, spec.numerics, spec, costs)
    )
    told: list[object] = []
    parent: Any = SimpleNamespace(tell=told.append, asks_to_stop=False, replace_worker=lambda: told.append("worn"))
    assert network_answers.check_program(parent, network, protocol, 8, numerics, "cuda:1") is None
    assert network_answers.estimate(parent, whole, "cuda:1") > 0
    ceilings = measure_roofline.measure_roofline(NUMERICS, DEVICE, working_sets=(2**12,), rounds=1).model_dump(
        mode="json"
    )
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(executors, "load_for", lambda data: dataset)
        note = Path(folder) / "note.txt"
        blank_note(note)
        record = network_answers.measure(parent, measured, "cuda:1", 1, ceilings, {}, str(note), None)
        assert not record["setting_failures"]
        result = attempt(spec, WorkerContext(Path(folder), "cuda:1", jobs=4), told.append)
    assert result.record.status == "finished", result.failure_details
    assert "worn" not in told
    return record


@pytest.mark.parametrize(
    "work",
    [
        trial,
        pytest.param(in_a_worker, marks=pytest.mark.slow),
        pytest.param(cost, marks=pytest.mark.slow),
        roofline,
        program,
        estimate,
        lambda dataset: read_peak_memory(network_spec_of("lenet5", dataset), "train", 2, NUMERICS, DEVICE),
        lambda dataset: profile_network(network_spec_of("lenet5", dataset), 2, NUMERICS, DEVICE),
        lambda dataset: trained_twice(lambda what: None, "lenet5", "cuda:1"),
    ],
    ids=["trial", "worker", "cost", "roofline", "program", "estimate", "memory", "profile", "repetition"],
)
def test_all_work_is_done_on_the_device_that_was_asked_for(
    stripes: ImageDataset, work: Callable[[ImageDataset], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(measure_roofline.SIDES, "cuda", (64,))
    with pretended_cuda() as device:
        work(stripes)
        assert device.runtime.touched == {1}
        assert device.runtime.current == 0  # as before


def test_a_stopwatch_marks_the_stream_of_its_own_device() -> None:
    with pretended_cuda() as device:
        watch = Stopwatch(DEVICE)
        with watch.section():
            pass
        assert watch.total_s() >= 0
        assert device.runtime.touched == {1}


def test_numerics_fix_the_workspace_that_deterministic_products_need(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for a device that nobody picked by its name."""
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    with pretended_cuda(), numerics_in_force(NUMERICS, torch.device("cuda")):
        import os

        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
        assert torch.are_deterministic_algorithms_enabled()


def test_the_doctor_names_every_device_with_its_rules() -> None:
    with pretended_cuda() as device:
        found = {one.device: one for one in diagnose().devices}
        assert list(found) == ["cpu", "cuda:0", "cuda:1"]
        assert found["cuda:1"].numerics == NUMERICS
        assert not found["cuda:1"].refused
        assert pick_device("auto") == torch.device("cuda", 0)
        assert device.runtime.current == 0
