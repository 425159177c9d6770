"""What a reader is told beside the numbers."""

from __future__ import annotations

from typing import Any

import pytest

from fbench.benchmark.records.cost_records import Conditions, CostRecord, EnergyReading, RooflineReading
from fbench.cli.speed_view import print_speed
from tests.benchmark.cost.roofline.rooflines import round_roofline
from tests.reports.fabricated_cost import LATENCY, cost, series


def printed(capsys: pytest.CaptureFixture[str], **changes: Any) -> str:
    record = cost(series("ires", 1.0), series("ires", 1.0, instance=1, seed=2), series("arch1", 1.05, seed=1))
    print_speed(record.model_copy(update=changes))
    return capsys.readouterr().out


def test_one_core_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    machine = cost(series("ires", 1.0)).machine
    assert "One core only" not in printed(capsys, machine=machine)
    assert "One core only" in printed(capsys, machine=machine.model_copy(update={"usable_cores": 1}))


def test_a_busy_machine_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    before = Conditions(at="now", busy_percent=60.0, load_average_1min=1.0, processor_mhz=None)
    said = printed(capsys, before=before)
    assert "Other work took 60 % of the cores: differences within this measurement hold" in said
    assert "60 %" not in printed(capsys, before=before, other_work_percent=3.0)


def test_an_interruption_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Interrupted: these are the blocks until then." in printed(capsys, interrupted=True)


def test_energy_that_cannot_be_read_is_a_reason_and_never_0(capsys: pytest.CaptureFixture[str]) -> None:
    reason = "not available: no permission to read the counter"
    reading = EnergyReading(network="ires", setting=LATENCY, joules_per_image=None, method=reason)
    text = printed(capsys, energy=(reading,))
    assert f"Energy: {reason}." in text
    assert "0 mJ" not in text


def test_the_share_of_the_roofline_stands_beside_the_time(capsys: pytest.CaptureFixture[str]) -> None:
    """A floor of 1 ms under a median of about 10 ms."""
    floor = RooflineReading(network="ires", batch_size=1, flops=10, bytes_moved=5, floor_s=0.001, bound="memory")
    text = printed(capsys, roofline=round_roofline(), floors=(floor,))
    assert "of roofline" in text
    assert "FLOP/B" in text
    (row,) = (line for line in text.splitlines() if line.strip().startswith("ires ") and "(" in line)
    assert any(cell in row for cell in ("8 %", "9 %", "10 %", "11 %", "12 %"))


def test_a_record_without_a_roofline_has_no_such_column(capsys: pytest.CaptureFixture[str]) -> None:
    assert "of roofline" not in printed(capsys)


def test_a_fabricated_record_is_valid() -> None:
    record = cost(series("ires", 1.0))
    assert CostRecord.model_validate_json(record.model_dump_json()) == record
