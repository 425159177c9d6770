"""Run folders made up for tests of reports: consistent records, no training, no torch."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import SplitName
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.cost_records import CostRecord, MemoryReading, TimingSeries
from fbench.benchmark.records.cost_specs import LATENCY, THROUGHPUT, TRAINING, CostPlan, CostSpec
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.records.predictions import Predictions, SplitClusters, SplitPredictions
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.records.search_records import SearchRecord, SearchTrial
from fbench.benchmark.records.specs import DataSpec, NetworkSpec, TrialSpec
from fbench.benchmark.records.trial_records import (
    CounterReading,
    HistoryRow,
    PlannedTrial,
    RunConfig,
    Seeds,
    SplitMeasures,
    StaticCost,
    TargetTime,
    TrialRecord,
    TrialTimes,
)
from fbench.benchmark.records.tuning import Candidate
from fbench.benchmark.runs.searches import Search, resolved
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.benchmark.store.search_files import write_search
from fbench.benchmark.store.trial_result import TrialResult
from fbench.core.machine import Machine
from fbench.statistics.classification import measure

CLASSES = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
MACHINE = Machine(
    processor="Example CPU @ 2.00GHz",
    logical_cores=4,
    usable_cores=2,
    memory_gib=16.0,
    accelerator=None,
    system="Linux 6.1 x86_64",
    python="3.11.9",
    versions={"fbench": "0.1.0", "torch": "2.13.0"},
    git_revision="0123456789abcdef0123456789abcdef01234567",
    git_dirty=False,
)


@dataclass(frozen=True)
class Recipe:
    """What to make up; ``accuracy`` (fraction) by network is the chance that an image is classified correctly."""

    accuracy: Mapping[str, float] = field(default_factory=lambda: {"ires": 0.62, "ires_no_se": 0.48, "ires_relu": 0.61})
    seeds: Sequence[int] = (0, 1, 2)
    images: int = 400
    classes: Sequence[str] = CLASSES
    studies: Sequence[dict[str, Any]] = (
        {
            "name": "squeeze_excite",
            "title": "Squeeze and excitation",
            "question": "Does SE help?",
            "baseline": "ires",
            "levels": ("ires", "ires_no_se"),
            "note": "The SE variant has more parameters.",
        },
        {
            "name": "activation",
            "title": "Activation",
            "question": "Does h_swish help?",
            "baseline": "ires",
            "levels": ("ires", "ires_relu"),
        },
    )
    data: Sequence[str] = ("fer2013",)
    synthetic: bool = False
    selection: Literal["validation", "test", "last"] = "validation"
    test: Literal["once", "none"] = "once"
    failed: Sequence[tuple[str, int]] = ()
    missing: Sequence[tuple[str, int]] = ()
    with_cost: bool = True
    epochs: int = 4
    training_lead: float = 0.02  # of training top-1, more by each evaluation
    collapsed: Sequence[str] = ()  # networks that name the fourth class whatever the image
    collapsed_trials: Sequence[tuple[str, int]] = ()  # trainings that do so
    avoids_first_class: Sequence[str] = ()  # networks that name the second class instead
    equal_classes: bool = False  # as many images of each class, but for one
    tuning: Literal["none", "once", "per_seed"] = "none"  # settings of a search: half the rate
    kept_default: Sequence[str] = ()  # networks that keep the default
    images_of_subject: int = 0  # consecutive ones, as easy as each other; 0: nothing is known of subjects


_FILES: dict[str, dict[str, bytes]] = {}
"""The files of each recipe that was made before in this process: many tests begin with the same run and change it."""


def fabricate_run(folder: Path, recipe: Recipe | None = None) -> RunTable:
    """Write a run of made-up records to ``folder`` and load it."""
    recipe = recipe or Recipe()
    known = _FILES.get(repr(recipe))
    if known is None or folder.exists():
        _write_run(folder, recipe)
        found = (file for file in folder.rglob("*") if file.is_file())
        _FILES.setdefault(repr(recipe), {str(file.relative_to(folder)): file.read_bytes() for file in found})
    else:
        for name, content in known.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    return load_run(folder)


def _write_run(folder: Path, recipe: Recipe) -> None:
    run = RunFolder(folder)
    run.create(_config(recipe))
    planned = []
    for data in recipe.data:
        for network in recipe.accuracy:
            for seed in recipe.seeds:
                spec = _spec(recipe, network, data, seed)
                planned.append(PlannedTrial(network=network, data=data, seed=seed, trial_id=spec.trial_id))
                if recipe.tuning != "none":
                    write_search(run.searching, _search(recipe, spec))
                if (network, seed) not in recipe.missing:
                    _write_trial(run, recipe, spec)
    run.extend_plan(planned)
    if recipe.with_cost:
        run.write_cost(_cost(recipe))
    run.write_test_readings(
        [
            '{"split": "test", "rows": 400, "trial_id": "x", "network": "ires", "seed": 0, '
            '"selected_on": "validation", "time": "2026-01-02T03:04:05+00:00"}'
        ]
    )


_TRIALS: dict[tuple[str, str], dict[str, bytes]] = {}
"""The files of each trial that was made before in this process: runs differ in their studies, or in one network."""


def _write_trial(run: RunFolder, recipe: Recipe, spec: TrialSpec) -> None:
    key = repr(_about_one(recipe, spec.network.name, spec.seed)), spec.model_dump_json()
    folder = run.trial_folder(spec.trial_id)
    if key in _TRIALS and not folder.exists():
        folder.mkdir(parents=True)
        for name, content in _TRIALS[key].items():
            (folder / name).write_bytes(content)
        return
    run.write_trial(_result(recipe, spec))
    _TRIALS[key] = {file.name: file.read_bytes() for file in folder.iterdir()}


def _about_one(recipe: Recipe, network: str, seed: int) -> Recipe:
    """What a recipe says of one trial."""

    def of_network(names: Sequence[str]) -> tuple[str, ...]:
        return (network,) if network in names else ()

    def of_trial(trials: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
        return ((network, seed),) if (network, seed) in trials else ()

    return replace(
        recipe,
        accuracy={network: recipe.accuracy[network]},
        seeds=(),
        studies=(),
        data=(),
        missing=(),
        with_cost=False,
        failed=of_trial(recipe.failed),
        collapsed_trials=of_trial(recipe.collapsed_trials),
        collapsed=of_network(recipe.collapsed),
        avoids_first_class=of_network(recipe.avoids_first_class),
        kept_default=of_network(recipe.kept_default),
    )


def network_spec(name: str) -> NetworkSpec:
    return NetworkSpec(
        name=name,
        builder=name.split("_")[0],
        options={"image_size": 48, "in_channels": 1, "num_classes": 7, "variant": name},
        digest=f"{hash_of(name):08x}" * 8,
    )


def hash_of(text: str) -> int:
    """A number that is the same in every process, which Python's own hash is not."""
    return int.from_bytes(text.encode()[-8:], "big") * 7919 % 2**32


