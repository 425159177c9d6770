from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from fbench.architectures.tracing.trace import trace
from fbench.benchmark.cost.roofline.floors import layer_floor, network_floor
from tests.benchmark.cost.roofline.rooflines import round_roofline

ROOFLINE = round_roofline()
NODES = trace(nn.Sequential(nn.Conv2d(1, 2, 3, bias=False), nn.ReLU()), (1, 4, 4)).nodes


def test_a_convolution_is_held_by_its_arithmetic_or_its_bytes_whichever_takes_longer() -> None:
    """9 x 2 x 4 = 72 MACs; 16 inputs and 8 outputs of 4 bytes for an image, 18 weights for a call."""
    floor = layer_floor(NODES[1], 1, ROOFLINE)
    assert (floor.flops, floor.bytes_moved) == (144, 96 + 72)
    assert floor.bound == "memory"
    assert floor.time_s == pytest.approx(168 / 100)
    assert floor.intensity == pytest.approx(144 / 168)


def test_weights_are_moved_once_for_a_batch_and_maps_for_every_image() -> None:
    floor = layer_floor(NODES[1], 5, ROOFLINE)
    assert (floor.flops, floor.bytes_moved) == (5 * 144, 5 * 96 + 72)


def test_a_dense_layer_of_many_operations_a_byte_is_bound_by_arithmetic() -> None:
    (_, convolution) = trace(nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, bias=False)), (8, 2, 2)).nodes
    floor = layer_floor(convolution, 1, ROOFLINE)
    flops, moved = 2 * 4 * 8 * 8 * 9, 4 * (32 + 32) + 4 * 576
    assert (floor.flops, floor.bytes_moved) == (flops, moved)
    assert moved / 10 > flops / 1000  # beyond 1,000 bytes the slow bandwidth holds
    assert floor.bound == "memory"
    fast = ROOFLINE.model_copy(
        update={"bandwidth": tuple(r.model_copy(update={"bytes_per_s": 1e6}) for r in ROOFLINE.bandwidth)}
    )
    assert layer_floor(convolution, 1, fast).bound == "compute"
    assert layer_floor(convolution, 1, fast).time_s == pytest.approx(flops / 1000)


def test_a_network_takes_at_least_what_its_layers_take_one_after_another() -> None:
    whole = network_floor(NODES, 3, ROOFLINE)
    parts = [layer_floor(node, 3, ROOFLINE) for node in NODES]
    assert whole.time_s == pytest.approx(sum(part.time_s for part in parts))
    assert whole.flops == sum(part.flops for part in parts)


def test_the_bandwidth_of_a_small_set_is_never_below_that_of_a_larger_one() -> None:
    assert ROOFLINE.peak_flops_per_s == 1000
    assert ROOFLINE.bytes_per_s(10) == 100  # the 40 that were measured there are overhead
    assert ROOFLINE.bytes_per_s(1_000) == 100
    assert ROOFLINE.bytes_per_s(1_001) == 10
    assert ROOFLINE.bytes_per_s(1e12) == ROOFLINE.memory_bytes_per_s == 10


@given(small=st.integers(1, 20_000), more=st.integers(0, 20_000))
def test_bandwidth_never_rises_with_the_working_set(small: int, more: int) -> None:
    assert ROOFLINE.bytes_per_s(small) >= ROOFLINE.bytes_per_s(small + more)
