"""Trials on two real nodes, which are two Ray nodes of this machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import pytest
from pretended import specs_in
from real_cluster import ClusterNode, RealCluster, real_cluster
from support import data_spec_of, make_stripes

from fbench.architectures.plugin_sources import read_sources
from fbench.architectures.plugins import load_plugin
from fbench.benchmark.clusters import connection
from fbench.benchmark.clusters.options import ClusterOptions
from fbench.benchmark.clusters.ray_executor import RayExecutor
from fbench.benchmark.records.events import Checkpointed, Evaluated, Event, Started
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.runs.driver import run_trials
from fbench.benchmark.runs.executors import WorkerContext
from fbench.benchmark.runs.local_executor import LocalExecutor
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.training.networks import network_spec
from fbench.core.errors import UserError

pytest.importorskip("ray", reason="Ray is an extra: pip install 'fbench[ray]'")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="kills processes as Linux does"),
    pytest.mark.usefixtures("same_registry_afterwards"),
]

PLUGIN = """
import os
from torch import nn
import fbench
from beside import SIZE

@fbench.register("theirs")
def build(num_classes=3, in_channels=1, image_size=16):
    layers = nn.Linear(in_channels * image_size ** 2, SIZE), nn.ReLU(), nn.Linear(SIZE, num_classes)
    return nn.Sequential(nn.Flatten(), *layers)

class Deadly(nn.Module):
    def __init__(self, size, classes):
        super().__init__()
        self.linear = nn.Linear(size, classes)
    def forward(self, x):
        if self.training and len(x) == 24 and x.device.type != "meta":
            os.kill(os.getpid(), 9)
        return self.linear(x.flatten(1))

@fbench.register("deadly")
def build_deadly(num_classes=3, in_channels=1, image_size=16):
    return Deadly(in_channels * image_size ** 2, num_classes)
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[RealCluster]:
    with real_cluster(2) as started:
        yield started


@dataclass
class Course:
    """Trials on a cluster, and what was heard of them; ``then`` is done at each event."""

    folder: RunFolder
    executor: RayExecutor
    then: Callable[[Event], None] = lambda event: None
    heard: list[Event] = field(default_factory=list)

    def run(self, specs: list[TrialSpec]) -> list[TrialSpec]:
        def hear(event: Event) -> None:
            self.heard.append(event)
            self.then(event)

        with self.executor as executor:
            return run_trials(executor, specs, self.folder, hear)


def course(folder: Path, cluster: RealCluster, plugin: Path | None = None, retries: int = 0) -> Course:
    run = RunFolder(folder)
    context = WorkerContext(folder / ".writing-1", checkpoints=run.checkpoints, retries=retries)
    sources = [] if plugin is None else [read_sources(plugin)]
    plugins = {one.digest: one for one in sources}
    return Course(run, RayExecutor(context, ClusterOptions(cluster.address), plugins))


def here(folder: Path, specs: list[TrialSpec]) -> RunFolder:
    with LocalExecutor(WorkerContext(folder / ".writing-1")) as executor:
        assert run_trials(executor, specs, RunFolder(folder), lambda event: None) == []
    return RunFolder(folder)


def same_results(one: RunFolder, other: RunFolder, specs: list[TrialSpec]) -> bool:
    names = ("weights.safetensors", "predictions.npz", "logits.npz")
    return all(
        (one.trial_folder(spec.trial_id) / name).read_bytes() == (other.trial_folder(spec.trial_id) / name).read_bytes()
        and one.trial(spec.trial_id).test == other.trial(spec.trial_id).test
        for spec in specs
        for name in names
    )


def test_results_are_those_of_this_machine_bit_for_bit(tmp_path: Path, cluster: RealCluster) -> None:
    specs = specs_in(tmp_path, 4)
    there = course(tmp_path / "there", cluster)
    assert there.run(specs) == []
    assert [record.status for record in there.folder.trials().values()] == ["finished"] * 4
    assert same_results(there.folder, here(tmp_path / "here", specs), specs)
    assert len([event for event in there.heard if isinstance(event, Evaluated)]) == 8
    assert not there.folder.checkpoints.exists()
    assert not (tmp_path / "there" / ".writing-1").exists()


def test_a_plug_in_travels_and_a_trial_that_kills_its_process_fails_alone(tmp_path: Path, cluster: RealCluster) -> None:
    plugin = tmp_path / "theirs.py"
    plugin.write_text(PLUGIN)
    (tmp_path / "beside.py").write_text("SIZE = 5\n")
    load_plugin(plugin)
    own = specs_in(tmp_path, 1)[0]
    data = data_spec_of(make_stripes())
    users = [own.model_copy(update={"network": network_spec(name, name, {}, data)}) for name in ("deadly", "theirs")]
    there = course(tmp_path / "there", cluster, plugin, retries=1)
    assert there.run([*users, own]) == []
    reasons = [there.folder.trial(spec.trial_id).failure_reason for spec in [*users, own]]
    assert reasons == [
        "its worker process was killed (SIGKILL), which the system does when memory runs out", None, None
    ]  # fmt: skip
    begun = [event.trial_id for event in there.heard if isinstance(event, Started)]
    assert sorted(begun) == sorted([users[0].trial_id] * 2 + [users[1].trial_id, own.trial_id])
    assert same_results(there.folder, here(tmp_path / "here", users[1:]), users[1:])


