from __future__ import annotations

import torch

from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.records.protocol_library import load_protocol
from tests.calibration.accelerator import BytesMoved, bytes_of_step

CPU = torch.device("cpu")


def test_an_operation_moves_what_it_reads_and_writes_and_a_view_nothing() -> None:
    left, right = torch.ones(10, 4), torch.ones(10, 4)
    with BytesMoved() as moved:
        total = left + right
        total.t().unsqueeze(0)
    assert moved.total == 3 * 40 * 4
    with BytesMoved() as moved:
        left.mul_(2.0)
    assert moved.total == 2 * 40 * 4


def test_a_step_moves_at_least_each_map_four_times_and_half_in_bf16() -> None:
    """A map of ARCH-1 is written and read in the forward pass, and so is its gradient in the backward pass."""
    protocol = load_protocol("fbench").model_copy(update={"batch_size": 2})
    full = bytes_of_step("arch1", protocol, choose_numerics("cpu"), CPU)
    stem = 2 * 48 * 48 * (3 * 8 + 3 * 16) * 4  # the maps after convolution, normalisation and activation
    assert full > 4 * stem
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():
        assert bytes_of_step("arch1", protocol, choose_numerics("cpu", "bf16"), CPU) < 0.8 * full
