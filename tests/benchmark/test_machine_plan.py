from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fbench.benchmark.machine import jobs
from fbench.benchmark.machine.jobs import choose_jobs
from fbench.benchmark.machine.machine_plan import (
    ChunkRate,
    JobsRate,
    MachinePlan,
    PlannedMachine,
    best_jobs,
    keep_plan,
    kept_plan,
)
from fbench.benchmark.machine.machine_rates import jobs_to_try, measure_plan

HERE = PlannedMachine(
    processor="Some CPU",
    usable_cores=4,
    memory_gib=16.0,
    accelerator=None,
    system="Linux",
    device_kind="cpu",
    fbench="0.1.0",
    torch="2.13.0",
)


def rates(*images_per_s: float) -> tuple[JobsRate, ...]:
    return tuple(
        JobsRate(jobs=number + 1, images_per_s=rate, memory_per_trial_mib=500.0)
        for number, rate in enumerate(images_per_s)
    )


def plan_for(machine: PlannedMachine, measured_at: str = "2026-01-01T00:00:00+00:00") -> MachinePlan:
    return MachinePlan(
        machine=machine,
        measured_at=measured_at,
        network="ires",
        batch_size=128,
        busy_percent=0.0,
        jobs_rates=rates(100.0, 190.0, 192.0),
        chunk_rates=(ChunkRate(images_at_once=128, images_per_s=9.0), ChunkRate(images_at_once=1024, images_per_s=8.0)),
    )


def test_more_trials_at_a_time_are_chosen_only_where_they_bring_three_percent() -> None:
    assert best_jobs(rates(100.0, 190.0, 192.0)) == 2
    assert best_jobs(rates(100.0, 99.0, 104.0)) == 3
    assert best_jobs(rates(100.0, 102.9)) == 1
    assert plan_for(HERE).images_augmented_at_once == 128


@given(st.lists(st.floats(1, 1e6), min_size=1, max_size=8))
def test_no_number_of_trials_beats_the_chosen_one_by_three_percent(found: list[float]) -> None:
    chosen = found[best_jobs(rates(*found)) - 1]
    assert all(later < 1.03 * chosen for later in found[found.index(chosen) + 1 :])


def test_a_plan_is_read_back_on_the_machine_that_wrote_it() -> None:
    assert kept_plan(HERE).why_not == "nothing was measured on this machine yet"
    keep_plan(plan_for(HERE))
    assert kept_plan(HERE).plan == plan_for(HERE)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"processor": "Another CPU"}, "its processor is Another CPU, here it is Some CPU"),
        ({"torch": "2.11.0"}, "its torch is 2.11.0, here it is 2.13.0"),
        ({"accelerator": "A GPU"}, "its accelerator is A GPU, here it is None"),
    ],
)
def test_a_plan_of_another_machine_or_version_is_named_and_not_used(change: dict[str, str], words: str) -> None:
    keep_plan(plan_for(HERE.model_copy(update=change)))
    found = kept_plan(HERE)
    assert found.plan is None
    assert words in found.why_not


def test_a_plan_copied_over_that_of_this_machine_is_not_used() -> None:
    other = HERE.model_copy(update={"processor": "Another CPU"})
    keep_plan(plan_for(HERE)).write_bytes(keep_plan(plan_for(other)).read_bytes())
    found = kept_plan(HERE)
    assert found.plan is None
    assert "is of another machine: its processor is Another CPU" in found.why_not


def test_a_plan_for_another_device_says_nothing_about_this_one() -> None:
    keep_plan(plan_for(HERE.model_copy(update={"device_kind": "cuda"})))
    assert kept_plan(HERE).why_not == "nothing was measured on this machine yet"


def test_a_damaged_plan_is_passed_over() -> None:
    file = keep_plan(plan_for(HERE))
    file.write_text("{", encoding="utf-8")
    found = kept_plan(HERE)
    assert found.plan is None
    assert str(file) in found.why_not


def test_jobs_follow_the_plan_and_never_pass_what_the_machine_carries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "usable_cores", lambda: 4)
    monkeypatch.setattr(jobs, "available_memory_gib", lambda: 64.0)
    assert choose_jobs(None, "cpu", planned=3) == 3
    assert choose_jobs(None, "cuda", planned=3) == 3
    assert choose_jobs(1, "cpu", planned=3) == 1
    monkeypatch.setattr(jobs, "available_memory_gib", lambda: 3.5)
    assert choose_jobs(None, "cpu", planned=3) == 2


def test_numbers_of_trials_double_up_to_the_limit() -> None:
    assert jobs_to_try(1, "cpu") == [1]
    assert jobs_to_try(6, "cpu") == [1, 2, 4, 6]
    assert jobs_to_try(64, "cuda") == [1, 2, 4, 8]


def test_measuring_trains_in_every_number_of_processes(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    from fbench.benchmark.machine import machine_rates

    monkeypatch.setattr(machine_rates, "jobs_limit", lambda cores, memory_gib: (2, ""))
    plan = measure_plan(torch.device("cpu"), seconds=0.05)
    assert [rate.jobs for rate in plan.jobs_rates] == [1, 2]
    assert [rate.images_at_once for rate in plan.chunk_rates] == [128, 1024, 4096]
    assert all(rate.images_per_s > 0 for rate in (*plan.jobs_rates, *plan.chunk_rates))
    assert all(rate.memory_per_trial_mib > 100 for rate in plan.jobs_rates)  # torch alone takes more
    assert keep_plan(plan).is_relative_to(own_cache)
    assert kept_plan(plan.machine).plan == plan


def test_the_number_of_images_augmented_at_once_changes_no_batch() -> None:
    from fbench.benchmark.machine.machine_rates import _batches
    from fbench.benchmark.records.numerics import choose_numerics

    numerics, device = choose_numerics("cpu"), torch.device("cpu")
    single, several = (_batches(device, numerics, 7, at_once) for at_once in (128, 1024))
    for _ in range(9):
        assert torch.equal(next(single).images, next(several).images)
