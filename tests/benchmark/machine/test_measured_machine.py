from __future__ import annotations

import pytest

from fbench.benchmark.machine import machine_roofline
from fbench.benchmark.machine.machine_roofline import machine_of_roofline
from fbench.benchmark.machine.measured_machine import measured_machine
from fbench.benchmark.records.numerics import choose_numerics
from fbench.core.machine import Machine, describe_machine

HERE = describe_machine()
SMALLER = HERE.model_copy(update={"memory_gib": HERE.memory_gib / 2, "usable_cores": 1})


def test_what_is_left_of_the_host_is_part_of_a_processor_and_not_of_an_accelerator() -> None:
    assert measured_machine(HERE, "cpu") != measured_machine(SMALLER, "cpu")
    assert measured_machine(HERE, "cuda") == measured_machine(SMALLER, "cuda")


def test_the_roofline_of_an_accelerator_is_kept_whatever_a_batch_system_leaves_of_the_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def key(machine: Machine, kind: str) -> str:
        monkeypatch.setattr(machine_roofline, "describe_machine", lambda accelerator: machine)
        return machine_of_roofline(choose_numerics(kind)).key  # type: ignore[arg-type] # of two of the kinds

    assert key(HERE, "cuda") == key(SMALLER, "cuda")
    assert key(HERE, "cpu") != key(SMALLER, "cpu")
