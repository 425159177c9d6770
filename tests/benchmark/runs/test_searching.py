"""Runs that search settings first, on a tiny data set that takes the place of the embedded one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from coarse_fbench import leave_cost_out
from support import make_stripes, two_lenets

from fbench.ablations.suite import adhoc_suite
from fbench.benchmark.data import loaded
from fbench.benchmark.records.events import Ended, Event
from fbench.benchmark.records.search_records import SearchRecord, SearchTable
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.runs import planning
from fbench.benchmark.runs.listener import RunListener
from fbench.benchmark.runs.network_tasks import network_tasks
from fbench.benchmark.runs.planning import plan_run
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.runs.searches import Search
from fbench.benchmark.runs.session import estimate_run_s, run
from fbench.benchmark.runs.tuning import make_searches, plan_searches
from fbench.benchmark.store.files import read_model
from fbench.benchmark.store.run_folder import WEIGHTS_FILE
from fbench.benchmark.store.search_files import kept_searches, read_searches
from fbench.core.errors import UserError

TUNED = """
extends = "fbench@1"
name = "mine"
[tuning]
rates = [1.0, 0.5, 2.0]
strengths = [{ name = "default" }]
rungs = [{ share = 0.5, keep = 1 }, { share = 1.0 }]
"""


@pytest.fixture(autouse=True)
def tiny_data(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    stripes = make_stripes()
    monkeypatch.setattr("fbench.benchmark.runs.planning.load_dataset", lambda reference: stripes)
    monkeypatch.setattr(loaded, "_load_once", lambda reference: stripes)
    leave_cost_out(monkeypatch)


def request_in(folder: Path, mode: str = "once", **changes: object) -> RunRequest:
    protocol = folder / f"{mode}.toml"
    protocol.write_text(TUNED + f'mode = "{mode}"\n', encoding="utf-8")
    values: dict[str, object] = {
        "suite": adhoc_suite(["lenet5"]),
        "protocol": str(protocol),
        "preset": "smoke",
        "seeds": 2,
        "jobs": 1,
        "device": "cpu",
        "out": folder / "run",
    }
    return RunRequest(**(values | changes))  # type: ignore[arg-type] # the tests give fields of the right types


class Listener(RunListener):
    """Keeps what it hears of searches, and stops everything after so many trainings."""

    def __init__(self, stop_after: int = 10**6) -> None:
        self.ended: list[str] = []
        self.records: list[SearchRecord] = []
        self.rounds: list[int] = []
        self.stop_after = stop_after

    def searching(self, searches: Sequence[Search], rung: int, specs: Sequence[TrialSpec]) -> None:
        self.rounds.append(rung)

    def happened_in_search(self, event: Event) -> None:
        if isinstance(event, Ended):
            self.ended.append(event.trial_id)
            if len(self.ended) == self.stop_after:
                raise KeyboardInterrupt

    def searched(self, record: SearchRecord) -> None:
        self.records.append(record)


def test_a_run_searches_first_and_trains_with_what_was_chosen(tmp_path: Path) -> None:
    heard = Listener()
    table = run(request_in(tmp_path), heard)
    (record,) = heard.records
    assert heard.rounds == [0, 1]
    assert len(heard.ended) == 3 + 2
    assert table.searches == {record.search_id: record}
    for trial in table.trials.values():
        assert trial.status == "finished"
        assert trial.spec.protocol.optimizer.learning_rate == pytest.approx(0.008 * record.chosen.rate)
        assert trial.spec.protocol.test == "once"
        assert Search.of(trial.spec).search_id == record.search_id
    assert [row.trial_id in table.trials for row in table.plan] == [True, True]
    assert not list((table.folder.path / "tuning").rglob(WEIGHTS_FILE))
    assert not any(row.get("trial_id") in heard.ended for row in table.folder.test_readings())


def test_the_same_command_searches_once(tmp_path: Path) -> None:
    run(request_in(tmp_path))
    again = Listener()
    table = run(request_in(tmp_path, seeds=3), again)
    assert again.ended == []
    assert len(table.trials) == 3


def test_an_interrupted_search_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole = run(request_in(tmp_path, out=tmp_path / "whole"))
    first, second = Listener(stop_after=2), Listener()
    with pytest.raises(KeyboardInterrupt):
        run(request_in(tmp_path), first)
    table = run(request_in(tmp_path), second)
    assert len(second.ended) == 5 - 2
    assert set(first.ended).isdisjoint(second.ended)
    assert set(table.trials) == set(whole.trials)
    (ours,), (theirs,) = table.searches.values(), whole.searches.values()
    assert ours.chosen == theirs.chosen
    assert [one.top1 for one in ours.trials] == [one.top1 for one in theirs.trials]


def test_per_seed_every_seed_has_its_own_search(tmp_path: Path) -> None:
    heard = Listener()
    table = run(request_in(tmp_path, "per_seed"), heard)
    assert sorted(record.search for record in heard.records) == [0, 1]
    by_number = {record.search: record for record in heard.records}
    for trial in table.trials.values():
        rate = by_number[trial.spec.seed].chosen.rate
        assert trial.spec.protocol.optimizer.learning_rate == pytest.approx(0.008 * rate)
    seeds = [{one.seed for one in record.trials} for record in heard.records]
    assert seeds[0].isdisjoint(seeds[1])


def test_a_plan_counts_the_searches_that_come_first(tmp_path: Path) -> None:
    plan = plan_run(request_in(tmp_path, "per_seed", seeds=3))
    assert len(plan.searches) == 3
    assert len(plan.remaining) == 3
    with network_tasks() as networks:
        trials_s, whole_s = estimate_run_s(plan, networks)
    assert whole_s > sum(trials_s.values()) + 3 * min(trials_s.values())


@pytest.mark.slow
def test_seeds_that_are_added_until_decided_need_no_new_search(tmp_path: Path) -> None:
    heard, suite = Listener(), two_lenets()
    table = run(request_in(tmp_path, suite=suite, seeds=None, max_seeds=6), heard)
    assert len(heard.records) == 2
    assert table.interim_analyses is not None
    assert {record.spec.seed for record in table.trials.values()} >= {0, 1, 2, 3, 4}


def test_a_file_of_another_search_is_refused(tmp_path: Path) -> None:
    table = run(request_in(tmp_path))
    found = (table.folder.path / "tuning" / "searches").glob("*.json")
    (file,) = (file for file in found if file.name != "sha256.json")
    file.rename(file.with_stem("0123456789abcdef"))
    with pytest.raises(UserError, match="is the record of search"):
        plan_run(request_in(tmp_path))


def test_searches_of_a_run_that_trials_may_be_taken_from_are_taken_too(tmp_path: Path) -> None:
    first = run(request_in(tmp_path, out=tmp_path / "first"))
    again = Listener()
    table = run(request_in(tmp_path, take_from=(first.folder.path,)), again)
    assert again.ended == []
    assert table.searches == first.searches


def test_a_trial_that_was_tuned_is_not_taken_for_one_that_was_not(tmp_path: Path) -> None:
    first = run(request_in(tmp_path, out=tmp_path / "first"))
    untuned = first.config.protocol.model_copy(update={"tuning": None})
    plan = plan_run(request_in(tmp_path, take_from=(first.folder.path,)))
    assert set(plan.reusable) == set(first.trials)
    file = tmp_path / "untuned.toml"
    file.write_text('extends = "fbench"\nname = "mine"\n', encoding="utf-8")
    plain = plan_run(request_in(tmp_path, protocol=str(file), out=tmp_path / "plain", take_from=(first.folder.path,)))
    assert plain.config.protocol.settings() == untuned.settings()
    assert plain.reusable == {}


def test_kept_settings_are_used_where_they_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_searches([request_in(tmp_path, out=tmp_path / "none")], tmp_path / "made")
    table = make_searches(plan, RunListener())
    assert len(table.searches) == 1
    assert read_model(plan.table_file, SearchTable) == table
    assert plan.table_file.name == "stripes-mine-256passes.json"
    assert len(plan.table_file.with_suffix(".csv").read_text().splitlines()) == 1 + 5
    monkeypatch.setattr(planning, "kept_searches", lambda: kept_searches(tmp_path / "made"))
    heard = Listener()
    found = run(request_in(tmp_path), heard)
    assert heard.ended == []
    assert list(found.searches.values()) == list(table.searches)
    assert plan_run(request_in(tmp_path, preset="quick", out=tmp_path / "other")).searches  # another budget


def test_searching_goes_on_and_the_table_has_what_is_finished(tmp_path: Path) -> None:
    suites = (adhoc_suite(["lenet5"]), two_lenets())
    requests = [request_in(tmp_path, suite=suite, out=tmp_path / suite.name) for suite in suites]
    plan = plan_searches(requests, tmp_path / "made")
    with pytest.raises(KeyboardInterrupt):
        make_searches(plan, Listener(stop_after=6))
    kept = read_model(plan.table_file, SearchTable)
    assert [one.network for one in kept.searches] == ["lenet5"]
    again, heard = plan_searches(requests, tmp_path / "made"), Listener()
    assert [one.network.name for one in again.remaining] == ["narrow"]
    table = make_searches(again, heard)
    assert len(heard.ended) == 4
    assert [one.network for one in table.searches] == ["lenet5", "narrow"]
    assert set(read_searches(again.folder)) == {one.search_id for one in table.searches}


def test_searches_that_were_kept_are_not_made_again_and_stand_in_the_table(tmp_path: Path) -> None:
    requests = [request_in(tmp_path, suite=two_lenets(), out=tmp_path / "none")]
    first = make_searches(plan_searches(requests, tmp_path / "made", ["narrow"]), RunListener())
    plan, heard = plan_searches(requests, tmp_path / "other", kept=kept_searches(tmp_path / "made")), Listener()
    assert [one.network.name for one in plan.remaining] == ["narrow"]
    table = make_searches(plan, heard)
    assert [record.network for record in heard.records] == ["narrow"]
    assert not {trial.trial_id for trial in first.searches[0].trials} & set(heard.ended)
    assert [one.network for one in table.searches] == ["narrow", "lenet5"]
    assert table.searches[1] == first.searches[0]


def test_networks_are_left_out_by_name(tmp_path: Path) -> None:
    requests = [request_in(tmp_path, suite=two_lenets(), out=tmp_path / "none")]
    plan = plan_searches(requests, tmp_path / "made", ["narrow"])
    assert [one.network.name for one in plan.searches] == ["lenet5"]
    with pytest.raises(UserError, match="--leave-out nope: asked for are lenet5, narrow"):
        plan_searches(requests, tmp_path / "made", ["nope"])


def test_a_protocol_without_a_search_cannot_be_searched(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"'fbench' has no \[tuning\]"):
        plan_searches([request_in(tmp_path, protocol="fbench")], tmp_path / "made")


def test_searches_are_made_by_one_process_at_a_time(tmp_path: Path) -> None:
    plan = plan_searches([request_in(tmp_path)], tmp_path / "searches")
    other = "import sys; from fbench.core.locks import locked; from pathlib import Path\n"
    other += "with locked(Path(sys.argv[1]), 'The search'): print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", other, str(tmp_path / "searches")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UserError, match=f"The search in .* is at work in process {holder.pid} on "):
            make_searches(plan, RunListener())
        holder.stdin.close()
        holder.wait(20)
    assert not (tmp_path / "searches" / "trials").exists()
