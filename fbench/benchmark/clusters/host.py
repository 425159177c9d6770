"""What runs on a node: a thin host of a trial, in a process of Ray's.

A user's code runs in a worker process of the host's own, as on one machine: with the same isolation, limits and logs,
and kept from one trial to the next by the same rule. So whatever becomes of a trial, it is fbench's own code that
answers, with bytes.
"""

from __future__ import annotations

import atexit
import os
import socket
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fbench.architectures.announced import is_announced, module_of
from fbench.benchmark.clusters.flag import FlagSeen
from fbench.benchmark.clusters.node_folder import NodeFolder
from fbench.benchmark.clusters.parcel import Message, Parcel
from fbench.benchmark.clusters.ray_library import ray_library
from fbench.benchmark.clusters.versions import difference, versions_here
from fbench.benchmark.records.events import Checkpointed, event_to_json
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.runs.driver import keep
from fbench.benchmark.runs.executors import WorkerContext
from fbench.benchmark.runs.training_task import event_of, result_of_outcome, training_task
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.workers.messages import Task
from fbench.benchmark.workers.supervisor import Outcome, Supervisor
from fbench.core.contained import ContainedPath
from fbench.core.errors import reason_on_a_line
from fbench.core.machine import package_version

_DEVICES: Final = "CUDA_VISIBLE_DEVICES"
_hosts: Final[list[Host]] = []
"""The host of this process, once it has one."""


def describe_node() -> str:
    """The versions of this node, as JSON."""
    return Message({"versions": versions_here(), "node": socket.gethostname()}).to_bytes().decode()


def host_trial(parcel: str, data: npt.NDArray[np.uint8], checkpoint: bytes) -> Iterator[bytes]:
    """Run a trial on this node, and say what becomes of it; the last message is how it ended.

    Args:
        parcel: the trial, as of :meth:`fbench.benchmark.clusters.parcel.Parcel.to_text`.
        data: the bytes of a file with its data.
        checkpoint: that of an earlier attempt; empty where there is none.
    """
    ray = ray_library()
    where = ray.get_runtime_context().get_node_id()
    yield Message({"begins": where, "node": f"{socket.gethostname()} ({ray.util.get_node_ip_address()})"}).to_bytes()
    try:
        sent = Parcel.from_text(parcel)
        if not _hosts:
            _hosts.append(Host(sent, _cpus_of_node(ray, where), FlagSeen(ray, sent.flag)))
        for message in _hosts[0].run(sent, data, checkpoint):
            yield message.to_bytes()
    except Exception as error:  # of fbench's own code, the disk, or what arrived; the trial's own are in its result
        yield Message({"unfit": reason_on_a_line(error), "of": "node"}).to_bytes()


def _cpus_of_node(ray: Any, node_id: str) -> float:
    return next((float(node["Resources"].get("CPU", 1)) for node in ray.nodes() if node["NodeID"] == node_id), 1.0)


