"""What bundles hold of each network, sorted by what must agree for trainings to be compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fbench.benchmark.bundles.findings import BundleCheck
from fbench.benchmark.bundles.submission import Repetition
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.core.errors import UserError
from fbench.core.hashing import short_hash
from fbench.reports.findings.comparisons.evidence import Evidence, NetworkEvidence, gather
from fbench.reports.findings.comparisons.folds import whole_data_sets
from fbench.reports.findings.comparisons.joining import joined
from fbench.reports.findings.leaderboard.model import Repeated
from fbench.reports.findings.leaderboard.words import code_words

Settings = Mapping[str, Any]


@dataclass(frozen=True)
class Held:
    """A network of one bundle on one data set."""

    check: BundleCheck
    evidence: Evidence
    network: NetworkEvidence

    @property
    def spec(self) -> TrialSpec:
        """Of its first trial."""
        return self.network.records[0].spec


@dataclass(frozen=True)
class Entry:
    """A network of a board, with all trainings that bundles hold of it."""

    held: tuple[Held, ...]
    trained: NetworkEvidence

    @property
    def name(self) -> str:
        """As the first bundle calls it."""
        return self.held[0].network.network

    @property
    def digest(self) -> str:
        """Of what its builder builds."""
        return self.held[0].spec.network.digest

    @property
    def bundles(self) -> tuple[str, ...]:
        """The names of the bundles."""
        return tuple(dict.fromkeys(one.check.name for one in self.held))

    @property
    def code(self) -> str:
        """Whose code it is."""
        submissions = [one.check.submission for one in self.held]
        rows = [row for one in submissions if one is not None for row in one.facts.networks]
        has_sources = any(row.has_sources for row in rows if row.digest == self.digest)
        return code_words(self.held[0].spec.network.source_sha256 is not None, has_sources=has_sources)

    @property
    def repeated(self) -> Repeated:
        """Trials that somebody repeated, or that two bundles hold with one result, as trained at other times."""
        ids = {record.trial_id for one in self.held for record in records_of(one.network)}
        found = repetitions_of({one.check.path: one.check for one in self.held}.values(), ids)
        trained: dict[str, list[TrialRecord]] = {}
        for one in self.held:
            for record in records_of(one.network):
                trained.setdefault(record.trial_id, []).append(record)
        twice = {trial_id for trial_id, records in trained.items() if _are_repetitions(records)}
        return counted(found, ids, twice)


def held_networks(checks: Iterable[BundleCheck]) -> Iterator[Held]:
    """Every network of every data set of every bundle; all folds of a data set are one.

    Raises:
        UserError: a bundle's run cannot be read.
    """
    for check in checks:
        if check.run is None:
            continue
        for evidence in whole_data_sets([gather(check.run, data) for data in check.run.config.data]):
            for network in evidence.networks.values():
                yield Held(check, evidence, network)


def settings_of(held: Held) -> Settings:
    """What trainings of one board have in common, by part: data, protocol, budget, numerics, PyTorch, and the rule for
    collapsed ones."""
    spec, config = held.spec, held.evidence.run.config
    protocol = spec.default_protocol or spec.protocol
    settings = protocol.settings()
    settings.pop("architecture_options", None)  # what a protocol asks of a network is in the network's identity
    return {
        "data": {"fingerprint": held.evidence.data.fingerprint, "split": held.evidence.split},
        "protocol": settings,
        "budget": spec.budget.model_dump(mode="json", exclude_defaults=True),
        "numerics": spec.numerics.model_dump(mode="json"),
        "PyTorch": {"version": held.network.records[0].machine.pytorch},
        "rule of collapsed trainings": config.protocol.collapse.model_dump(mode="json"),
    }


def by_settings(held: Iterable[Held]) -> list[list[Held]]:
    """Networks that may be compared, together."""
    groups: dict[str, list[Held]] = {}
    for one in held:
        groups.setdefault(short_hash(settings_of(one)), []).append(one)
    return list(groups.values())


def entries_of(group: Sequence[Held]) -> list[Entry]:
    """The networks of a board: those of one identity are one, of whatever bundle and name.

    Raises:
        UserError: two bundles have other labels of the same images.
    """
    _refuse_other_labels(group)
    known = next((one.evidence for one in group if one.evidence.clusters is not None), group[0].evidence)
    by_identity: dict[str, list[Held]] = {}
    for one in group:
        by_identity.setdefault(_identity(one.spec), []).append(one)
    found = []
    for of_one in by_identity.values():
        trained = of_one[0].network
        for more in of_one[1:]:
            trained = joined(trained, more.network)
        found.append(Entry(tuple(of_one), replace(trained, clusters=known.clusters, unit=known.unit)))
    return found


def labels_of(entries: Sequence[Entry]) -> list[str]:
    """What each network of a page is called: by its name, where another has that with its digest, and where that does
    not tell them apart with its bundles."""
    found = [entry.name for entry in entries]
    more = ([f" ({entry.digest[:7]})" for entry in entries], [f" of {', '.join(entry.bundles)}" for entry in entries])
    for endings in more:
        counts = {label: found.count(label) for label in found}
        found = [label + ending * (counts[label] > 1) for label, ending in zip(found, endings, strict=True)]
    return found


def records_of(network: NetworkEvidence) -> Iterator[TrialRecord]:
    """The records of its trainings, those of all folds."""
    for part in network.folds or (network,):
        yield from part.records


def _are_repetitions(records: Sequence[TrialRecord]) -> bool:
    """Whether records of one trial are of several trainings with one result."""
    first = records[0]
    same = all((one.test, one.validation) == (first.test, first.validation) for one in records)
    return same and len({one.started_at for one in records}) > 1


def repetitions_of(checks: Iterable[BundleCheck], trial_ids: Set[str]) -> list[Repetition]:
    """The repetitions of these trials in these bundles."""
    return [one for check in checks for one in check.repetitions if one.trial_id in trial_ids]


def counted(found: Sequence[Repetition], trial_ids: Set[str], twice: Set[str] = frozenset()) -> Repeated:
    """What repetitions say of these trials; ``twice`` are those that were trained again for another bundle."""
    other = {one.trial_id for one in found if not one.is_same}
    same = ({one.trial_id for one in found if one.is_same} | twice) - other
    return Repeated(len(trial_ids), len(same), len(other), tuple(dict.fromkeys(one.machine.processor for one in found)))


def _identity(spec: TrialSpec) -> str:
    """The same for trials that differ in nothing but their seeds; a search for each seed may choose for each."""
    network = {"builder": spec.network.builder, "options": spec.network.options, "digest": spec.network.digest}
    tuning = None if spec.default_protocol is None else spec.default_protocol.tuning
    own = tuning is not None and tuning.mode == "per_seed"
    return short_hash(network if own else network | {"protocol": spec.protocol.settings()})


def _refuse_other_labels(group: Sequence[Held]) -> None:
    first = group[0]
    for one in group[1:]:
        if not np.array_equal(first.evidence.labels, one.evidence.labels):
            raise UserError(
                f"{first.check.path} and {one.check.path} have other labels of the same images of "
                f"{one.evidence.data.name}; leave one of the two out."
            )
