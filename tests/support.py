"""Small data sets and specifications that several tests need."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fbench.ablations.suite import Suite, Variant, adhoc_suite
from fbench.architectures.registry import loaded_names
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.events import Ended, Event, Listen, ignore
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.records.specs import DataSpec, NetworkSpec, TrialSpec, data_spec
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.runs.driver import run_trials
from fbench.benchmark.runs.executors import WorkerContext
from fbench.benchmark.runs.local_executor import LocalExecutor
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.workers import questions
from fbench.benchmark.workers.asking import UsersNetworks
from fbench.benchmark.workers.questions import Question, Subject


def make_stripes(counts: tuple[int, int, int] = (96, 30, 30), seed: int = 0, size: int = 16) -> ImageDataset:
    """The stripes of a seed: learnable in a few steps, not perfectly."""
    generator = np.random.default_rng(seed)
    total = sum(counts)
    labels = np.arange(total) % 3
    rows, columns = np.mgrid[0:size, 0:size]
    waves = np.stack([np.sin(rows * 0.9), np.sin(columns * 0.9), np.sin((rows + columns) * 0.9)])
    images = 128 + 50 * waves[labels] + generator.normal(0, 60, (total, size, size))
    return ImageDataset(
        name="stripes",
        images=np.clip(images, 0, 255).astype(np.uint8)[:, None],
        labels=labels.astype(np.uint8),
        split=np.repeat(np.arange(3), counts).astype(np.uint8),
        sample_ids=np.array([f"stripes:{row}" for row in range(total)]),
        class_names=("horizontal", "vertical", "diagonal"),
        may_show_images=True,
        synthetic=True,
        description="striped test images",
    )


def use_stripes(patch: pytest.MonkeyPatch) -> None:
    """Runs that are planned and trained read the stripes, whatever data set is asked for."""
    from fbench.benchmark.data import loaded

    stripes = make_stripes()
    patch.setattr("fbench.benchmark.runs.planning.load_dataset", lambda reference: stripes)
    patch.setattr(loaded, "_load_once", lambda reference: stripes)


def data_spec_of(dataset: ImageDataset) -> DataSpec:
    """The specification of a data set in memory."""
    return data_spec(DataReference(name=dataset.name), dataset)


def two_lenets() -> Suite:
    """LeNet-5 against itself with fewer units: the least that a run can compare, resolved and trained in a seventh of
    the time of ``ires``."""
    plain = adhoc_suite(["lenet5", "narrow"], against="narrow")
    narrow = Variant(base="lenet5", options={"dense_widths": [60, 40]})
    return Suite.model_validate(plain.model_dump() | {"variants": {"narrow": narrow.model_dump()}})


def network_spec_of(architecture: str, dataset: ImageDataset, **options: object) -> NetworkSpec:
    """A registered architecture, resolved for a data set in memory; one of fbench's own once in a process."""
    data = data_spec_of(dataset)
    if architecture in loaded_names(built_in=True):
        return _own_network(architecture, data.model_dump_json(), json.dumps(options))
    return _resolved(architecture, data, options)


@cache
def _own_network(architecture: str, data: str, options: str) -> NetworkSpec:
    return _resolved(architecture, DataSpec.model_validate_json(data), json.loads(options))


def _resolved(architecture: str, data: DataSpec, options: dict[str, object]) -> NetworkSpec:
    from fbench.benchmark.training.networks import network_spec

    return network_spec(architecture, architecture, options, data)


def trial_spec_of(
    dataset: ImageDataset,
    architecture: str = "ires",
    seed: int = 0,
    budget: Budget | None = None,
    **protocol: object,
) -> TrialSpec:
    """A small trial on a data set in memory; keywords change fields of the default protocol."""
    base = load_protocol("fbench")
    return TrialSpec(
        network=network_spec_of(architecture, dataset),
        data=data_spec_of(dataset),
        protocol=base.model_validate(base.model_dump() | protocol),
        budget=budget or Budget(image_passes=96, evaluation_points=2, batch_size=24),
        seed=seed,
        numerics=choose_numerics("cpu"),
    )


def run_here(specs: Sequence[TrialSpec], folder: Path, listen: Listen = ignore) -> None:
    """Run trials in this process and write them into the run folder."""
    run_trials(LocalExecutor(WorkerContext(folder / "scratch")), specs, RunFolder(folder), listen)


@contextmanager
def registry_as_before() -> Iterator[None]:
    """What is registered inside is forgotten afterwards."""
    from fbench.architectures import registry

    registry.create("lenet5")  # all built-in networks are registered from here on
    builders, entries = dict(registry._REGISTRY.builders), dict(registry._REGISTRY.entries)
    try:
        yield
    finally:
        registry._REGISTRY.builders, registry._REGISTRY.entries = builders, entries


class Heard:
    """Keeps the records of trials that ended."""

    def __init__(self) -> None:
        self.records: list[TrialRecord] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, Ended):
            self.records.append(event.record)


def ask_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Users' networks answer in this process, through the same JSON: for tests of what is answered alone.

    What plug-ins register stays registered, as in a session.
    """

    def elsewhere(users: UsersNetworks, asked: Question[Any], subject: Subject | None) -> Any:
        parent: Any = SimpleNamespace(tell=users._hear)
        about = None if subject is None else subject.to_json()
        given = json.loads(json.dumps([asked.to_json(), users._plugins, about, str(users.scratch)]))
        before = tempfile.tempdir
        try:
            found = json.loads(json.dumps(questions.answer(parent, *given)))
        finally:
            tempfile.tempdir = before
        return asked.answer_from_json(found)

    monkeypatch.setattr(UsersNetworks, "_elsewhere", elsewhere)