class Host:
    """Hosts one trial at a time; what it needs is kept for the next."""

    def __init__(self, first: Parcel, cpus_of_node: float, flag: FlagSeen) -> None:
        own = Path(__file__).parents[3]  # where fbench lies
        sys.path[:] = [entry for entry in sys.path if entry not in first.not_from or Path(entry) == own]
        self._folder = NodeFolder()
        atexit.register(self._folder.remove)
        self._beside = int(1 / first.gpus) if first.gpus else int(cpus_of_node / first.cpus)
        self._flag = flag  # a process of Ray serves one connection of a driver
        self._supervisor: Supervisor | None = None
        self._devices = os.environ.get(_DEVICES)

    def run(self, parcel: Parcel, data: npt.NDArray[np.uint8], checkpoint: bytes) -> Iterator[Message]:
        """Run a trial.

        Raises:
            OSError: the disk refuses.
            UserError: so it does in the worker process.
            NoMessageError: what arrived is not what was sent.
        """
        if reason := difference(versions_here(), parcel.versions):
            yield Message({"unfit": f"it has {reason}", "of": "node"})
            return
        if reason := _lacking(parcel):
            yield Message({"unfit": reason, "of": "network"})
            return
        self._see_devices(parcel.device)
        spec, folder = parcel.spec, self._folder
        if parcel.plugin is not None:
            plugin_file = str(folder.keep_plugin(parcel.plugin).paths[0])
            spec = spec.model_copy(update={"network": spec.network.model_copy(update={"plugin_file": plugin_file})})
        folder.keep_checkpoint(spec.trial_id, checkpoint)
        context = WorkerContext(folder.scratch, parcel.device, max(1, self._beside), checkpoints=folder.checkpoints)
        data_file = folder.keep_data(data, spec.data.fingerprint)
        yield from self._watched(training_task(spec, context, parcel.limit_s, data_file), spec)

    def _see_devices(self, device: str) -> None:
        """Let trials see the GPUs that Ray has set aside, and none on a CPU; a worker that saw others ends."""
        if device == "cpu":
            os.environ[_DEVICES] = ""
        if self._devices != os.environ.get(_DEVICES):
            self._end()
        self._devices = os.environ.get(_DEVICES)

    def _watched(self, task: Task, spec: TrialSpec) -> Iterator[Message]:
        if self._supervisor is None:
            self._supervisor = Supervisor(1, self._folder.logs, huge_pages=True, keeps_used=True)
        supervisor, told = self._supervisor, list[object]()
        asked = answered = False
        try:
            for outcome in supervisor.steps([task], lambda _, value: told.append(value)):
                yield from self._heard(task, told)
                if outcome is not None:
                    yield self._result(outcome, spec)
                    answered = True
                elif not asked and self._flag.is_up:
                    asked = True
                    supervisor.ask_to_stop()
            yield from self._heard(task, told)
            if asked and not answered:
                yield Message({"stopped": task.name})
        finally:
            if asked or not answered:
                self._end()

    def _heard(self, task: Task, told: list[object]) -> Iterator[Message]:
        """Messages of what a worker told: events together, and each checkpoint with its file."""
        events = list[dict[str, Any]]()
        for event in [event_of((task.name,), value, self._folder.scratch) for value in told]:
            if isinstance(event, Checkpointed):
                content = event.file.read_bytes()
                event.file.unlink()
                yield Message({"events": events})
                yield Message({"checkpoint": task.name, "steps": event.steps}, {"checkpoint": content})
                events = []
            elif event is not None:
                events.append(event_to_json(event))
        told.clear()
        if events:
            yield Message({"events": events})

    def _result(self, outcome: Outcome, spec: TrialSpec) -> Message:
        """The files of a trial that has ended."""
        result = result_of_outcome(outcome, spec, self._folder.scratch)
        if result.files is None:  # its process died, or its time was over
            keep(RunFolder(self._folder.scratch), result)
        files = RunFolder(self._folder.scratch).trial_files(spec.trial_id)
        contents = {name: _content(files / name) for name in files.names()}
        files.remove()
        answer = {"test_readings": result.test_readings, "may_pass": result.may_pass}
        return Message({"done": spec.trial_id, "answer": answer}, contents)

    def _end(self) -> None:
        if self._supervisor is not None:
            self._supervisor.end()
            self._supervisor = None


def _content(file: ContainedPath) -> bytes:
    with open(file.descriptor(os.O_RDONLY), "rb") as stream:  # noqa: PTH123 - no link is followed
        return stream.read()


def _lacking(parcel: Parcel) -> str:
    """Which packages of a network this node has not, or of another version; empty where it has all."""
    network = parcel.spec.network
    if parcel.plugin is not None:
        needed = [(name, wanted, package_version(name)) for name, wanted in parcel.plugin.packages.items()]
        other = [f"{name} {wanted} ({found} there)" for name, wanted, found in needed if found != wanted]
        return f"the plug-in {parcel.plugin.main} needs {', '.join(other)}" if other else ""
    if network.source_sha256 is None:
        return ""
    if not is_announced(network.builder):
        return f"no package there announces the network '{network.builder}'"
    package = module_of(network.builder).partition(".")[0]
    return "" if find_spec(package) else f"the network '{network.builder}' needs {package} (not installed there)"
