"""What two networks differ in, read from their ``network.json``: often more than a comparison is named after."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple, get_args

from fbench.benchmark.records.network_description import NetworkDescription
from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.networks.inventory import Inventory, take_inventory
from fbench.reports.findings.networks.parts import Category, NetworkPart
from fbench.reports.formatting import count, listing, minus, number

ChangeKind = Literal["bias", "normalisation", "replaced", "width", "more", "fewer"]

_ORDER: Final = get_args(Category)
_NOUNS: Final[dict[Category, str]] = {
    "dense layer": "dense layer",
    "recurrent layer": "{} layer",
    "squeeze-and-excitation": "squeeze-and-excitation block",
    "shortcut": "{} shortcut",
    "activation": "{} activation",
    "pooling": "{} layer",
    "dropout": "dropout layer",
    "operation": "{} operation",
}
_SIZED: Final[tuple[Category, ...]] = ("convolution", "dense layer")
"""Categories with widths of their own; the maps of all others follow from these."""


@dataclass(frozen=True)
class ArchitectureChange:
    """So many parts of one network against those of another.

    Attributes:
        kind: ``bias`` and ``normalisation``: they have it and the others do not, or the reverse; ``replaced``: parts of
            another kind or form with the same channels; ``width``: other channels, strides or units; ``more`` and
            ``fewer``: without a counterpart.
        amount: how many parts.
        ours: what the network has; none for ``fewer``.
        theirs: what the other has; none for ``more``.
    """

    kind: ChangeKind
    amount: int
    ours: NetworkPart | None
    theirs: NetworkPart | None

    @property
    def part(self) -> NetworkPart:
        """The network's own part, or the other's where it has none."""
        part = self.ours or self.theirs
        if part is None:
            raise ValueError("A change without a part says nothing; give one of the two networks' parts.")
        return part


@dataclass(frozen=True)
class NetworkDifferences:
    """Everything that ``network`` differs in from ``baseline``; counts are (network, baseline), for one image.

    ``rearranged``: the parts are the same, but not their order or connections.
    """

    network: str
    baseline: str
    changes: tuple[ArchitectureChange, ...]
    rearranged: bool
    trainable_params: tuple[int, int]
    macs: tuple[int, int]

    @property
    def sentence(self) -> str:
        """All of it in one sentence, without the full stop."""
        words = "; ".join([*(change_words(change) for change in self.changes), *_rearranged(self.rearranged)])
        return f"{self.network} against {self.baseline}: {words or 'the same network, layer by layer'}. {self._sizes}"

    @property
    def _sizes(self) -> str:
        pairs = {"trainable parameters": self.trainable_params, "MACs": self.macs}
        if all(ours == theirs for ours, theirs in pairs.values()):
            return "Parameters and MACs are equal"
        return listing(
            [
                f"{count(ours)} {name} instead of {count(theirs)} ({_signed_percent(ours, theirs)})"
                if ours != theirs
                else f"as many {name}"
                for name, (ours, theirs) in pairs.items()
            ]
        )


@dataclass(frozen=True)
class DescribedNetwork:
    """A network with what is compared of it: its parts and counts, and its layers with their connections."""

    name: str
    inventory: Inventory
    arrangement: Hashable


def described_network(name: str, description: NetworkDescription) -> DescribedNetwork:
    """A network by its description."""
    return DescribedNetwork(name, take_inventory(description), _arrangement(description))


def network_of_run(run: RunTable, data: str, name: str) -> DescribedNetwork | None:
    """A network of a run; none where no trial of it or no description is kept.

    Raises:
        UserError: its description is damaged.
    """
    description = run.network_description(name, data)
    return None if description is None else described_network(name, description)


def network_differences(network: DescribedNetwork, baseline: DescribedNetwork) -> NetworkDifferences:
    """What a network differs in from a baseline."""
    ours, theirs = network.inventory, baseline.inventory
    changes = _changes(ours.parts, theirs.parts)
    return NetworkDifferences(
        network=network.name,
        baseline=baseline.name,
        changes=changes,
        rearranged=not changes and network.arrangement != baseline.arrangement,
        trainable_params=(ours.trainable_params, theirs.trainable_params),
        macs=(ours.macs, theirs.macs),
    )


class _Level(NamedTuple):
    """Parts that agree in ``key`` are counterparts, and differ in what ``kind`` names."""

    kind: ChangeKind | None
    key: Callable[[NetworkPart], Hashable]


_LEVELS: Final = (
    _Level(None, lambda part: part),
    _Level("bias", lambda part: (part.category, part.kind, part.form, part.shape, part.normalised)),
    _Level("normalisation", lambda part: (part.category, part.kind, part.form, part.shape, part.bias)),
    _Level("replaced", lambda part: (part.category, part.kind, part.shape, part.bias, part.normalised)),
    _Level("replaced", lambda part: (part.category, part.form, part.shape, part.bias, part.normalised)),
    _Level("replaced", lambda part: (part.category, part.shape, part.bias, part.normalised)),
    _Level("width", lambda part: (part.category, part.kind, part.form, part.bias, part.normalised)),
)
"""How counterparts are found: the nearest first."""


def _changes(ours: Sequence[NetworkPart], theirs: Sequence[NetworkPart]) -> tuple[ArchitectureChange, ...]:
    left, right = list(ours), list(theirs)
    found: Counter[tuple[ChangeKind, NetworkPart, NetworkPart]] = Counter()
    for level in _LEVELS:
        waiting: dict[Hashable, deque[int]] = {}
        for place, other in enumerate(right):
            waiting.setdefault(level.key(other), deque()).append(place)
        unmatched, taken = [], set()
        for one in left:
            if not (places := waiting.get(level.key(one))):
                unmatched.append(one)
                continue
            match = right[places[0]]
            taken.add(places.popleft())
            if level.kind and not (level.kind == "width" and one.category not in _SIZED):
                found[level.kind, _named(one, level.kind), _named(match, level.kind)] += 1
        left, right = unmatched, [other for place, other in enumerate(right) if place not in taken]
    paired = [ArchitectureChange(kind, amount, one, other) for (kind, one, other), amount in found.items()]
    more = [ArchitectureChange("more", amount, part, None) for part, amount in _grouped(left)]
    return (*paired, *more, *(ArchitectureChange("fewer", amount, None, part) for part, amount in _grouped(right)))


def _named(part: NetworkPart, kind: ChangeKind) -> NetworkPart:
    """The part with what a sentence about many of its kind says of it."""
    return NetworkPart(
        part.category,
        part.kind,
        part.form,
        bias=part.bias and kind == "bias",
        normalised=part.normalised and kind == "normalisation",
    )


def _grouped(parts: Sequence[NetworkPart]) -> list[tuple[NetworkPart, int]]:
    """Parts of one kind and form together, category by category; a single one keeps its channels."""
    groups: dict[NetworkPart, list[NetworkPart]] = {}
    for part in parts:
        groups.setdefault(_named(part, "more"), []).append(part)
    found = [
        (replace(name, shape=group[0].shape) if len(group) == 1 and name.category in _SIZED else name, len(group))
        for name, group in groups.items()
    ]
    return sorted(found, key=lambda one: _ORDER.index(one[0].category))


def change_words(change: ArchitectureChange) -> str:
    """One change as part of a sentence about the network: ``no bias in 4 full 3×3 convolutions``."""
    part, amount = change.part, change.amount
    if change.kind == "bias":
        return f"{'a' if part.bias else 'no'} bias in {_amount(part, amount)}"
    if change.kind == "normalisation":
        return f"{'batch' if part.normalised else 'no batch'} normalisation after {_amount(part, amount)}"
    if change.kind == "width":
        return (
            f"other {'channels or strides' if part.category == 'convolution' else 'sizes'} in {_amount(part, amount)}"
        )
    if change.kind == "replaced" and change.ours and change.theirs:
        return _replacement(change.ours, change.theirs, amount)
    size = f" ({part.shape})" if part.shape else ""
    return f"{_amount(part, amount)}{size} {change.kind}"


def _replacement(ours: NetworkPart, theirs: NetworkPart, amount: int) -> str:
    if ours.category == "activation":
        places = "one place" if amount == 1 else f"{amount} places"
        return f"{ours.kind} in place of {theirs.kind} in {places}"
    if ours.kind == theirs.kind and ours.form and theirs.form:
        form = theirs.form if ours.category == "convolution" else f"({theirs.form})"
        return f"{_amount(ours, amount)} in place of {form}"
    return f"{_amount(ours, amount)} in place of {'one ' if amount == 1 else ''}{_name(theirs, amount)}"


def _amount(part: NetworkPart, amount: int) -> str:
    return f"{'one' if amount == 1 else amount} {_name(part, amount)}"


def _name(part: NetworkPart, amount: int) -> str:
    plural = "" if amount == 1 else "s"
    form = f" ({part.form})" if part.form else ""
    if part.category == "convolution":
        return f"{part.kind} {part.form}{' ' if part.form else ''}convolution{plural}"
    if part.category in _NOUNS:
        return f"{_NOUNS[part.category].format(part.kind)}{plural}{form}"
    return f"{part.kind}{plural}{form}"


def _rearranged(rearranged: bool) -> list[str]:
    return ["the same layers in another order or otherwise connected"] if rearranged else []


def _arrangement(description: NetworkDescription) -> Hashable:
    """Layers and connections without their names."""
    modules = tuple((module.kind, module.arguments, module.output_shape) for module in description.modules)
    return modules, tuple(sorted((edge.source, edge.target) for edge in description.edges))


def _signed_percent(ours: int, theirs: int) -> str:
    if not theirs:
        return "from none"
    change = 100 * (ours / theirs - 1)
    return f"{'+' if change > 0 else ''}{minus(number(change, 1 if abs(change) < 100 else 0))} %"
