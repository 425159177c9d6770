"""What the stages of a call measure, on the processor and on the pretended device."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Literal

import pytest
import torch

from fbench.benchmark.records.numerics import Numerics, choose_numerics
from tests.gpu.contact import (
    agreement,
    cuda_tests,
    equal_bits,
    kernels,
    machine,
    rates,
    step_times,
    streams,
)
from tests.gpu.contact.factors import Factor, factors
from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import NotHereError
from tests.gpu.measured import all_of
from tests.gpu.pretended import DEVICE, pretended_cuda


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    """On the processor."""
    return Settings(tmp_path, tmp_path, "cpu", small=True)


@pytest.fixture
def there(tmp_path: Path) -> Settings:
    """On the pretended device."""
    return Settings(tmp_path, tmp_path, str(DEVICE), small=True)


def test_the_machine_is_described_without_a_device(here: Settings) -> None:
    found = all_of(machine, here)
    assert found["versions"]["torch"] == torch.__version__
    assert found["host"]["usable_cores"] >= 1
    assert found["packages"]["numpy"].startswith("2")
    assert found["device"] is None


def test_rates_of_a_processor_have_no_graph(here: Settings) -> None:
    found = all_of(rates, here)
    assert found["copy"]["large_gb_per_s"] > 0
    assert found["matrix product fp32"]["tflop_per_s"] > 0
    assert found["graph node"] is None


@pytest.mark.slow
def test_rates_of_the_pretended_device_are_those_of_every_precision(there: Settings) -> None:
    with pretended_cuda():
        found = all_of(rates, there)
    assert found["graph node"]["replayed_us"] > 0
    assert [name for name in found if "product" in name] == [
        "matrix product fp32",
        "matrix product tf32",
        "matrix product bf16",
    ]


@pytest.mark.slow
def test_a_network_agrees_with_plain_arithmetic_there(there: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreement, "NETWORKS", ("lenet5",))
    with pretended_cuda():
        found = all_of(agreement, there)
    assert list(found) == ["lenet5 fp32", "lenet5 tf32", "lenet5 bf16"]
    assert all(one["within"] and one["repeats_itself"] for one in found.values())


@pytest.mark.slow
def test_recorded_and_eager_trainings_have_equal_bits_there(there: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(equal_bits, "NETWORKS", ("lenet5",))
    with pretended_cuda():
        found = all_of(equal_bits, there)
    assert list(found) == ["lenet5 bf16", "lenet5 fp32"]
    for one in found.values():
        assert (one["again"], one["eager"], one["recorded"]) == (True, True, True)
        assert (one["furthest_weight_again"], one["furthest_weight_eager"]) == (0.0, 0.0)


def test_the_furthest_weight_is_a_share_of_the_largest() -> None:
    one, other = (SimpleNamespace(weights={"a": torch.tensor([1.0, value])}) for value in (-4.0, -3.0))
    assert equal_bits.furthest(one, other) == 0.25  # type: ignore[arg-type] # only weights are read


@pytest.mark.slow
def test_every_factor_is_timed_there(there: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_times, "NETWORKS", ("lenet5",))
    with pretended_cuda():
        found = all_of(step_times, there)
    assert list(found) == [f"lenet5 {factor.name}" for factor in factors()]
    timed = {name for name, one in found.items() if one is not None}
    assert set(found) - timed <= {f"lenet5 fused_batch_norm=triton{more}" for more in ("", " bf16")}
    assert all(found[name]["step_us"] > 0 for name in timed)


def test_every_further_switch_of_numerics_is_a_factor_without_a_word() -> None:
    class More(Numerics):
        fused: bool = False
        layout: Literal["one", "other"] = "one"
        kernels: Literal["own"] | None = None
        streams: int = 1

    named = {factor.name for factor in factors(Numerics)}
    more = {factor.name: dict(factor.numerics) for factor in factors(More) if factor.name not in named}
    assert more == {
        "fused": {"fused": True},
        "fused bf16": {"fused": True, "precision": "bf16"},
        "kernels=own": {"kernels": "own"},
        "kernels=own bf16": {"kernels": "own", "precision": "bf16"},
        "layout=other": {"layout": "other"},
        "layout=other bf16": {"layout": "other", "precision": "bf16"},
    }


def test_a_switch_that_numerics_have_not_is_told() -> None:
    with pytest.raises(NotHereError, match="no field warp"):
        step_times.changed(choose_numerics("cpu"), Factor("warped", {"warp": 9}))


def test_settings_of_pytorch_are_put_back_after_a_factor() -> None:
    fills = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined] # made at run time
    with Factor("all", fills=not fills, cudnn_benchmark=True).in_force():
        assert torch.backends.cudnn.benchmark
        assert torch.utils.deterministic.fill_uninitialized_memory is not fills  # type: ignore[attr-defined] # as above
    assert not torch.backends.cudnn.benchmark
    assert torch.utils.deterministic.fill_uninitialized_memory is fills  # type: ignore[attr-defined] # as above


@pytest.mark.slow
def test_the_operations_of_a_step_are_counted_by_their_names(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "NETWORKS", ("lenet5",))
    (found,) = all_of(kernels, here).values()
    names = {row["kernel"]: row["calls_a_step"] for row in found["table"]}
    assert names["aten::convolution_backward"] == 2
    assert found["kernel_us_a_step"] > 0


def test_a_span_that_the_host_named_is_no_kernel() -> None:
    cpu, gpu = torch.autograd.DeviceType.CPU, torch.autograd.DeviceType.CUDA
    given = [("aten::add", cpu, 10, 0.0), ("step", cpu, 5, 0.0), ("step", gpu, 5, 90.0), ("add_kernel", gpu, 10, 60.0)]
    events = [
        SimpleNamespace(key=key, device_type=kind, count=count, self_device_time_total=spent, self_cpu_time_total=1.0)
        for key, kind, count, spent in given
    ]
    assert kernels.rows_of(events, on_gpu=True) == [{"kernel": "add_kernel", "calls_a_step": 2.0, "us_a_step": 12.0}]
    assert [row["kernel"] for row in kernels.rows_of(events, on_gpu=False)] == ["aten::add", "step"]


@pytest.mark.slow
def test_trials_together_are_timed_and_held_against_each_alone(
    there: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "TIMED", (("lenet5", "bf16"),))
    monkeypatch.setattr(streams, "DRAWING", ("lenet5", "bf16"))
    with pretended_cuda():
        found = all_of(streams, there)
    assert found["lenet5 bf16 bits of 2"] == {"equal": True, "ended_together": 2}
    assert [found[f"lenet5 bf16 {number}"]["trainings"] for number in (1, 2)] == [1, 2]
    assert all(found[f"lenet5 bf16 {number}"]["us_a_step_of_all"] > 0 for number in (1, 2))


def test_the_tests_that_need_a_device_are_found_by_their_mark() -> None:
    files = cuda_tests.files()
    assert "tests/gpu/test_on_a_device.py" in files
    assert "tests/benchmark/training/test_training_loop.py" in files
    assert "tests/gpu/test_stages.py" not in files


@pytest.mark.slow
def test_how_each_of_them_ended_is_told(here: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda_tests, "files", lambda: ["tests/benchmark/runs/test_program_check.py"])
    found = cuda_tests.tests(here)
    assert found["skipped" if not torch.cuda.is_available() else "passed"] >= 1
    assert found["failed"] == 0
    assert all(name.startswith("tests/benchmark/runs/test_program_check.py::") for name, *_ in found["tests"])