def test_trials_of_a_killed_node_go_on_from_their_checkpoints_elsewhere(
    tmp_path: Path, cluster: RealCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    specs = specs_in(tmp_path, 2, evaluations=40, passes=96 * 40)
    there = course(tmp_path / "there", cluster)
    node, kept = cluster.nodes[1], set[str]()

    def kill(event: Event) -> None:
        if isinstance(event, Checkpointed):
            kept.add(event.trial_id)
        if len(kept) == 2 and node in cluster.nodes:
            cluster.lose(node)

    there.then = kill
    assert there.run(specs) == []
    cluster.start()
    assert {record.status for record in there.folder.trials().values()} == {"finished"}
    resumed = [there.folder.trial(spec.trial_id).failure_reason for spec in specs]
    assert resumed == [None, None]
    begun = [event.trial_id for event in there.heard if isinstance(event, Started)]
    assert sorted(begun) != sorted({*begun})  # one was begun anew
    evaluated = [(event.trial_id, event.row.step) for event in there.heard if isinstance(event, Evaluated)]
    assert len(evaluated) - len(set(evaluated)) <= 1  # the interval that was lost
    assert capsys.readouterr().out == ""  # Ray keeps its words to itself
    assert same_results(there.folder, here(tmp_path / "here", specs), specs)


def test_asked_to_stop_trials_hand_over_their_checkpoints_within_20_s(tmp_path: Path, cluster: RealCluster) -> None:
    specs = specs_in(tmp_path, 4, evaluations=2, passes=96 * 4000)
    there, asked_at = course(tmp_path / "there", cluster), list[float]()

    def ask(event: Event) -> None:
        if isinstance(event, Started) and not asked_at:
            asked_at.append(time.monotonic())
            threading.Timer(1.0, there.executor.ask_to_stop).start()

    there.then = ask
    assert there.run(specs) == specs
    assert time.monotonic() - asked_at[0] < 21
    kept = [event.trial_id for event in there.heard if isinstance(event, Checkpointed)]
    assert 1 <= len(set(kept)) <= 2  # as many as there are cores; the others never began
    assert {file.stem for file in there.folder.checkpoints.iterdir()} == set(kept)


def test_more_gpus_than_there_are_is_told_of_the_cluster(tmp_path: Path, cluster: RealCluster) -> None:
    executor = RayExecutor(
        WorkerContext(tmp_path / "scratch", "cuda"), ClusterOptions(cluster.address, gpus_per_trial=2), {}
    )
    with pytest.raises(UserError, match=r"2 GPUs .*no node of the cluster has more than 0"), executor:
        pass


def test_a_node_of_another_version_is_named_or_left_out_where_it_joins_later(
    tmp_path: Path, cluster: RealCluster, caplog: pytest.LogCaptureFixture
) -> None:
    older = tmp_path / "older" / "torch-2.11.0.dist-info"
    older.mkdir(parents=True)
    (older / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.11.0\n")
    # more than are begun before the node is there: the rest is given out when it has cores for it
    specs, nodes = specs_in(tmp_path, 40, evaluations=20, passes=96 * 20), list[ClusterNode]()
    there = course(tmp_path / "there", cluster)

    path = os.pathsep.join([str(older.parent), *filter(None, [os.environ.get("PYTHONPATH")])])

    def join(event: Event) -> None:
        if isinstance(event, Started) and not nodes:
            nodes.append(cluster.start(cpus=4, PYTHONPATH=path))

    there.then = join
    try:
        assert there.run(specs) == []
        assert {record.status for record in there.folder.trials().values()} == {"finished"}
        assert {record.machine.versions["torch"] for record in there.folder.trials().values()} == {version("torch")}
        assert "it has torch 2.11.0 (here" in caplog.text
        refused = course(tmp_path / "refused", cluster)
        with pytest.raises(UserError, match=r"not alike.*torch 2\.11\.0 \(here"):
            refused.run(specs)
    finally:
        for node in nodes:
            cluster.leave(node)


def test_an_address_that_does_not_answer_is_told_in_bounded_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ANSWER_LIMIT_S", 5.0)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        executor = RayExecutor(WorkerContext(tmp_path / "scratch"), ClusterOptions(address), {})
        with pytest.raises(UserError, match=rf"No Ray cluster answers at --ray-address {address} \(nothing"), executor:
            pass
    with pytest.raises(UserError, match=rf"at --ray-address {address} \(ConnectionRefusedError"), executor:
        pass


def test_the_command_trains_on_a_cluster_and_measures_cost_here(tmp_path: Path, cluster: RealCluster) -> None:
    specs_in(tmp_path)
    command = [sys.executable, "-m", "fbench", "run", "--arch", "lenet5", "--preset", "smoke", "--seeds", "2"]
    data = ["--data", f"stripes=arrays:{tmp_path / 'stripes.npz'}", "--out", str(tmp_path / "run")]
    where = ["--executor", "ray", "--ray-address", cluster.address, "--device", "cpu"]
    ended = subprocess.run([*command, *data, *where], capture_output=True, text=True, cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    records = RunFolder(tmp_path / "run").trials()
    assert {record.status for record in records.values()} == {"finished"}
    assert (tmp_path / "run" / "report.html").exists()
