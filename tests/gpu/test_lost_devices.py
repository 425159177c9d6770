"""After an error that a device does not get over, its process computes nothing more, and another goes on."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from fbench.benchmark.cost import interleave, measure
from fbench.benchmark.cost.measure import measure_cost
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.machine.lost_device import LostDeviceError, refuse_lost, why_lost
from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.records.cost_specs import CostPlan, CostSpec, Setting
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.runs import network_answers
from fbench.benchmark.runs.network_answers import check_program
from fbench.benchmark.training import loop, trial
from fbench.benchmark.training.trial import TrialContext, run_trial
from fbench.benchmark.workers.supervisor import Failure
from tests.benchmark.runs.test_network_tasks import Answers, asking
from tests.gpu.pretended import DEVICE, pretended_cuda
from tests.gpu.training import cuda_spec, eager
from tests.support import network_spec_of

NUMERICS = choose_numerics("cuda")
ILLEGAL = "CUDA error: an illegal memory access was encountered"
ROOFLINE: Any = SimpleNamespace(model_dump=lambda mode: {})


def broken(*_: Any) -> None:
    raise torch.AcceleratorError(ILLEGAL)


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Every wait for the device ends with its error, from the moment that this is called."""
    return lambda: monkeypatch.setattr(torch.cuda, "synchronize", broken)


def test_a_device_that_cannot_be_waited_for_is_lost(lost: Any) -> None:
    with pretended_cuda():
        assert why_lost(DEVICE) == ""
        refuse_lost(DEVICE, ValueError("of the network's own"))
        lost()
        assert ILLEGAL in why_lost(DEVICE)
        with pytest.raises(LostDeviceError, match=r"ValueError: seen late; no other network .* illegal memory access"):
            refuse_lost(DEVICE, ValueError("seen late"))
        refuse_lost(torch.device("cpu"), ValueError("a processor is never lost"))


@pytest.mark.parametrize("error", [torch.AcceleratorError(ILLEGAL), torch.OutOfMemoryError("none is left")])
def test_a_trial_that_loses_its_device_may_pass_and_tries_nothing_more_there(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch, lost: Any, error: Exception
) -> None:
    def failing(*_: Any) -> None:
        lost()
        raise error

    monkeypatch.setattr(trial, "training_steps", failing)
    monkeypatch.setattr(trial, "fitting_microbatch", lambda *_: pytest.fail("nothing can be tried on a lost device"))
    with pretended_cuda():
        result = run_trial(cuda_spec(stripes), stripes, TrialContext(DEVICE))
    assert result.may_pass
    assert "--- the device afterwards" in result.failure_details
    assert ILLEGAL in result.failure_details


def test_a_trial_that_fails_by_itself_leaves_its_device_as_it_was(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: Any) -> None:
        raise ValueError("of the network's own")

    monkeypatch.setattr(trial, "training_steps", failing)
    with pretended_cuda() as device:
        result = run_trial(cuda_spec(stripes), stripes, TrialContext(DEVICE))
        assert device.runtime.synchronised == 1
    assert not result.may_pass
    assert "the device afterwards" not in result.failure_details


@pytest.mark.parametrize("where", ["_make", "warm_up"])
def test_a_measurement_ends_where_its_device_is_lost(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch, lost: Any, where: str
) -> None:
    def failing(*_: Any) -> None:
        lost()
        broken()

    plan = CostPlan(settings=(Setting(batch_size=2),), blocks=2, seconds=0.01, energy_s=None)
    spec = CostSpec(networks=(network_spec_of("lenet5", stripes),), numerics=NUMERICS, plan=plan)
    monkeypatch.setattr(measure, where, failing)
    with pretended_cuda(), pytest.raises(LostDeviceError, match="illegal memory access"):
        measure_cost(spec, DEVICE)


def test_what_loses_the_device_while_all_are_timed_in_turn_ends_the_measurement(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch, lost: Any
) -> None:
    def failing(*_: Any) -> None:
        lost()
        broken()

    plan = CostPlan(settings=(Setting(batch_size=2),), blocks=2, seconds=0.01, energy_s=None)
    spec = CostSpec(networks=(network_spec_of("lenet5", stripes),), numerics=NUMERICS, plan=plan)
    monkeypatch.setattr(interleave, "_visit", failing)
    visited: list[str] = []
    with pretended_cuda(), pytest.raises(LostDeviceError):
        measure_cost(spec, DEVICE, visiting=visited.append)
    assert visited[-1] in ("lenet5", "reference load")


def test_fbenchs_own_networks_are_measured_in_a_worker_on_an_accelerator_which_is_replaced(
    tmp_path: Path, stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = SimpleNamespace(failures={})
    monkeypatch.setattr(CostRecord, "model_validate", lambda values: record)
    networks = tuple(network_spec_of(name, stripes) for name in ("lenet5", "ires"))
    spec = CostSpec(networks=networks, numerics=NUMERICS, plan=CostPlan())
    answers = Answers((["peak memory of ires"], Failure("raised", ILLEGAL)), ([], {}))
    tasks = asking(answers, tmp_path)
    assert tasks.measure_cost(spec, DEVICE, 1, lambda what: None, ROOFLINE, preparation_s=7.0) is record
    assert [task.arguments["left_out"] for task in answers.tasks] == [{}, {"ires": ILLEGAL}]
    assert {task.arguments["device"] for task in answers.tasks} == {"cuda:1"}
    assert answers.tasks[0].arguments["preparation_s"] == 7.0


def test_fbenchs_own_networks_are_estimated_and_tried_in_a_worker_on_an_accelerator(
    tmp_path: Path, stripes: ImageDataset
) -> None:
    spec = cuda_spec(stripes)
    answers = Answers(([], 2.5), ([], "beyond the tolerance"))
    tasks = asking(answers, tmp_path)
    assert tasks.estimate_trials_s([spec], DEVICE) == {spec.trial_id: 2.5}
    found = tasks.failing_programs([spec.network], spec.protocol, 8, spec.numerics, DEVICE)
    assert found == {"lenet5": "beyond the tolerance"}
    assert {task.code for task in answers.tasks} == {None}  # one process does them all


@pytest.mark.parametrize(("reasons", "replaced"), [({}, False), ({"lenet5": ILLEGAL}, True)])
def test_a_worker_in_which_a_network_failed_is_replaced(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch, reasons: dict[str, str], replaced: bool
) -> None:
    monkeypatch.setattr("fbench.benchmark.runs.program_check.failing_programs", lambda *_: reasons)
    monkeypatch.setattr(
        "fbench.benchmark.cost.estimate.estimate_trials_s",
        lambda specs, device: {specs[0].trial_id: 0.0 if reasons else 1.0},
    )
    spec = eager(cuda_spec(stripes))
    protocol, numerics = spec.protocol.model_dump(mode="json"), spec.numerics.model_dump(mode="json")
    for ask in (
        lambda parent: check_program(parent, spec.network.model_dump(mode="json"), protocol, 8, numerics, "cpu"),
        lambda parent: network_answers.estimate(parent, spec.model_dump(mode="json"), "cpu"),
    ):
        told: list[bool] = []
        parent: Any = SimpleNamespace(replace_worker=lambda told=told: told.append(True))
        ask(parent)
        assert bool(told) == replaced


def test_the_loop_is_the_one_that_is_pretended_to_fail() -> None:
    assert trial.training_steps is loop.training_steps
