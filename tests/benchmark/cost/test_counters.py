"""Other counters beside ours: equal MACs for every network, and every operation that they pass over."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from networks_by_builder import by_builder
from torch import nn

from fbench.architectures.contract import built_in_contract
from fbench.architectures.registry import create
from fbench.architectures.tracing.trace import trace
from fbench.benchmark.cost import counters
from fbench.benchmark.cost.counters import COUNTERS, read_counters
from fbench.benchmark.records.trial_records import CounterGap, CounterReading

INPUT_SHAPE = (1, 6, 6)


def readings_of(network: nn.Module, shape: tuple[int, int, int] = INPUT_SHAPE) -> dict[str, CounterReading]:
    return {reading.counter: reading for reading in read_counters(network, shape, trace(network, shape))}


class _Small(nn.Module):
    """conv 3x3 1 to 2 on 6x6 (valid, 4x4 out) and linear 32 to 3: MACs 4*4*2*9 + 32*3."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.body(x)
        return out


class _Functional(nn.Module):
    """A convolution 1x1 as a function, ReLU, a sum and a mean."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2, 1, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        maps = torch.relu(F.conv2d(x, self.weight))
        return (maps + maps).mean((-2, -1))


def test_every_counter_agrees_with_hand_counted_macs() -> None:
    by_hand = 4 * 4 * 2 * 9 + 32 * 3
    assert {reading.macs for reading in readings_of(_Small()).values()} == {by_hand}


def test_what_a_counter_adds_is_told_by_kind() -> None:
    found = readings_of(_Small())
    maps, biases = 2 * 4 * 4, 2 * 4 * 4 + 3
    assert found["fvcore"].beside == {"batch_norm": 2 * maps}
    assert found["ptflops (pytorch)"].beside == {"batch_norm": 2 * maps, "bias": biases, "relu": 2 * maps}
    assert found["ptflops (aten)"].beside == {"bias": biases}
    assert found["torch FlopCounterMode"].beside == {}


def test_operations_that_a_counter_leaves_out_are_listed_with_their_counts() -> None:
    found = readings_of(_Small())
    maps, biases = 2 * 4 * 4, 2 * 4 * 4 + 3
    bias = CounterGap(operation="bias", calls=2, operations=biases)
    norm = CounterGap(operation="batch_norm", calls=1, operations=maps)
    relu = CounterGap(operation="relu", calls=1, operations=maps)
    assert found["fvcore"].left_out == (bias, relu)
    assert found["ptflops (pytorch)"].left_out == ()
    assert found["ptflops (aten)"].left_out == (norm, relu)
    assert found["torch FlopCounterMode"].left_out == (bias, norm, relu)


def test_ptflops_module_backend_passes_over_functions() -> None:
    """36 positions, two maps."""
    found = readings_of(_Functional())["ptflops (pytorch)"]
    assert found.macs == 0
    assert {one.operation: (one.calls, one.operations) for one in found.left_out} == {
        "convolution": (1, 72),
        "relu": (1, 72),
        "add": (1, 72),
        "mean": (1, 72),
    }


@pytest.mark.parametrize("name", by_builder(built_in_contract()))
def test_every_counter_agrees_on_the_macs_of_every_network(name: str) -> None:
    """Each counter's own total is our MACs and what its rule says that it adds, to the last one."""
    network = create(name)
    shape = (1, 48, 48)
    ours = trace(network, shape).macs
    found = read_counters(network, shape, trace(network, shape))
    assert [reading.error for reading in found] == [None] * len(COUNTERS)
    assert {reading.counter: reading.macs for reading in found} == dict.fromkeys(COUNTERS, ours)


def test_h_swish_is_left_out_by_all_and_relu_by_all_but_ptflops() -> None:
    def leaving_out(name: str, kind: str) -> set[str]:
        readings = readings_of(create(name), (1, 48, 48)).values()
        return {one.counter for one in readings if kind in {missed.operation for missed in one.left_out}}

    assert leaving_out("ires", "hard_swish") == set(COUNTERS)
    assert leaving_out("ires_relu", "relu") == set(COUNTERS) - {"ptflops (pytorch)"}


def test_a_counter_that_trips_is_a_reading_with_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def trip(network: nn.Module, example: torch.Tensor) -> int:
        raise KeyError("no such operator")

    monkeypatch.setitem(counters.COUNTERS, "fvcore", trip)
    found = readings_of(_Small())
    assert found["fvcore"].macs is None
    assert "no such operator" in (found["fvcore"].error or "")
    assert found["torch FlopCounterMode"].macs is not None
