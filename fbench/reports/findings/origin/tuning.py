"""Which settings each network was trained with where a search chose them: the choice, its curve and its cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fbench.benchmark.records.candidates import with_candidate
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.search_records import SearchRecord
from fbench.benchmark.records.tuning import Candidate, Tuning
from fbench.benchmark.runs.searches import Search
from fbench.benchmark.store.run_table import RunTable
from fbench.reports.formatting import count, listing, plural, points


@dataclass(frozen=True)
class Choice:
    """Settings that were chosen, and by how many of a network's searches.

    ``rate`` is a factor of the protocol's own, ``learning_rate`` the product.
    """

    rate: float
    strength: str
    learning_rate: float
    searches: int


@dataclass(frozen=True)
class Tried:
    """A candidate in a round, counted from 1: ``top1`` is its mean on the validation split over all searches, none
    where it failed in each; ``trainings`` how many it had."""

    candidate: Candidate
    round: int
    top1: float | None
    trainings: int


@dataclass(frozen=True)
class TunedNetwork:
    """The searches of one network.

    ``lead`` says how far the best candidate was ahead of the default at the end, of a single search. ``trials_worth``
    are its image passes in those of its trials. ``time_s`` are seconds of training, one after another.
    """

    network: str
    choices: tuple[Choice, ...]
    kept_default: int
    searches: int
    lead: str
    tried: tuple[Tried, ...]
    image_passes: int
    trials_worth: float
    time_s: float


@dataclass(frozen=True)
class TuningFindings:
    """Every network's search on one data set; ``per_seed`` says that each seed had its own."""

    words: str
    summary: str
    per_seed: bool
    networks: tuple[TunedNetwork, ...]


def tuning_findings(run: RunTable, data: str) -> TuningFindings | None:
    """What the searches of a run found on a data set; none where its protocol has none, or no trial has finished."""
    if (tuning := run.config.protocol.tuning) is None:
        return None
    rows = [row for name in run.networks if (row := _network(run, name, data, tuning)) is not None]
    if not rows:
        return None
    per_seed = tuning.mode == "per_seed"
    return TuningFindings(tuning_words(tuning), _summary(rows, tuning), per_seed=per_seed, networks=tuple(rows))


def tuning_words(tuning: Tuning) -> str:
    """What a search tries, in words."""
    rates = ", ".join(f"{rate:g}" for rate in tuning.rates)
    strengths = "; ".join(
        f"{one.name}: " + ("as the protocol" if one.changes_nothing else _factors(one.model_dump(exclude={"name"})))
        for one in tuning.strengths
    )
    rounds = ", then ".join(
        f"{entering} at {100 * rung.share:g} % of a trial’s image passes with {plural(rung.seeds, 'seed')}"
        for entering, rung in zip(tuning.entering, tuning.rungs, strict=True)
    )
    return (
        f"{len(tuning.candidates)} candidates: the learning rate times {rates}; regularisation {strengths}. {rounds}; "
        "the default always goes on, and stays unless beaten by more than one standard error"
    )


def given_settings(protocol: Protocol) -> str:
    """What intervals hold given, where a search's chance is not in them; else empty."""
    return "given these settings" if protocol.tuning is not None and protocol.tuning.mode == "once" else ""


def tuning_caution(protocol: Protocol) -> str:
    """What intervals leave out of the chance of a search; empty where nothing was tuned or they leave out nothing."""
    if not given_settings(protocol):
        return ""
    return (
        "Settings were searched once for each network: intervals and verdicts hold given these settings, without the "
        'chance of that search (mode = "per_seed" has it).'
    )


def _network(run: RunTable, network: str, data: str, tuning: Tuning) -> TunedNetwork | None:
    specs = [record.spec for record in run.records(network, data) if record.spec.default_protocol is not None]
    ids = list(dict.fromkeys(Search.of(spec).search_id for spec in specs))
    records = [run.searches[search_id] for search_id in ids if search_id in run.searches]
    if not records:
        return None
    chosen = Counter((record.chosen.rate, record.chosen.strength) for record in records)
    default = (tuning.default.rate, tuning.default.strength)
    protocol = specs[0].default_protocol
    passes = sum(record.image_passes for record in records)
    return TunedNetwork(
        network=network,
        choices=tuple(
            Choice(rate, strength, _learning_rate(protocol, rate, strength), searches)
            for (rate, strength), searches in chosen.most_common()
        ),
        kept_default=chosen[default],
        searches=len(records),
        lead=_lead(records),
        tried=_tried(records, tuning),
        image_passes=passes,
        trials_worth=passes / max(1, run.records(network, data)[0].images_seen),
        time_s=sum(record.time_s for record in records),
    )


def _learning_rate(protocol: Protocol | None, rate: float, strength: str) -> float:
    if protocol is None:
        return float("nan")
    return with_candidate(protocol, Candidate(rate=rate, strength=strength)).optimizer.learning_rate


def _lead(records: Sequence[SearchRecord]) -> str:
    """How far the best beside the default was ahead of it; empty where there are several searches."""
    one, best = records[0], records[0].challenger
    if len(records) != 1 or one.difference is None or one.standard_error is None or best is None:
        return ""
    chance = f"{points(one.difference)} ± {100 * one.standard_error:.1f}"
    return f"{chance} for {best.rate:g} × the rate, {best.strength}"


def _tried(records: Sequence[SearchRecord], tuning: Tuning) -> tuple[Tried, ...]:
    found = []
    for candidate in tuning.candidates:
        for rung in range(len(tuning.rungs)):
            of_it = [
                trial
                for record in records
                for trial in record.trials
                if trial.rung == rung and trial.candidate == candidate
            ]
            if of_it:
                scores = [trial.top1 for trial in of_it if trial.top1 is not None]
                mean = sum(scores) / len(scores) if scores else None
                found.append(Tried(candidate, rung + 1, mean, len(of_it)))
    return tuple(found)


def _summary(rows: Sequence[TunedNetwork], tuning: Tuning) -> str:
    kept = sum(row.kept_default for row in rows)
    searches = sum(row.searches for row in rows)
    passes = [row.image_passes // row.searches for row in rows]
    spread = count(min(passes)) if min(passes) == max(passes) else f"{count(min(passes))} to {count(max(passes))}"
    each = "each seed of each network" if tuning.mode == "per_seed" else "each network"
    whose = (
        "The variance of tuning is part of every interval, as each seed has its own search."
        if tuning.mode == "per_seed"
        else "Intervals hold given these settings."
    )
    return (
        f"Learning rate and regularisation were searched alike for {each} on the validation split: "
        f"{plural(tuning.trials_at_most, 'training')} and {spread} image passes a search, "
        f"as much as {rows[0].trials_worth / rows[0].searches:.2g} trials. "
        f"{kept} of {plural(searches, 'search', 'searches')} kept the default. {whose}"
    )


def _factors(values: dict[str, float]) -> str:
    return listing([f"{name.replace('_', ' ')} × {value:g}" for name, value in values.items() if value != 1.0])
