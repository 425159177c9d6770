"""A part of a claim: what is seen of one comparison, and what it would lack to be decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from fbench.ablations.claim_tests import data_words
from fbench.benchmark.records.budget import load_presets
from fbench.reports.formatting import count, listing
from fbench.statistics.statements import Outcome, StatementAnswer

LackKind = Literal[
    "counts",
    "data",
    "test split",
    "network",
    "preset",
    "budget",
    "learning",
    "over-fitting",
    "seeds",
    "images",
    "cost",
    "blocks",
    "early stopping",
    "class",
]


@dataclass(frozen=True)
class MissingEvidence:
    """One thing that is missing; ``amount`` is how many seeds, images or blocks, ``reason`` what else to know."""

    kind: LackKind
    data: str = ""
    networks: tuple[str, ...] = ()
    amount: int = 0
    reason: str = ""


@dataclass(frozen=True)
class ClaimPart:
    """One comparison or count of a claim.

    Attributes:
        text: what is seen, as a clause; empty where nothing is.
        settled: the outcome where arithmetic settles it; else none.
        answer: what data say; none where they do not suffice.
        not_yet: the budget does not suffice, and ``text`` says what it shows.
        lacks: what an undecided part is missing.
        remarks: what is special about the data.
    """

    text: str = ""
    settled: Outcome | None = None
    answer: StatementAnswer | None = None
    not_yet: bool = field(default=False, kw_only=True)
    lacks: tuple[MissingEvidence, ...] = ()
    remarks: tuple[str, ...] = ()


def missing_sentence(lacks: Sequence[MissingEvidence]) -> str:
    """All that is missing in one sentence without its full stop; what is missing twice is said once."""
    words = [
        *_counts(lacks),
        *_data(lacks),
        *_networks(lacks),
        *_presets(lacks),
        *_budgets(lacks),
        *_learning(lacks),
        *_stopping(lacks),
        *_classes(lacks),
        *_overfitting(lacks),
        *_seeds(lacks),
        *_images(lacks),
        *_cost(lacks),
    ]
    return "; ".join(words)


def _of(lacks: Iterable[MissingEvidence], kind: LackKind) -> list[MissingEvidence]:
    return list(dict.fromkeys(lack for lack in lacks if lack.kind == kind))


def _counts(lacks: Sequence[MissingEvidence]) -> list[str]:
    names = once(name for lack in _of(lacks, "counts") for name in lack.networks)
    return [f"a row of the contract, or a run, that counts {listing(names)}"] if names else []


def _data(lacks: Sequence[MissingEvidence]) -> list[str]:
    absent = _of(lacks, "data")
    names = once(data_words(lack.data) for lack in absent)
    networks = once(name for lack in absent for name in lack.networks)
    reasons = once(reason for lack in absent for reason in lack.reason.split("; "))
    why = f" ({'; '.join(reasons)})"
    unread = once(data_words(lack.data) for lack in _of(lacks, "test split"))
    return [
        *([f"trainings of {listing(networks)} on {listing(names)}{why}"] if names else []),
        *([f"a run on {listing(unread)} that reads the test split"] if unread else []),
    ]


def _networks(lacks: Sequence[MissingEvidence]) -> list[str]:
    by_data: dict[str, dict[str, str]] = {}
    for lack in _of(lacks, "network"):
        by_data.setdefault(lack.data, {}).update(dict.fromkeys(lack.networks, lack.reason))
    return [
        f"trainings of {listing([name + (f' ({reason})' if reason else '') for name, reason in names.items()])} "
        f"on {data_words(data)}"
        for data, names in by_data.items()
    ]


def _presets(lacks: Sequence[MissingEvidence]) -> list[str]:
    by_preset: dict[str, list[str]] = {}
    for lack in _of(lacks, "preset"):
        by_preset.setdefault(lack.reason, []).append(data_words(lack.data))
    return [f"{preset_words(preset)} on {listing(once(names))}" for preset, names in by_preset.items()]


def _budgets(lacks: Sequence[MissingEvidence]) -> list[str]:
    return [f"on {data_words(lack.data)} {lack.reason}" for lack in _of(lacks, "budget")]


def _learning(lacks: Sequence[MissingEvidence]) -> list[str]:
    return [
        f"trainings in which {' or '.join(lack.networks)} learns {data_words(lack.data)} (so far "
        f"{'it is' if len(lack.networks) == 1 else 'both are'} within chance of the largest class)"
        for lack in _of(lacks, "learning")
    ]


def _stopping(lacks: Sequence[MissingEvidence]) -> list[str]:
    names = once(data_words(lack.data) for lack in _of(lacks, "early stopping"))
    return [f"a protocol that stops early, on {listing(names)}"] if names else []


def _classes(lacks: Sequence[MissingEvidence]) -> list[str]:
    return [f"a class {listing(list(lack.networks))} in {data_words(lack.data)}" for lack in _of(lacks, "class")]


def _overfitting(lacks: Sequence[MissingEvidence]) -> list[str]:
    by_data: dict[str, list[str]] = {}
    for lack in _of(lacks, "over-fitting"):
        by_data.setdefault(lack.data, []).extend(lack.networks)
    return [
        f"a budget in which {' or '.join(once(names))} over-fits {data_words(data)} (so far no gap is surely above 0)"
        for data, names in by_data.items()
    ]


def preset_words(least: str) -> str:
    """The presets that are enough, as a budget."""
    names = list(load_presets())
    enough = names[names.index(least) :]
    return "the preset " + " or ".join([*([", ".join(enough[:-1])] if len(enough) > 1 else []), enough[-1]])


def _seeds(lacks: Sequence[MissingEvidence]) -> list[str]:
    most: dict[str, MissingEvidence] = {}
    for lack in _of(lacks, "seeds"):
        if lack.data not in most or lack.amount > most[lack.data].amount:
            most[lack.data] = lack
    return [f"{lack.reason} on {data_words(data)}" for data, lack in most.items()]


def _images(lacks: Sequence[MissingEvidence]) -> list[str]:
    largest: dict[str, int] = {}
    for lack in _of(lacks, "images"):
        largest[lack.data] = max(lack.amount, largest.get(lack.data, 0))
    return [
        f"a larger test set than that of {data_words(data)}, as more seeds cannot decide"
        + (f" (about {count(images)} images could)" if images else "")
        for data, images in largest.items()
    ]


def _cost(lacks: Sequence[MissingEvidence]) -> list[str]:
    names = once(name for lack in _of(lacks, "cost") for name in lack.networks)
    blocks = max((lack.amount for lack in _of(lacks, "blocks")), default=0)
    return [
        *([f"a run that measures the cost of {listing(names)} together"] if names else []),
        *([f"about {count(blocks)} blocks of the measurement of cost"] if blocks else []),
    ]


def once(names: Iterable[str]) -> list[str]:
    """The names once each, in order."""
    return list(dict.fromkeys(names))
