"""Trials dealt to machines: every one once, the same way everywhere, and evenly by what they compute."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import two_lenets, use_stripes

from fbench.ablations.suite import Resources, Suite
from fbench.benchmark.records.specs import NetworkSpec
from fbench.benchmark.runs.plan import RunPlan
from fbench.benchmark.runs.planning import plan_run
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.runs.shards import Load, Shard, Unit, deal, loads_of, unit_of
from fbench.core.errors import UserError
from fbench.core.schema import parse

NOTHING, GPU = Resources(), Resources(gpu=True)
WORK = st.lists(st.tuples(st.floats(0, 100), st.sampled_from([NOTHING, GPU])), min_size=1, max_size=40)


def loads(work: list[tuple[float, Resources]]) -> list[Load]:
    return [Load(Unit(f"network {index}", "data", index), one, needs) for index, (one, needs) in enumerate(work)]


@given(WORK, st.integers(1, 50))
def test_every_unit_is_in_one_shard(work: list[tuple[float, Resources]], shards: int) -> None:
    units = loads(work)
    dealt = deal(units, shards)
    assert len(dealt) == shards
    assert sorted(load.unit for hand in dealt for load in hand) == sorted(load.unit for load in units)
    assert dealt == deal(units, shards)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=40), st.integers(1, 10))
def test_no_shard_has_more_than_the_mean_and_the_largest_unit(work: list[float], shards: int) -> None:
    """The bound of list scheduling (Graham 1969)."""
    most = max(sum(load.work for load in hand) for hand in deal(loads([(one, NOTHING) for one in work]), shards))
    assert most <= sum(work) / shards + max(work) * (1 - 1 / shards) + 1e-9


@given(WORK, st.integers(2, 12))
def test_no_shard_mixes_what_needs_other_machines(work: list[tuple[float, Resources]], shards: int) -> None:
    for hand in deal(loads(work), shards):
        assert len({load.resources for load in hand}) <= 1


def test_a_kind_of_machine_has_shards_by_its_work() -> None:
    dealt = deal(loads([(30.0, NOTHING)] * 6 + [(30.0, GPU)] * 2), 4)
    assert [sum(load.work for load in hand) for hand in dealt] == [60.0] * 4
    assert [hand[0].resources for hand in dealt] == [NOTHING] * 3 + [GPU]


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "1/", "/2", "a/b", "-1/2", "1/0", "1.5/3"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="give a number and how many there are, such as 2/8"):
        Shard.parse(text)


@pytest.fixture
def tiny_data(monkeypatch: pytest.MonkeyPatch) -> None:
    use_stripes(monkeypatch)


def plan(tmp_path: Any, **changes: Any) -> RunPlan:
    request = RunRequest(suite=two_lenets(), preset="smoke", seeds=3, jobs=1, device="cpu", out=tmp_path / "run")
    return plan_run(replace(request, **changes))


@pytest.mark.usefixtures("tiny_data")
def test_shards_of_a_run_have_its_trials_between_them(tmp_path: Any) -> None:
    whole = {spec.trial_id for spec in plan(tmp_path).own_specs}
    parts = [plan(tmp_path, shard=Shard(number, 4)) for number in range(1, 5)]
    found = [spec.trial_id for part in parts for spec in part.remaining]
    assert len(found) == len(whole) == 6
    assert set(found) == whole
    assert all({row.trial_id for row in part.planned} == whole for part in parts)
    assert {part.config.shard for part in parts} == {"1/4", "2/4", "3/4", "4/4"}


@pytest.mark.usefixtures("tiny_data")
def test_more_shards_than_trials_are_refused(tmp_path: Any) -> None:
    with pytest.raises(UserError, match="there are 6 trials, or networks with a search, to deal; give at most 6"):
        plan(tmp_path, shard=Shard(1, 7))


@pytest.mark.usefixtures("tiny_data")
def test_seeds_that_follow_from_results_cannot_be_dealt(tmp_path: Any) -> None:
    with pytest.raises(UserError, match="--shard 1/2 was given with --until-decided"):
        plan(tmp_path, shard=Shard(1, 2), seeds=None, max_seeds=10)


@pytest.mark.usefixtures("tiny_data")
def test_trials_that_share_a_search_stay_together(tmp_path: Any) -> None:
    tuned = plan(tmp_path, protocol="fbench_tuned", shard=Shard(1, 2))
    assert len({unit_of(spec) for spec in tuned.specs}) == 2
    assert len({spec.network.name for spec in tuned.own_specs}) == 1
    assert len(tuned.own_specs) == 3
    assert {search.network.name for search in tuned.searches} == {spec.network.name for spec in tuned.own_specs}


@pytest.mark.usefixtures("tiny_data")
def test_work_is_what_training_and_evaluation_compute(tmp_path: Any) -> None:
    """Worked by hand: 4 steps of 64 images in three passes each, 64 read at the start and the end, 64 at the test."""

    def describe(network: NetworkSpec) -> Any:
        if network.name == "narrow":
            raise UserError("it cannot be built")
        return SimpleNamespace(counts=SimpleNamespace(macs=1000, elementwise_ops=20))

    specs = plan(tmp_path).specs
    images = specs[0].data.images_by_split
    found = {load.unit.network_digest: load.work for load in loads_of(specs, describe, {})}
    names = {spec.network.digest: spec.network.name for spec in specs}
    by_name = {names[digest]: work for digest, work in found.items()}
    passes = 3 * 256 + 2 * images["validation"] + images["test"]
    assert by_name == {"narrow": 0.0, "lenet5": (1000 + 50 * 20) * passes}


def test_resources_are_of_networks_that_the_suite_has() -> None:
    study = {"name": "s", "title": "s", "question": "?", "baseline": "ires", "levels": ("ires", "ires_relu")}
    values = {"name": "mine", "title": "Mine", "studies": [study], "resources": {"ires_rellu": {"gpu": True}}}
    with pytest.raises(UserError, match=r"resources of 'ires_rellu', which no study uses\. Did you mean 'ires_relu'"):
        parse(Suite, values, "test")
