from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbench.benchmark.machine import jobs
from fbench.benchmark.machine.jobs import MEMORY_PER_TRIAL_GIB, choose_jobs, jobs_limit
from fbench.core.errors import UserError


@given(cores=st.integers(1, 256), memory_gib=st.floats(0, 4096))
def test_the_limit_fits_cores_and_memory_and_one_trial_is_always_allowed(cores: int, memory_gib: float) -> None:
    limit, _ = jobs_limit(cores, memory_gib)
    assert 1 <= limit <= cores
    assert limit == 1 or limit * MEMORY_PER_TRIAL_GIB <= memory_gib
    assert limit == cores or (limit + 1) * MEMORY_PER_TRIAL_GIB > memory_gib


def test_what_is_above_the_limit_is_refused_with_what_sets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "usable_cores", lambda: 4)
    monkeypatch.setattr(jobs, "available_memory_gib", lambda: 64.0)
    assert choose_jobs(None, "cpu") == 4
    assert choose_jobs(None, "cuda") == 1
    assert choose_jobs(3, "cuda") == 3
    with pytest.raises(UserError, match=r"--jobs 5 was given and this machine has 4 usable cores; give at most 4\."):
        choose_jobs(5, "cpu")
    monkeypatch.setattr(jobs, "available_memory_gib", lambda: 3.3)
    assert choose_jobs(None, "cpu") == 2
    with pytest.raises(UserError, match=r"has 3\.3 GiB of free memory, 1\.6 for each trial; give at most 2\."):
        choose_jobs(4, "cpu")


def test_the_memory_of_the_host_refuses_no_trial_on_an_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "usable_cores", lambda: 16)
    monkeypatch.setattr(jobs, "available_memory_gib", lambda: 0.2)
    assert choose_jobs(12, "cuda") == 12
    assert choose_jobs(None, "cpu") == 1
    with pytest.raises(UserError, match=r"--jobs 17 was given and this machine has 16 usable cores; give at most 16\."):
        choose_jobs(17, "cuda")


def test_there_is_room_for_another_beside_those_that_have_yet_to_take_their_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "available_memory_gib", lambda: 2.5 * MEMORY_PER_TRIAL_GIB)
    assert [jobs.room_for_another(beginning) for beginning in range(4)] == [True, True, False, False]
