"""What follows from the records of a run: the facts that a bundle states, and that whoever checks it computes anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from fbench.benchmark.bundles.submission import BundledData, BundledMachine, BundledNetwork, BundleFacts, MissingTrial
from fbench.benchmark.records.trial_records import RunConfig, TrialRecord
from fbench.benchmark.store.run_table import RunTable
from fbench.core.hashing import short_hash


def facts_of(run: RunTable, files: Collection[str]) -> BundleFacts:
    """The facts of a run; ``files`` are the names of those that its bundle has."""
    records = planned_records(run)
    audits = {data.name: run.audits.get(data.name) for data in run.config.data}
    return BundleFacts(
        configuration=configuration_of(run.config),
        trials=len(records),
        networks=tuple(_networks(records, files)),
        data=tuple(
            BundledData(
                name=data.name,
                fingerprint=data.fingerprint,
                audit=None if (audit := audits[data.name]) is None else audit.data_fingerprint,
            )
            for data in run.config.data
        ),
        machines=tuple(_machines(records)),
    )


def planned_records(run: RunTable) -> list[TrialRecord]:
    """The records of the finished trials of a run's plan, each once, in its order."""
    ids = dict.fromkeys(row.trial_id for row in run.plan if row.trial_id in run.trials)
    return [record for record in run.each(ids) if record.status == "finished"]


def missing_trials(run: RunTable) -> tuple[MissingTrial, ...]:
    """The planned trials of a run without a result, in the order of its plan."""
    return tuple(
        MissingTrial(
            network=row.network,
            data=row.data,
            seed=row.seed,
            status="failed" if row.trial_id in run.trials else "not run",
        )
        for row in run.plan
        if row.trial_id not in run.trials or not run.facts(row.trial_id).finished
    )


def configuration_of(config: RunConfig) -> str:
    """16 hexadecimal digits of a run's configuration, which neither its name nor its day changes."""
    return short_hash(config.model_dump(mode="json", exclude={"name", "created_at"}, exclude_defaults=True))


def _networks(records: Iterable[TrialRecord], files: Collection[str]) -> Iterable[BundledNetwork]:
    by_network: dict[tuple[str, str], list[TrialRecord]] = {}
    for record in records:
        by_network.setdefault((record.spec.network.name, record.spec.network.digest), []).append(record)
    for (name, digest), of_network in by_network.items():
        first = of_network[0]
        network = first.spec.network
        yield BundledNetwork(
            name=name,
            builder=network.builder,
            digest=digest,
            code="fbench" if network.source_sha256 is None else "user",
            has_sources=network.plugin_file in files,
            trainable_params=first.trainable_params,
            total_params_keras=first.total_params_keras,
            macs=first.macs,
            trials=len(of_network),
        )


def _machines(records: Iterable[TrialRecord]) -> Iterable[BundledMachine]:
    kinds = Counter(
        (
            machine.processor,
            machine.accelerator,
            machine.system,
            machine.python,
            machine.versions.get("fbench", ""),
            machine.versions.get("torch", ""),
        )
        for machine in (record.machine for record in records)
    )
    for (processor, accelerator, system, python, fbench, torch), trials in kinds.items():
        yield BundledMachine(
            processor=processor,
            accelerator=accelerator,
            system=system,
            python=python,
            fbench=fbench,
            torch=torch,
            trials=trials,
        )
