"""What a forward pass costs for one image and once a call, from passes with one image and with two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fbench.architectures.tracing.drafts import OUTSIDE_PYTORCH, CountedOperation
from fbench.architectures.tracing.products import MAC_KINDS, MacKind


@dataclass(frozen=True)
class OperationCounts:
    """Multiply-accumulates and elementwise operations, by kind; kinds that do not occur are left out."""

    macs: Mapping[MacKind, int] = field(default_factory=dict)
    elementwise_ops: Mapping[str, int] = field(default_factory=dict)

    @property
    def total_macs(self) -> int:
        """All multiply-accumulates."""
        return sum(self.macs.values())


@dataclass(frozen=True)
class NotCounted:
    """An operation that may contract dimensions by no known formula, so that its MACs are missing from the count.

    Attributes:
        operation: its aten name, or with the namespace of another package.
        calls: how often a forward pass runs it.
        on_parameters: whether all these calls take parameters alone; then no MACs of an image are missing.
    """

    operation: str
    calls: int
    on_parameters: bool


@dataclass(frozen=True)
class NodeCounts:
    """What the operations of one node cost: ``per_image`` grows with the batch, ``per_call`` does not."""

    per_image: OperationCounts
    per_call: OperationCounts


def counts_by_node(one: Sequence[CountedOperation], two: Sequence[CountedOperation] | None) -> dict[int, NodeCounts]:
    """What each node costs, from the operations of a pass with one image, and of one with two.

    Operations that take as much for two images as for one are those of a call: kernels made of kernels, layers over
    coordinates. Where there is no second pass to compare with, those are the ones that take parameters alone.
    """
    pairs = list(zip(one, two, strict=True)) if two is not None and _alike(one, two) else None
    macs: dict[tuple[int, bool], Counter[MacKind]] = {}
    elementwise: dict[tuple[int, bool], Counter[str]] = {}
    for index, operation in enumerate(one):
        other = pairs[index][1] if pairs else None
        for per_call in (False, True):
            macs_found = macs.setdefault((operation.node, per_call), Counter())
            kinds_found = elementwise.setdefault((operation.node, per_call), Counter())
            if operation.kind is not None:
                macs_found[operation.kind] += _share(operation.macs, other.macs if other else None, operation, per_call)
            for kind, count in operation.elementwise_ops.items():
                twice = other.elementwise_ops.get(kind, 0) if other else None
                kinds_found[kind] += _share(count, twice, operation, per_call)
    return {
        node: NodeCounts(
            *(
                OperationCounts(_ordered(macs[node, per_call]), _sorted(elementwise[node, per_call]))
                for per_call in (False, True)
            )
        )
        for node in dict.fromkeys(operation.node for operation in one)
    }


def what_is_not_counted(operations: Sequence[CountedOperation]) -> tuple[NotCounted, ...]:
    """The operations without a known formula, by name, the most frequent first."""
    found = dict[str, list[CountedOperation]]()
    for operation in operations:
        if not operation.counted:
            found.setdefault(_plain_name(operation.name), []).append(operation)
    rows = (NotCounted(name, len(calls), all(call.fixed for call in calls)) for name, calls in found.items())
    return tuple(sorted(rows, key=lambda row: (-row.calls, row.operation)))


def total(parts: Sequence[OperationCounts]) -> OperationCounts:
    """Counts added up."""
    macs: Counter[MacKind] = Counter()
    elementwise: Counter[str] = Counter()
    for part in parts:
        macs.update(part.macs)
        elementwise.update(part.elementwise_ops)
    return OperationCounts(_ordered(macs), _sorted(elementwise))


def _alike(one: Sequence[CountedOperation], two: Sequence[CountedOperation]) -> bool:
    return [(part.node, part.name) for part in one] == [(part.node, part.name) for part in two]


def _share(once: int, twice: int | None, operation: CountedOperation, per_call: bool) -> int:
    """What one image takes of ``once``, or the call; ``twice`` is what two images take, where that is known.

    What grows faster than the batch (products between the images of a batch) is the image's.
    """
    fixed = (once if operation.fixed else 0) if twice is None else max(0, 2 * once - twice) if twice >= once else 0
    return fixed if per_call else once - fixed


def _ordered(macs: Counter[MacKind]) -> dict[MacKind, int]:
    return {kind: macs[kind] for kind in MAC_KINDS if macs[kind]}


def _sorted(elementwise: Counter[str]) -> dict[str, int]:
    return {kind: count for kind, count in sorted(elementwise.items()) if count}


def _plain_name(name: str) -> str:
    """``aten._fft_r2c.default`` as ``_fft_r2c``; another package's name keeps its namespace."""
    if name == OUTSIDE_PYTORCH:
        return name
    namespace, _, rest = name.partition(".")
    plain = rest.partition(".")[0]
    return plain if namespace == "aten" else f"{namespace}.{plain}" if plain else namespace
