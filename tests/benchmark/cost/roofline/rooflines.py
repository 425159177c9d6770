"""A machine of round numbers."""

from __future__ import annotations

from fbench.benchmark.machine.machine_roofline import BandwidthRate, ComputeRate, MachineRoofline, machine_of_roofline
from fbench.benchmark.records.numerics import choose_numerics


def round_roofline() -> MachineRoofline:
    """1000 FLOP/s; 100 bytes/s over up to 1,000 bytes, 10 bytes/s over 10,000."""
    return MachineRoofline(
        where=machine_of_roofline(choose_numerics("cpu")),
        measured_at="2026-01-01T00:00:00+00:00",
        busy_percent=0.0,
        compute=(
            ComputeRate(kernel="matrix product", flops_per_s=1000.0),
            ComputeRate(kernel="convolution", flops_per_s=600.0),
        ),
        bandwidth=(
            BandwidthRate(working_set_bytes=100, kernel="copy", bytes_per_s=40.0),
            BandwidthRate(working_set_bytes=1_000, kernel="copy", bytes_per_s=100.0),
            BandwidthRate(working_set_bytes=10_000, kernel="copy", bytes_per_s=8.0),
            BandwidthRate(working_set_bytes=10_000, kernel="add", bytes_per_s=10.0),
        ),
    )
