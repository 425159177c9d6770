"""Before a run on CUDA is created, every network is tried in its layout, precision and program."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.records.numerics import Numerics, choose_numerics
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.records.specs import NetworkSpec
from fbench.benchmark.runs import program_check
from fbench.benchmark.runs.network_tasks import NetworkTasks
from fbench.benchmark.runs.planning import plan_groups
from fbench.benchmark.runs.program_check import failing_programs
from fbench.benchmark.runs.request import RunRequest
from tests.gpu.pretended import DEVICE, pretended_cuda
from tests.support import network_spec_of, two_lenets, use_stripes

PROTOCOL = load_protocol("fbench")
NUMERICS = choose_numerics("cuda")
CALLS = itertools.count()
CONTIGUOUS = NUMERICS.model_copy(update={"memory_format": "contiguous"})


class Odd(nn.Module):
    """A network that does something to its images."""

    def __init__(self, does: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2 * 14 * 14, 3))
        self.does = does

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.body(self.does(x))  # type: ignore[no-any-return] # torch leaves it open


def other_numbers(images: torch.Tensor) -> torch.Tensor:
    return images * 1.2


def without_algorithm(images: torch.Tensor) -> torch.Tensor:
    warnings.warn("odd_kernel_cuda does not have a deterministic implementation, but you set it.", stacklevel=1)
    return images


def other_bits(images: torch.Tensor) -> torch.Tensor:
    return images * (1 + 1e-6 * (next(CALLS) % 7))


def tried(
    monkeypatch: pytest.MonkeyPatch, dataset: ImageDataset, numerics: Numerics, does: Callable[[torch.Tensor], Any]
) -> dict[str, str]:
    monkeypatch.setattr(program_check, "build", lambda resolved: Odd(does))
    with pretended_cuda(), warnings.catch_warnings(record=True):
        warnings.simplefilter("default")
        return failing_programs([network_spec_of("lenet5", dataset)], PROTOCOL, 8, numerics, DEVICE)


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        (other_numbers, "is further from plain fp32 than"),
        (without_algorithm, "no deterministic algorithm for odd_kernel_cuda"),
        (other_bits, "the same step gives other bits the second time"),
    ],
)
@pytest.mark.parametrize("numerics", [NUMERICS, NUMERICS.eager()], ids=["recorded", "eager"])
def test_a_network_fails_that_is_other_in_its_layout(
    stripes: ImageDataset,
    monkeypatch: pytest.MonkeyPatch,
    numerics: Numerics,
    does: Callable[[torch.Tensor], torch.Tensor],
    reason: str,
) -> None:
    layout, own = torch.contiguous_format, program_check.memory_format

    def in_channels_last(images: torch.Tensor) -> torch.Tensor:
        return does(images) if layout is torch.channels_last else images

    def noted(numerics: Numerics) -> torch.memory_format:
        nonlocal layout
        layout = own(numerics)
        return layout

    monkeypatch.setattr(program_check, "memory_format", noted)
    found = tried(monkeypatch, stripes, numerics, in_channels_last)
    assert reason in found["lenet5"]
    assert tried(monkeypatch, stripes, CONTIGUOUS.eager(), in_channels_last) == {}


def test_an_operation_that_has_no_deterministic_algorithm_in_any_way_moves_no_run(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Trials record it; nothing else could be computed."""
    assert tried(monkeypatch, stripes, NUMERICS, without_algorithm) == {}


@pytest.mark.parametrize("split", [False, True])
def test_a_run_on_cuda_is_moved_or_split_before_it_is_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: bool
) -> None:
    asked: list[str] = []

    def failing(
        self: NetworkTasks,
        networks: Sequence[NetworkSpec],
        protocol: Any,
        batch_size: int,
        numerics: Numerics,
        device: Any,
    ) -> dict[str, str]:
        asked.append(str(device))
        return {one.name: "too far" for one in networks if one.name == "narrow" and numerics.precision == "tf32"}

    use_stripes(monkeypatch)
    monkeypatch.setattr(NetworkTasks, "failing_programs", failing)
    request = RunRequest(
        suite=two_lenets(),
        preset="smoke",
        seeds=1,
        device="cuda:1",
        precision="tf32",
        out=tmp_path / "run",
        only_comparable=split,
    )
    with pretended_cuda():
        plans = plan_groups(request)
    assert set(asked) == {"cuda:1"}
    ways = {plan.folder.path.name: {spec.numerics.precision for spec in plan.specs} for plan in plans}
    names = {plan.folder.path.name: {spec.network.name for spec in plan.specs} for plan in plans}
    if split:
        assert ways == {"run": {"tf32"}, "run-fp32": {"fp32"}}
        assert names == {"run": {"lenet5"}, "run-fp32": {"narrow"}}
    else:
        assert ways == {"run": {"fp32"}}
        assert names == {"run": {"lenet5", "narrow"}}
        assert plans[0].config.moved_because == {"narrow": "too far"}
        assert plans[0].config.asked_numerics == choose_numerics("cuda", "tf32")
