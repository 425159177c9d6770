"""What the driver does about what nodes say: with nodes that are pretended, so that anything can be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pretended import BEGINS, BEGINS_ELSEWHERE, NODES, Pretended, answer_of, checkpoint_of, specs_in

from fbench.benchmark.clusters import attempts, ray_executor
from fbench.benchmark.clusters.connection import LostError, OutOfMemoryError, UnfitError
from fbench.benchmark.clusters.options import ClusterOptions
from fbench.benchmark.clusters.parcel import Message
from fbench.benchmark.clusters.ray_executor import RayExecutor
from fbench.benchmark.records.events import Checkpointed, Event, Stepped
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.runs.executors import NO_LIMITS, TrialLimits, WorkerContext
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.trial_result import TrialResult
from fbench.core.errors import UserError


@pytest.fixture(autouse=True)
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "_LONGEST_PAUSE_S", 0.0)


class Run:
    """Trials on a pretended cluster, and what came of them."""

    def __init__(self, folder: Path, cluster: Pretended, retries: int = 0, **options: Any) -> None:
        self.folder, self.cluster, self.heard = RunFolder(folder / "run"), cluster, list[Event]()
        context = WorkerContext(folder / "scratch", retries=retries, checkpoints=self.folder.checkpoints)
        self.executor = RayExecutor(context, ClusterOptions(**options), {}, connect=cluster.connected)

    def results(self, specs: Sequence[TrialSpec], limits: TrialLimits = NO_LIMITS) -> list[TrialResult]:
        with self.executor as executor:
            return list(executor.run(specs, self._hear, limits))

    def _hear(self, event: Event) -> None:
        if isinstance(event, Checkpointed):
            self.folder.take_checkpoint(event.trial_id, event.file)
        self.heard.append(event)


def test_a_trial_lost_with_its_node_goes_on_from_its_checkpoint_and_is_not_charged(tmp_path: Path) -> None:
    spec = specs_in(tmp_path, 1)[0]
    steps = Message({"events": [{"stepped": spec.trial_id, "steps": 3}]})
    lost = [BEGINS, steps, checkpoint_of(spec, b"state"), LostError("its node died")]
    run = Run(tmp_path, Pretended({spec.trial_id: [lost, [BEGINS_ELSEWHERE, answer_of(spec, tmp_path / "there")]]}))
    results = run.results([spec])
    assert [one.record.failure_reason for one in results] == ["its network raised ValueError: no"]
    assert [one.checkpoint for one in run.cluster.begun] == [b"", b"state"]
    assert run.heard[0] == Stepped(spec.trial_id, 3)
    assert len(run.cluster.lent) == 1  # the data
    assert not run.cluster.is_open


def test_a_trial_that_comes_further_each_time_may_be_lost_as_often_as_it_is(tmp_path: Path) -> None:
    spec = specs_in(tmp_path, 1)[0]
    lost = [[BEGINS, checkpoint_of(spec, bytes([time])), LostError("its node died")] for time in range(50)]
    run = Run(tmp_path, Pretended({spec.trial_id: [*lost, [BEGINS, answer_of(spec, tmp_path / "there")]]}))
    assert len(run.results([spec])) == 1
    assert [one.checkpoint for one in run.cluster.begun][1:] == [bytes([time]) for time in range(50)]


def test_a_trial_that_is_lost_again_and_again_fails(tmp_path: Path) -> None:
    specs = specs_in(tmp_path)
    always = [[BEGINS, LostError("its node died")]] * 30
    ended = [[BEGINS, answer_of(specs[1], tmp_path / "there")]]
    results = Run(tmp_path, Pretended({specs[0].trial_id: always, specs[1].trial_id: ended})).results(specs)
    reasons = {one.record.trial_id: one.record.failure_reason for one in results}
    assert reasons[specs[0].trial_id] == (
        "it was lost 21 times in a row with the node or process of Ray that ran it: its node died"
    )
    assert len(results) == 2


@pytest.mark.parametrize("end", ["may pass", "out of memory"])
def test_what_may_pass_is_tried_as_often_as_retries_say(tmp_path: Path, end: str) -> None:
    spec = specs_in(tmp_path, 1)[0]
    said = answer_of(spec, tmp_path / "there", may_pass=True) if end == "may pass" else OutOfMemoryError("full")
    run = Run(tmp_path, Pretended({spec.trial_id: [[BEGINS, said]] * 9}), retries=2)
    assert [one.record.status for one in run.results([spec])] == ["failed"]
    assert len(run.cluster.begun) == 3


def test_a_network_that_a_node_lacks_something_for_is_tried_on_the_others(tmp_path: Path) -> None:
    spec = specs_in(tmp_path, 1)[0]
    lacks = Message({"unfit": "the plug-in mine.py needs timm 1.0.20 (not installed there)", "of": "network"})
    run = Run(tmp_path, Pretended({spec.trial_id: [[BEGINS, lacks], [BEGINS_ELSEWHERE, lacks]]}))
    (result,) = run.results([spec])
    assert [one.avoided for one in run.cluster.begun] == [frozenset(), {NODES[0].node_id}]
    assert result.record.failure_reason == (
        "no node can run it: on the node one (10.0.0.1), the plug-in mine.py needs timm 1.0.20 (not installed there); "
        "on the node two (10.0.0.2), the plug-in mine.py needs timm 1.0.20 (not installed there)"
    )


def test_a_node_that_can_run_nothing_is_left_out_and_without_any_the_run_ends(tmp_path: Path) -> None:
    specs = specs_in(tmp_path)
    full = Message({"unfit": "No space left on device", "of": "node"})
    ended = [BEGINS_ELSEWHERE, answer_of(specs[0], tmp_path / "there")]
    run = Run(tmp_path, Pretended({specs[0].trial_id: [[BEGINS, full], ended]}))
    assert len(run.results(specs[:1])) == 1
    assert run.cluster.begun[1].avoided == {NODES[0].node_id}
    nowhere = {specs[1].trial_id: [[BEGINS, full], [UnfitError("No module named 'fbench'", "10.0.0.2")]]}
    with pytest.raises(UserError, match=r"No node of the cluster can run a trial any more: .*No space left.*'fbench'"):
        Run(tmp_path, Pretended(nowhere)).results(specs[1:])


def test_when_asked_to_stop_checkpoints_are_taken_and_what_waits_is_given_up(tmp_path: Path) -> None:
    specs = specs_in(tmp_path, 3)
    first, second, third = (spec.trial_id for spec in specs)
    stopped = [checkpoint_of(specs[0], b"late"), Message({"stopped": first})]
    ends = [Message({"stepped": 1}), answer_of(specs[1], tmp_path / "there")]  # the first is no message
    cluster = Pretended({first: [[BEGINS]], second: [[BEGINS]]}, stopped_says={first: stopped, second: ends[1:]})
    run = Run(tmp_path, cluster)
    begun = cluster.heard

    def heard(attempts_: Any, limit_s: float) -> Any:
        if all(one.says == cluster.begun[0].says for one in cluster.begun[:2]) and not cluster.begun[0].says:
            run.executor.ask_to_stop()
        return begun(attempts_, limit_s)

    cluster.heard = heard  # type: ignore[method-assign] # the moment when both have begun
    results = run.results(specs)
    assert [one.record.trial_id for one in results] == [second]
    assert [one.parcel.spec.trial_id for one in cluster.given_up] == [third]
    assert (run.folder.checkpoints / f"{first}.safetensors").read_bytes() == b"late"


def test_a_trial_for_which_there_is_no_time_any_more_is_taken_back(tmp_path: Path) -> None:
    specs = specs_in(tmp_path)
    may_begin = iter([True] * 6)
    cluster = Pretended({})
    limits = TrialLimits(may_begin=lambda trial_id: next(may_begin, False))
    assert Run(tmp_path, cluster).results(specs, limits) == []
    assert len(cluster.given_up) == len(cluster.begun) > 0


def test_a_result_with_files_that_no_trial_has_is_a_failure_and_nothing_is_written(tmp_path: Path) -> None:
    spec = specs_in(tmp_path, 1)[0]
    good = answer_of(spec, tmp_path / "there")
    bad = replace(good, files={**good.files, "../../../away": b"!"})
    (result,) = Run(tmp_path, Pretended({spec.trial_id: [[BEGINS, bad]]})).results([spec])
    assert result.record.failure_reason == "its result brings the file '../../../away', which no trial has"
    assert not list(tmp_path.rglob("away"))


def test_what_is_no_message_of_this_trial_is_a_loss_and_events_of_others_are_not_heard(tmp_path: Path) -> None:
    spec, other = specs_in(tmp_path)
    events = Message({"events": [{"stepped": other.trial_id, "steps": 9}, "nonsense", {"stepped": 3}]})
    wrong = [BEGINS, events, answer_of(other, tmp_path / "there")]
    right = [BEGINS, answer_of(spec, tmp_path / "there")]
    run = Run(tmp_path, Pretended({spec.trial_id: [wrong, right]}))
    assert [one.record.trial_id for one in run.results([spec])] == [spec.trial_id]
    assert run.heard == []


def test_versions_that_differ_are_named(tmp_path: Path) -> None:
    found = {NODES[1].node_id: {"fbench": "0.1.0", "torch": "2.11.0", "Python": "3.11"}}
    with pytest.raises(UserError, match=r"two \(10.0.0.2\) has .*torch 2.11.0 \(here "):
        Run(tmp_path, Pretended({}, of_versions=found)).results(specs_in(tmp_path))


@pytest.mark.parametrize(
    ("options", "device", "said"),
    [
        ({"gpus_per_trial": 4.0}, "cuda", "4 GPUs .*no node of the cluster has more than 1; give at most that many"),
        ({"cpus_per_trial": 8.0}, "cpu", r"8 cores .*one \(10.0.0.1\) has 1 cores"),
    ],
)
def test_more_than_a_node_has_is_refused(tmp_path: Path, options: dict[str, float], device: str, said: str) -> None:
    nodes = (replace(NODES[0], gpus=1.0), NODES[1])
    context = WorkerContext(tmp_path / "scratch", device)
    executor = RayExecutor(context, ClusterOptions(**options), {}, connect=Pretended({}, of_nodes=nodes).connected)
    with pytest.raises(UserError, match=said), executor:
        pass


def test_a_network_of_this_session_is_refused_by_name(tmp_path: Path) -> None:
    spec = specs_in(tmp_path, 1)[0]
    own = spec.network.model_copy(update={"name": "mine", "source_sha256": "0" * 64})
    with pytest.raises(UserError, match=r"The networks mine were defined in this session.*--plugin"):
        Run(tmp_path, Pretended({})).results([spec.model_copy(update={"network": own})])


def test_nothing_is_connected_where_nothing_is_to_be_run(tmp_path: Path) -> None:
    cluster = Pretended({})
    context = WorkerContext(tmp_path / "scratch")
    with RayExecutor(context, ClusterOptions(), {}, connects=False, connect=cluster.connected) as executor:
        assert not cluster.is_open
        assert list(executor.run([], lambda event: None)) == []
    assert ray_executor.STOP_LIMIT_S < 20
