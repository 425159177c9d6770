"""What is measured on a device is what a run does there."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from fbench.benchmark.cost import estimate, memory
from fbench.benchmark.cost.backends import make_call
from fbench.benchmark.cost.estimate import estimate_trials_s
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.records.numerics import choose_numerics
from tests.gpu.pretended import DEVICE, pretended_cuda
from tests.gpu.training import cuda_spec, eager
from tests.support import network_spec_of

NUMERICS = choose_numerics("cuda")


@pytest.mark.parametrize(("way", "backend"), [("recorded", "cuda_graph"), ("eager", "eager")])
def test_an_estimate_times_the_step_that_trials_take(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch, way: str, backend: str
) -> None:
    """An eager step of a compact network takes five times as long as its replay; evaluation is eager in both."""
    made: list[tuple[str, str]] = []

    def make(network: Any, mode: str, backend: str, *rest: Any) -> Any:
        made.append((mode, backend))
        return make_call(network, mode, backend, *rest)  # type: ignore[arg-type] # as they came

    monkeypatch.setattr(estimate, "make_call", make)
    spec = cuda_spec(stripes)
    spec = spec if way == "recorded" else eager(spec)
    with pretended_cuda():
        assert estimate_trials_s([spec], DEVICE)[spec.trial_id] > 0
    assert made == [("train", backend), ("inference", "eager")]


def test_a_matrix_product_comes_before_the_reading_of_memory(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It allocates the workspace of cuBLAS, which is none of the network's memory; its way back, that of its thread."""
    course: list[str] = []
    product = torch.mm
    with pretended_cuda():
        monkeypatch.setattr(
            torch, "mm", lambda *given: (course.append(f"product on {given[0].device}"), product(*given))[1]
        )
        monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda device: course.append("reset"))
        monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: course.append("before") or 2**25)
        monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: 2**25 + 3 * 2**20)
        found = memory.read_peak_memory(network_spec_of("lenet5", stripes), "inference", 2, NUMERICS, DEVICE)
    assert course == ["product on cuda:1", "reset", "before"]
    assert found.peak_memory_mib == 3.0


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_casts_of_weights_are_part_of_a_recorded_inference(stripes: ImageDataset, precision: str) -> None:
    """Cast before the recording, they would be gone at the replay, which reads them all the same."""
    given = NUMERICS.model_copy(update={"precision": precision})
    network = network_spec_of("lenet5", stripes)
    with pretended_cuda() as device:
        call = make_call(network, "inference", "cuda_graph", 2, given, DEVICE)
        operations = [str(func) for func, *_ in device.runtime.recorded_last.calls]
        call.run(lambda: None)
    casts = sum(one in ("aten.to.dtype", "aten._to_copy.default") for one in operations)
    assert (casts > 4) == (precision == "bf16")
