"""``fbench.run`` as a function: one or many, text or path."""

from __future__ import annotations

from pathlib import Path

import pytest
from coarse_fbench import leave_cost_out
from support import make_stripes

import fbench
from fbench.ablations.suite import adhoc_suite
from fbench.api import running
from fbench.benchmark.clusters.options import ClusterOptions
from fbench.benchmark.data import loaded
from fbench.benchmark.runs.listener import RunListener
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.runs.shards import Shard
from fbench.core.errors import UserError


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[RunRequest]:
    """What is asked of the session, which runs nothing."""
    found: list[RunRequest] = []

    def note(request: RunRequest, listener: object, stopping: object) -> None:
        found.append(request)
        raise UserError("enough")

    monkeypatch.setattr(running, "run_request", note)
    return found


def ask(**options: object) -> None:
    with pytest.raises(UserError, match="enough"):
        fbench.run(**options)  # type: ignore[arg-type] # of every type that is allowed


def test_one_is_as_good_as_many_and_a_text_as_a_path(asked: list[RunRequest]) -> None:
    ask(data="synthetic", plugins="a.py", take_from="r", out="o", only="head")
    ask(data=["synthetic"], plugins=[Path("a.py")], take_from=(Path("r"),), out=Path("o"), only=["head"])
    assert asked[0] == asked[1]
    assert (asked[0].data, asked[0].out, asked[0].only) == (("synthetic",), Path("o"), ("head",))


def test_without_options_it_is_the_command_without_options(asked: list[RunRequest]) -> None:
    ask()
    assert asked == [RunRequest()]


def test_networks_make_a_suite_of_their_own(asked: list[RunRequest]) -> None:
    ask(arch="lenet5", against="ires")
    ask(arch=["lenet5"], against="ires")
    assert [one.suite for one in asked] == [adhoc_suite(["lenet5"], "ires")] * 2


def test_a_home_folder_is_spelled_out(asked: list[RunRequest]) -> None:
    ask(out="~/run", suite=Path("my.toml"))
    assert (asked[0].out, asked[0].suite) == (Path.home() / "run", "my.toml")


def test_parts_and_clusters_are_asked_for_as_on_the_command_line(asked: list[RunRequest]) -> None:
    ask(shard="2/8")
    ask(executor="ray", ray_address="10.0.0.1:6379", gpus_per_trial=0.25)
    assert asked[0].shard == Shard(2, 8)
    assert asked[1].cluster == ClusterOptions("10.0.0.1:6379", 1.0, 0.25)


def test_what_does_not_go_together_is_a_sentence() -> None:
    with pytest.raises(UserError, match="without --executor ray"):
        fbench.run(arch="ires", cpus_per_trial=2)
    with pytest.raises(UserError, match="A time budget of 0 s was given"):
        fbench.run(arch="ires", time_budget_s=0)
    with pytest.raises(UserError, match="--shard 3/2 was given"):
        fbench.run(arch="ires", shard="3/2")
    with pytest.raises(UserError, match="suite='smoke' and arch='ires' were both given"):
        fbench.run(suite="smoke", arch="ires")
    with pytest.raises(UserError, match="against='ires' was given without arch"):
        fbench.run(against="ires")
    with pytest.raises(UserError, match="No architecture was given"):
        fbench.run(arch=[])
    with pytest.raises(UserError, match=r"data=\[\] was given; name at least one"):
        fbench.run(arch="ires", data=[])
    with pytest.raises(UserError, match=r"retries=-1 was given; give 0 or more"):
        fbench.run(arch="ires", retries=-1)
    with pytest.raises(UserError, match=r"trial_timeout_s=0 was given; give more than 0 seconds"):
        fbench.run(arch="ires", trial_timeout_s=0)
    with pytest.raises(UserError, match=r"no argument 'sed'\. Did you mean 'seeds'"):
        fbench.run(sed=3)  # type: ignore[call-arg] # no type checker lets it through


def test_a_part_is_trained_and_a_time_that_is_too_short_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stripes = make_stripes()
    monkeypatch.setattr("fbench.benchmark.runs.planning.load_dataset", lambda reference: stripes)
    monkeypatch.setattr(loaded, "_load_once", lambda reference: stripes)
    leave_cost_out(monkeypatch)
    parts = [
        fbench.run(
            arch="lenet5",
            preset="smoke",
            seeds=3,
            jobs=1,
            shard=f"{number}/2",
            out=tmp_path / f"part-{number}",
            listener=RunListener(),
        )
        for number in (1, 2)
    ]
    seeds = [sorted(record.spec.seed for record in part.trials.values()) for part in parts]
    assert sorted(seeds[0] + seeds[1]) == [0, 1, 2]
    assert all(seeds)
    with pytest.raises(UserError, match=r"--time-budget: of 1 s, 0 s are left"):
        fbench.run(
            arch="lenet5", preset="smoke", jobs=1, time_budget_s=1, out=tmp_path / "late", listener=RunListener()
        )


def test_it_trains_and_gives_what_says_more_than_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stripes = make_stripes()
    monkeypatch.setattr("fbench.benchmark.runs.planning.load_dataset", lambda reference: stripes)
    monkeypatch.setattr(loaded, "_load_once", lambda reference: stripes)
    leave_cost_out(monkeypatch)
    run = fbench.run(arch="lenet5", preset="smoke", jobs=1, out=str(tmp_path / "run"), listener=RunListener())
    assert run.trials_frame()["status"].tolist() == ["finished"]
    assert not fbench.load_model(run, "lenet5:0").training
    assert fbench.load_run(str(tmp_path / "run")).trials == run.trials
