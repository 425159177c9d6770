"""A cluster that is none: what its nodes say of each attempt is written down beforehand."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from support import make_stripes, trial_spec_of

import fbench.data
from fbench.benchmark.clusters.connection import Node
from fbench.benchmark.clusters.options import ClusterOptions
from fbench.benchmark.clusters.parcel import Message, Parcel
from fbench.benchmark.clusters.versions import versions_here
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.references import parse_reference
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.specs import TrialSpec, data_spec
from fbench.benchmark.runs.driver import keep
from fbench.benchmark.runs.executors import failed_record
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.trial_result import TrialResult

NODES = (Node("a" * 8, "one (10.0.0.1)", "10.0.0.1", 1.0, 0.0), Node("b" * 8, "two (10.0.0.2)", "10.0.0.2", 1.0, 0.0))
BEGINS = Message({"begins": NODES[0].node_id, "node": NODES[0].name})
BEGINS_ELSEWHERE = Message({"begins": NODES[1].node_id, "node": NODES[1].name})


def specs_in(folder: Path, seeds: int = 2, evaluations: int = 2, passes: int = 96) -> list[TrialSpec]:
    """Small trials on stripes that lie in a file."""
    stripes = make_stripes()
    given = {"split": stripes.split, "class_names": stripes.class_names, "file": folder / "stripes.npz"}
    reference = parse_reference(fbench.data.from_arrays(stripes.images, stripes.labels, name="stripes", **given))
    data = data_spec(reference, load_dataset(reference))
    budget = Budget(image_passes=passes, evaluation_points=evaluations, batch_size=24)
    found = [trial_spec_of(stripes, "lenet5", seed, budget) for seed in range(seeds)]
    return [spec.model_copy(update={"data": data}) for spec in found]


def answer_of(spec: TrialSpec, folder: Path, *, may_pass: bool = False) -> Message:
    """How an attempt ends whose trial failed."""
    place = RunFolder(folder)
    keep(place, TrialResult(failed_record(spec, "its network raised ValueError: no")))
    files = {file.name: file.read_bytes() for file in place.trial_folder(spec.trial_id).iterdir()}
    return Message({"done": spec.trial_id, "answer": {"test_readings": 0, "may_pass": may_pass}}, files)


def checkpoint_of(spec: TrialSpec, content: bytes) -> Message:
    return Message({"checkpoint": spec.trial_id, "steps": 3}, {"checkpoint": content})


@dataclass(eq=False)
class Begun:
    """An attempt: with what it was begun, and what it is still to say."""

    parcel: Parcel
    checkpoint: bytes
    avoided: frozenset[str]
    says: deque[Message | Exception]


@dataclass
class Pretended:
    """In the place of a connection; ``says`` has what each attempt of a trial says, in their order."""

    says: Mapping[str, Sequence[Sequence[Message | Exception]]]
    of_nodes: tuple[Node, ...] = NODES
    of_versions: Mapping[str, Mapping[str, str]] | None = None
    flag: str = "flag"
    stopped_says: Mapping[str, Sequence[Message]] = field(default_factory=dict)
    begun: list[Begun] = field(default_factory=list)
    given_up: list[Begun] = field(default_factory=list)
    lent: list[npt.NDArray[np.uint8]] = field(default_factory=list)
    is_open: bool = False

    @contextmanager
    def connected(self, options: ClusterOptions, gpus: float) -> Iterator[Any]:
        self.is_open = True
        yield self
        self.is_open = False

    def nodes(self) -> list[Node]:
        return list(self.of_nodes)

    def versions(self, nodes: Sequence[Node]) -> Mapping[str, Mapping[str, str]]:
        return self.of_versions or {node.node_id: versions_here() for node in nodes}

    def put(self, content: npt.NDArray[np.uint8]) -> object:
        self.lent.append(content)
        return object()

    def begin(self, parcel: str, data: object, checkpoint: bytes, avoided: Collection[str]) -> Begun:
        sent = Parcel.from_text(parcel)
        before = sum(one.parcel.spec.trial_id == sent.spec.trial_id for one in self.begun)
        says = self.says.get(sent.spec.trial_id, [])
        self.begun.append(
            Begun(sent, checkpoint, frozenset(avoided), deque(says[before] if before < len(says) else []))
        )
        return self.begun[-1]

    def heard(self, attempts: Sequence[Begun], limit_s: float) -> list[Begun]:
        return [one for one in attempts if one.says]

    def next_message(self, attempt: Begun) -> Message:
        said = attempt.says.popleft()
        if isinstance(said, Exception):
            raise said
        return Message.from_bytes(said.to_bytes())

    def give_up(self, attempt: Begun) -> None:
        self.given_up.append(attempt)

    def ask_to_stop(self) -> None:
        for one in self.begun:
            one.says.extend(self.stopped_says.get(one.parcel.spec.trial_id, ()))

    def own_folders(self) -> tuple[str, ...]:
        return ()
