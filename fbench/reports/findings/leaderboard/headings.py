"""What boards are called: data, protocol and budget, and where that does not tell them apart what else differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fbench.benchmark.records.protocol import Protocol
from fbench.reports.findings.leaderboard.entries import Held, Settings, settings_of
from fbench.reports.findings.origin.provenance import budget_words

_MOST_SETTINGS: Final = 3
_DIGITS: Final = 7


@dataclass(frozen=True)
class Heading:
    """The heading of a board, and how its networks were trained beside what that says."""

    text: str
    trained: str


def headings_of(boards: Sequence[Held]) -> list[Heading]:
    """The headings of boards, of each of which one network is given."""
    data = _data_names(boards)
    plain = [f"{name}, {_protocol_name(one)}, {_budget(one)}" for name, one in zip(data, boards, strict=True)]
    found = []
    for one, text in zip(boards, plain, strict=True):
        alike = [settings_of(other) for other, same in zip(boards, plain, strict=True) if same == text]
        settings = _differing(settings_of(one), alike)
        found.append(
            Heading(
                text=f"{text}; {settings}" if settings else text,
                trained=_trained(one),
            )
        )
    return found


def _data_names(boards: Sequence[Held]) -> list[str]:
    """The names of data sets, with the first digits of their fingerprints where one name has several."""
    both = [(one.evidence.data.name, one.evidence.data.fingerprint) for one in boards]
    prints = {name: {other for same, other in both if same == name} for name, _ in both}
    return [f"{name} ({fingerprint[:_DIGITS]})" if len(prints[name]) > 1 else name for name, fingerprint in both]


def _protocol(held: Held) -> Protocol:
    return held.spec.default_protocol or held.spec.protocol


def _protocol_name(held: Held) -> str:
    protocol = _protocol(held)
    return protocol.name if "@" in protocol.name else f"{protocol.name}@{protocol.version}"


def _budget(held: Held) -> str:
    return budget_words(held.spec.budget, _protocol(held)).partition(", ")[0]


def _trained(held: Held) -> str:
    numerics, batch_size = held.spec.numerics, held.network.records[0].batch_size
    return (
        f"Batch size {batch_size}, {numerics.precision} on {numerics.device_kind}, numerics version "
        f"{numerics.numerics_version}, PyTorch {held.network.records[0].machine.pytorch}"
    )


def _differing(ours: Settings, every: Sequence[Settings]) -> str:
    """The settings in which some of them differ, as ours has them, in words."""
    flat = [dict(_flat(settings)) for settings in every]
    names = dict.fromkeys(name for one in flat for name in one)
    differing = [name for name in names if len({str(one.get(name)) for one in flat}) > 1]
    own = dict(_flat(ours))
    shown = [f"{name} {own.get(name, 'as by default')}" for name in differing[:_MOST_SETTINGS]]
    return ", ".join([*shown, *(["and more"] if len(differing) > _MOST_SETTINGS else [])])


def _flat(settings: Settings, start: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{start}{name} ")
        else:
            yield f"{start}{name}".replace("_", " "), value
