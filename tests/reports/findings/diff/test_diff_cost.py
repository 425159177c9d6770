"""Changes in cost: what is more than chance, and what is not compared."""

from __future__ import annotations

from pathlib import Path

import pytest

from fbench.benchmark.records.cost_records import REFERENCE, CostRecord
from fbench.benchmark.store.files import write_cost_file
from fbench.reports.findings.diff.answer import answers
from fbench.reports.findings.diff.cost import compare_cost
from fbench.reports.findings.diff.model import Cost, CostRow, Settings
from fbench.reports.findings.gate.judge import changes_without_gate
from fbench.reports.findings.gate.subjects import load_side, pairs
from tests.reports.fabricated_cost import cost, series
from tests.reports.fabricated_run import MACHINE, fabricate_run


def kept(folder: Path, name: str, record: CostRecord) -> str:
    write_cost_file(folder / name, record)
    return str(folder / name)


def compared(base: str, new: str, *, other_machine: bool = False) -> Cost:
    return compare_cost(pairs(load_side(base), load_side(new)), other_machine=other_machine)


def row(found: Cost, metric: str) -> CostRow:
    (only,) = [one for group in found.groups for one in group.rows if one.metric.name == metric]
    return only


@pytest.fixture
def file(tmp_path: Path) -> str:
    return kept(tmp_path, "speed.json", cost(series("ires", 1.0), series("arch1", 1.10, seed=1)))


def one_day(factor: float, day: int, cores: int = 2) -> CostRecord:
    record = cost(
        series("ires", factor, day=day, seed=day),
        series(REFERENCE, 1.0, day=day, seed=100 + day),
        started_at=f"2026-01-0{day}T00:00:00+00:00",
    )
    return record.model_copy(update={"machine": MACHINE.model_copy(update={"usable_cores": cores})})


def test_changes_are_those_of_the_gate(file: str) -> None:
    found = compared(f"{file}:ires", f"{file}:arch1")
    gate = changes_without_gate(pairs(load_side(f"{file}:ires"), load_side(f"{file}:arch1")))
    direct = {one.condition.metric.name: one.change for one in gate.judged if one.change}
    assert {one.metric.name: one.change for group in found.groups for one in group.rows} == direct
    assert found.confidence == gate.confidence


def test_dearer_and_cheaper_are_more_than_chance(file: str) -> None:
    assert row(compared(f"{file}:ires", f"{file}:arch1"), "latency_p50").verdict == "dearer"
    assert row(compared(f"{file}:arch1", f"{file}:ires"), "latency_p50").verdict == "cheaper"


def test_verdicts_hold_together_over_all_changes_that_chance_enters(file: str) -> None:
    found = compared(f"{file}:ires", f"{file}:arch1")
    chance = [one for group in found.groups for one in group.rows if not one.change.exact]
    assert found.joint_confidence == pytest.approx(1 - 0.05 / len(chance))


def test_the_same_network_on_two_days_may_differ_by_chance(tmp_path: Path) -> None:
    found = compared(kept(tmp_path, "a.json", one_day(1.0, 1)), kept(tmp_path, "b.json", one_day(1.0, 4)))
    assert row(found, "latency_p50").verdict == "undecided"
    assert row(found, "macs").verdict == "same"
    nothing = list(answers(Settings((), (), ()), (), (), found, None))
    assert nothing[0].sentence == "No cost changed by more than chance."


def test_a_measurement_beside_itself_changed_in_nothing(file: str) -> None:
    found = compared(file, file)
    assert {
        one.verdict for group in found.groups for one in group.rows if one.metric.name[-3:] not in ("p90", "p99")
    } == {"same"}


def test_other_machines_leave_only_counts_unless_they_are_asked_for(tmp_path: Path) -> None:
    base, new = kept(tmp_path, "a.json", one_day(1.0, 1)), kept(tmp_path, "b.json", one_day(1.5, 4, cores=8))
    found = compared(base, new)
    assert {one.metric.rests_on for one in found.groups[0].rows} == {"counts"}
    (remark,) = found.remarks
    assert remark.startswith("Cost was measured on different machines (usable cores is 2 in A and 8 in B)")
    asked = compared(base, new, other_machine=True)
    assert row(asked, "latency_p50").verdict == "dearer"
    assert "reference load of each machine" in asked.remarks[0]


def test_other_arithmetic_is_said_and_never_compared(tmp_path: Path) -> None:
    new = one_day(1.0, 4)
    numerics = new.spec.numerics.model_copy(update={"threads_per_trial": 4})
    other = new.model_copy(update={"spec": new.spec.model_copy(update={"numerics": numerics})})
    base = kept(tmp_path, "a.json", one_day(1.0, 1))
    found = compared(base, kept(tmp_path, "b.json", other), other_machine=True)
    assert found.remarks == (
        "Cost was measured in different ways (threads per trial is 1 in A and 4 in B), so that only counts are "
        "compared.",
    )


def test_what_is_not_known_is_said_once(file: str, tmp_path: Path) -> None:
    fabricate_run(tmp_path / "run")
    found = compared(f"{tmp_path / 'run'}", f"{file}:ires")
    assert "joules an image in inference: no energy of an inference was read on both sides in one setting" in (
        found.unknown
    )
