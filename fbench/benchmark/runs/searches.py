"""A search for a network's settings: its identity, its trials rung by rung, and what it chooses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from fbench.benchmark.records.budget import Budget, budget_share
from fbench.benchmark.records.candidates import with_candidate, without_words
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.predictions import SplitPredictions
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.search_records import SearchRecord, SearchTrial
from fbench.benchmark.records.specs import DataSpec, NetworkSpec, TrialSpec
from fbench.benchmark.records.trial_records import TrialRecord
from fbench.benchmark.records.tuning import Candidate, Tuning
from fbench.benchmark.store.run_folder import RunFolder
from fbench.core.errors import UserError
from fbench.core.hashing import short_hash
from fbench.core.machine import package_version
from fbench.statistics.clusters import clusters_of
from fbench.statistics.estimands import new_images
from fbench.statistics.halving import DEFAULT, Score, beats_default, ranked, survivors

Records = Mapping[str, TrialRecord]
"""Records of trials by their ids."""


@dataclass(frozen=True)
class Search:
    """The search of one network on one data set under a protocol with ``[tuning]`` and a budget.

    ``number`` is 0, or the seed of the trials that it is made for. Its seeds follow from the number alone, so equal
    networks see the same candidates in the same order with the same seeds, and choose equally.
    """

    network: NetworkSpec
    data: DataSpec
    protocol: Protocol
    budget: Budget
    numerics: Numerics
    number: int

    @classmethod
    def of(cls, spec: TrialSpec) -> Search:
        """The search that gave a trial its settings, or that it waits for.

        Raises:
            ValueError: its protocol has no ``[tuning]``, and had none.
        """
        protocol = spec.default_protocol or spec.protocol
        if protocol.tuning is None:
            raise ValueError(f"{spec.label} has no search.")
        number = protocol.tuning.search_of(spec.seed)
        return cls(spec.network, spec.data, protocol, spec.budget, spec.numerics, number)

    @property
    def tuning(self) -> Tuning:
        """What is tried."""
        if self.protocol.tuning is None:
            raise ValueError(f"Protocol '{self.protocol.name}' has no [tuning].")
        return self.protocol.tuning

    @property
    def search_id(self) -> str:
        """16 hexadecimal digits for network, data, protocol, budget and number of the search.

        Numerics are no part of it, nor is the name of the protocol, so that settings are found again wherever they fit;
        nor whether the search is made once or per seed, as that of number 0 is the same.
        """
        tuning = self.tuning.model_dump(mode="json", exclude={"mode"})
        settings = self.protocol.settings()
        kept = {key: value for key, value in settings.items() if key not in ("name", "version", "test", "tuning")}
        return short_hash(
            {
                "network_digest": self.network.digest,
                "data_fingerprint": self.data.fingerprint,
                "protocol": kept,
                "tuning": tuning,
                "budget": self.budget.model_dump(mode="json", exclude_defaults=True),
                "search": self.number,
            }
        )

    @property
    def label(self) -> str:
        """What a person calls it."""
        per_seed = f", seed {self.number}" if self.tuning.mode == "per_seed" else ""
        return f"{self.network.name} on {self.data.name}{per_seed}"

    def trial(self, rung: int, candidate: Candidate, seed: int) -> TrialSpec:
        """One training of the search; it never reads the test split."""
        share = self.tuning.rungs[rung].share
        return TrialSpec(
            network=self.network,
            data=self.data,
            protocol=with_candidate(self.protocol, candidate).model_copy(update={"test": "none"}),
            budget=budget_share(self.protocol, self.budget, self.data.images_by_split["train"], share),
            seed=seed,
            numerics=self.numerics,
        )

    def rung_trials(self, rung: int, entering: Sequence[int]) -> list[TrialSpec]:
        """The trials of a rung, for the candidates that enter it by their place among all."""
        seeds = self.tuning.seeds(rung, self.number)
        candidates = self.tuning.candidates
        return [self.trial(rung, candidates[place], seed) for place in entering for seed in seeds]

    def course(self, records: Records) -> list[tuple[int, ...]]:
        """The candidates that enter each rung, by place, as ``records`` decide: one rung more than is done."""
        entering: list[tuple[int, ...]] = [tuple(range(len(self.tuning.candidates)))]
        for rung, one in enumerate(self.tuning.rungs[:-1]):
            scores = self.scores(rung, entering[-1], records)
            if scores is None:
                break
            entering.append(survivors(scores, one.keep))
        return entering

    def scores(self, rung: int, entering: Sequence[int], records: Records) -> dict[int, Score | None] | None:
        """Accuracy and, for ties, the loss with its sign changed, on the validation split, means over the seeds of each
        candidate that entered a rung; none for one that failed, none for all while a trial lacks its record."""
        found: dict[int, Score | None] = {}
        for place in entering:
            of_seeds = [records.get(spec.trial_id) for spec in self.rung_trials(rung, [place])]
            done = [record for record in of_seeds if record is not None]
            if len(done) < len(of_seeds):
                return None
            measures = [(one.validation.top1, -one.validation.loss) for one in done if one.validation is not None]
            means = tuple(float(mean) for mean in np.mean(measures or [(0.0, 0.0)], axis=0))
            found[place] = means if len(measures) == len(of_seeds) else None
        return found

    def missing(self, records: Records) -> list[TrialSpec]:
        """The trials that are to be run next: those of the first rung that is not done, without those that are."""
        course = self.course(records)
        specs = self.rung_trials(len(course) - 1, course[-1])
        return [spec for spec in specs if spec.trial_id not in records]


def conclude(search: Search, folder: RunFolder, records: Records) -> SearchRecord:
    """What a search chooses whose trials are all done, with every number it rests on.

    The challenger is the best of the last rung beside the default. It is chosen if it is ahead of the default by more
    than one standard error of the paired difference on the validation split, for new images and, where the rung has
    several seeds, new seeds; or if the default failed.

    Raises:
        ValueError: a trial has no record yet.
    """
    tuning, course = search.tuning, search.course(records)
    last = len(tuning.rungs) - 1
    scores = search.scores(last, course[-1], records) if len(course) == len(tuning.rungs) else None
    if scores is None:
        raise ValueError(f"The search of {search.label} is not finished.")
    order = ranked(scores)
    challenger = tuning.candidates[order[0]] if order else None
    chosen, difference, standard_error = tuning.default, None, None
    if challenger is not None and scores[DEFAULT] is None:
        chosen = challenger
    elif challenger is not None:
        difference, standard_error = _difference(search, folder, course[-1], order[0])
        chosen = challenger if beats_default(difference, standard_error) else tuning.default
    return SearchRecord(
        search_id=search.search_id,
        network=search.network.name,
        network_digest=search.network.digest,
        data=search.data.name,
        search=search.number,
        chosen=chosen,
        challenger=challenger,
        difference=difference,
        standard_error=standard_error,
        numerics=search.numerics,
        fbench_version=package_version("fbench"),
        finished_at=datetime.now(UTC).isoformat(timespec="seconds"),
        trials=tuple(_trials(search, course, records)),
    )


def resolved(spec: TrialSpec, chosen: Candidate) -> TrialSpec:
    """A trial with the settings that its search chose, and the protocol they come from."""
    protocol = with_candidate(spec.protocol, chosen)
    return spec.model_copy(update={"protocol": protocol, "default_protocol": without_words(spec.protocol)})


def settled(known: Mapping[str, SearchRecord], spec: TrialSpec) -> TrialSpec:
    """A trial with the settings that its search chose, or as it is where it has none or the search is not done.

    Raises:
        UserError: a record was changed by hand: what it chose was no candidate.
    """
    if spec.protocol.tuning is None:
        return spec
    record = known.get(Search.of(spec).search_id)
    if record is None:
        return spec
    if record.chosen not in spec.protocol.tuning.candidates:
        raise UserError(
            f"Search '{record.search_id}' of {record.network} chose {record.chosen.rate:g} x the rate with "
            f"'{record.chosen.strength}' regularisation, which it did not try; restore its file or delete it."
        )
    return resolved(spec, record.chosen)


def waiting(specs: Iterable[TrialSpec]) -> list[Search]:
    """The searches that trials wait for, each once; equal networks share one."""
    found: dict[str, Search] = {}
    for spec in specs:
        if spec.protocol.tuning is not None:
            search = Search.of(spec)
            found.setdefault(search.search_id, search)
    return list(found.values())


def _difference(search: Search, folder: RunFolder, entering: Sequence[int], challenger: int) -> tuple[float, float]:
    """Challenger minus default on the validation split, and its standard error."""
    last = len(search.tuning.rungs) - 1

    def classes(place: int) -> list[SplitPredictions]:
        specs = search.rung_trials(last, [place])
        return [folder.predictions(spec.trial_id)["validation"] for spec in specs]

    ours, theirs = classes(challenger), classes(DEFAULT)
    rows = [a.correct.astype(np.int8) - b.correct.astype(np.int8) for a, b in zip(ours, theirs, strict=True)]
    kept = ours[0].clusters
    numbers = None if kept is None else kept.numbers.tolist()
    clusters = None if numbers is None or len(set(numbers)) < 2 else clusters_of(numbers)
    found = new_images(np.array(rows), clusters=clusters)
    return float(found.estimate), float(found.standard_error)


def _trials(search: Search, course: Sequence[Sequence[int]], records: Records) -> list[SearchTrial]:
    found = []
    for rung, entering in enumerate(course):
        for place in entering:
            candidate = search.tuning.candidates[place]
            for spec in search.rung_trials(rung, [place]):
                record = records[spec.trial_id]
                found.append(
                    SearchTrial(
                        rung=rung,
                        rate=candidate.rate,
                        strength=candidate.strength,
                        seed=spec.seed,
                        top1=record.validation.top1 if record.validation else None,
                        loss=record.validation.loss if record.validation else None,
                        image_passes=record.images_seen,
                        time_s=round(record.times.total_time_s, 1) if record.times else 0.0,
                        trial_id=spec.trial_id,
                    )
                )
    return found