shipped = functools.cache(load_protocol)
"""Protocols by name, each read once."""


def protocol(recipe: Recipe) -> Protocol:
    changes: dict[str, Any] = {"selection": recipe.selection, "test": recipe.test}
    if recipe.tuning == "none":
        return shipped("fbench").model_copy(update=changes)
    tuned = shipped("fbench_tuned")
    assert tuned.tuning is not None
    return tuned.model_copy(update=changes | {"tuning": tuned.tuning.model_copy(update={"mode": recipe.tuning})})


def data_spec(recipe: Recipe, name: str) -> DataSpec:
    return DataSpec(
        name=name,
        path=f"/home/someone/private/{name}.csv",
        fingerprint=f"{hash_of(name):064x}",
        class_names=tuple(recipe.classes),
        images_by_split={"train": 2000, "validation": recipe.images, "test": recipe.images},
        image_shape=(1, 48, 48),
        may_show_images=False,
        synthetic=recipe.synthetic,
        description="made up for a test",
    )


def _config(recipe: Recipe) -> RunConfig:
    return RunConfig(
        name="example",
        suite={"name": "example", "title": "An example", "studies": list(recipe.studies), "variants": {}},
        protocol=protocol(recipe),
        preset="standard",
        budget=Budget(epochs=recipe.epochs),
        data=tuple(data_spec(recipe, name) for name in recipe.data),
        numerics=choose_numerics("cpu"),
        created_at="2026-01-02T03:04:05+00:00",
        fbench_version="0.1.0",
    )


def _chosen(recipe: Recipe, network: str) -> Candidate:
    return Candidate(rate=1.0 if network in recipe.kept_default else 0.5, strength="default")


def _spec(recipe: Recipe, network: str, data: str, seed: int) -> TrialSpec:
    spec = TrialSpec(
        network=network_spec(network),
        data=data_spec(recipe, data),
        protocol=protocol(recipe),
        budget=Budget(epochs=recipe.epochs),
        seed=seed,
        numerics=choose_numerics("cpu"),
    )
    return spec if recipe.tuning == "none" else resolved(spec, _chosen(recipe, network))


def _search(recipe: Recipe, spec: TrialSpec) -> SearchRecord:
    """Twelve candidates, of which half the rate is best by far or by little, and two at the end."""
    search, name = Search.of(spec), spec.network.name
    chosen, default = _chosen(recipe, name), search.tuning.default
    challenger = Candidate(rate=0.5, strength="default")
    lead = 0.004 if chosen == default else 0.03
    rounds = [(0, one) for one in search.tuning.candidates] + [(1, default), (1, challenger)]
    return SearchRecord(
        search_id=search.search_id,
        network=name,
        network_digest=spec.network.digest,
        data=spec.data.name,
        search=search.number,
        chosen=chosen,
        challenger=challenger,
        difference=lead,
        standard_error=0.008,
        numerics=spec.numerics,
        fbench_version="0.1.0",
        finished_at="2026-01-02T03:04:05+00:00",
        trials=tuple(
            SearchTrial(
                rung=rung,
                rate=one.rate,
                strength=one.strength,
                seed=1_000_000 + search.number,
                top1=0.3 + 0.1 * rung + (lead if one == challenger else -0.01 * (one != default)),
                loss=1.5,
                image_passes=960 if rung == 0 else 7680,
                time_s=20.0,
                trial_id=f"{rung}{one.rate:g}{one.strength}",
            )
            for rung, one in rounds
        ),
    )


def _result(recipe: Recipe, spec: TrialSpec) -> TrialResult:
    name, seed = spec.network.name, spec.seed
    common: dict[str, Any] = {
        "trial_id": spec.trial_id,
        "spec": spec,
        "seeds": Seeds(initialisation=seed, order=seed + 100, augmentation=seed + 200),
        "machine": MACHINE,
        "started_at": "2026-01-02T03:04:05+00:00",
        "finished_at": "2026-01-02T03:14:05+00:00",
    }
    if (name, seed) in recipe.failed:
        record = TrialRecord(status="failed", failure_reason="the loss became NaN at step 17", **common)
        return TrialResult(record=record)
    predictions = _predictions(recipe, spec)
    measures = {split: _measures(part) for split, part in predictions.items()}
    record = TrialRecord(
        status="finished",
        steps=60,
        steps_done=60,
        batch_size=128,
        images_seen=7680,
        chosen_step=45,
        chosen_epoch=3.0,
        selected_on=recipe.selection,
        validation=measures["validation"],
        test=measures.get("test"),
        times=TrialTimes(
            train_time_s=100.0 + 3 * seed,
            data_time_s=5.0,
            step_time_s=90.0,
            evaluation_time_s=5.0,
            total_time_s=110.0,
            train_time_per_epoch_s=25.0,
            concurrent_trials=2,
        ),
        targets=(TargetTime(target_top1=0.5, train_time_s=40.0, image_passes=3000),),
        trainable_params=static_cost(name).trainable_params,
        total_params_keras=static_cost(name).total_params_keras,
        macs=static_cost(name).macs,
        **common,
    )
    return TrialResult(record=record, history=_history(recipe, spec), predictions=predictions)


def _predictions(recipe: Recipe, spec: TrialSpec) -> Predictions:
    splits: tuple[SplitName, ...] = ("validation",) if recipe.test == "none" else ("validation", "test")
    return {split: _split_predictions(recipe, spec, split) for split in splits}


def _split_predictions(recipe: Recipe, spec: TrialSpec, split: SplitName) -> SplitPredictions:
    """Images have a difficulty that all networks share, so that errors are correlated as in life."""
    shared = np.random.default_rng([7, len(split)])
    own = np.random.default_rng([hash_of(spec.network.name), spec.seed, len(split)])
    count, classes = recipe.images, len(recipe.classes)
    labels = shared.integers(0, classes, count)
    if recipe.equal_classes:
        labels = np.arange(count) % classes
    difficulty = shared.uniform(-0.3, 0.3, count)
    subjects = np.arange(count) // recipe.images_of_subject if recipe.images_of_subject else None
    if subjects is not None:
        difficulty = difficulty[subjects]
    wanted = recipe.accuracy[spec.network.name] + 0.01 * (spec.seed % 3 - 1)
    correct = own.uniform(size=count) < np.clip(wanted + difficulty, 0.02, 0.98)
    wrong = (labels + own.integers(1, max(classes, 2), count)) % classes
    predicted = np.where(correct, labels, wrong)
    if spec.network.name in recipe.avoids_first_class:
        predicted = np.maximum(predicted, 1)
    if spec.network.name in recipe.collapsed or (spec.network.name, spec.seed) in recipe.collapsed_trials:
        predicted = np.full(count, 3)
    logits = own.normal(size=(count, classes))
    logits[np.arange(count), predicted] += 6.0
    return SplitPredictions(
        predicted=predicted,
        labels=labels,
        logits=logits.astype(np.float16),
        sample_ids=np.array([f"row {i}" for i in range(count)]),
        clusters=None if subjects is None else SplitClusters("subjects", subjects),
    )


def _measures(part: SplitPredictions) -> SplitMeasures:
    logits: npt.NDArray[np.float16] = part.logits if part.logits is not None else np.zeros((0, 0), np.float16)
    found = measure(part.labels, part.predicted, logits)
    return SplitMeasures(
        images=part.labels.size,
        top1=found.top1,
        balanced_accuracy=found.balanced_accuracy,
        macro_f1=found.macro_f1,
        recall_by_class=tuple(None if np.isnan(r) else r for r in found.per_class_recall),
        loss=found.log_loss,
        expected_calibration_error=found.expected_calibration_error,
    )


def _history(recipe: Recipe, spec: TrialSpec) -> tuple[HistoryRow, ...]:
    own = np.random.default_rng([hash_of(spec.network.name), spec.seed])
    rows = []
    for k in range(1, 5):
        share = recipe.accuracy[spec.network.name] * (1 - 0.6**k)
        rows.append(
            HistoryRow(
                evaluation=k,
                step=15 * k,
                epoch=float(k),
                images_seen=1920 * k,
                learning_rate=0.004 / k,
                train_loss=1.9 - share - 0.05 * k,
                train_top1=min(1.0, share + recipe.training_lead * k),
                validation_loss=1.9 - share + 0.03 * own.normal(),
                validation_top1=float(np.clip(share + 0.02 * own.normal(), 0, 1)),
                data_time_s=1.0,
                step_time_s=20.0,
                evaluation_time_s=1.0,
                train_time_s=25.0 * k,
            )
        )
    return tuple(rows)


def static_cost(name: str) -> StaticCost:
    params = 50_000 + hash_of(name) % 1_000_000
    macs = 2_000_000 + hash_of(name) % 30_000_000
    return StaticCost(
        trainable_params=params,
        bn_running_stats=2_256,
        total_params_keras=params + 2_256,
        macs=macs,
        elementwise_ops=400_000,
        elementwise_ops_by_kind={"hard_swish": 300_000, "add": 100_000},
        counters=(
            CounterReading(counter="fvcore", macs=macs + 350_000, counted="batch norm and pooling too"),
            CounterReading(counter="ptflops", macs=macs, counted="convolution and linear"),
            CounterReading(counter="torch", macs=None, counted="", error="not available"),
        ),
        test_time_passes=1,
    )


def latency_ms(name: str) -> float:
    """The latency of every fabricated call at batch 1, in milliseconds, before the block's jitter."""
    return 1.0 + hash_of(name) % 500 / 100


def _cost(recipe: Recipe) -> CostRecord:
    names = list(recipe.accuracy)
    spec = CostSpec(
        networks=tuple(network_spec(name) for name in names), numerics=choose_numerics("cpu"), plan=CostPlan()
    )
    scales = {LATENCY: 1e-3, THROUGHPUT: 20e-3, TRAINING: 60e-3}
    series = tuple(
        TimingSeries(
            network=name,
            setting=setting,
            batch_size=setting.batch_size or 64,
            threads=1,
            blocks=tuple(range(12)),
            turns=(0,) * 12,
            orders=(order,) * 12,
            times_s=tuple(latency_ms(name) * scale * (1 + 0.01 * block) for block in range(12)),
            warmup_calls=10,
            warm=True,
        )
        for order, name in enumerate(names)
        for setting, scale in scales.items()
    )
    return CostRecord(
        cost_id=spec.cost_id,
        spec=spec,
        machine=MACHINE,
        started_at="2026-01-02T04:04:05+00:00",
        finished_at="2026-01-02T04:06:05+00:00",
        static={name: static_cost(name) for name in names},
        before=None,
        after=None,
        series=series,
        memory=tuple(
            MemoryReading(
                network=name,
                mode="inference",
                batch_size=1,
                peak_memory_mib=12.5,
                method="resident-set growth",
            )
            for name in names
        ),
    )
