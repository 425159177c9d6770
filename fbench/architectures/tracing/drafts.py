"""What a recorder writes down while a network runs: nodes in the making, and the operations that are counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from fbench.architectures.tracing.memory_traffic import Traffic
from fbench.architectures.tracing.operations import Operation
from fbench.architectures.tracing.products import MacKind

OUTSIDE_PYTORCH: Final = "code outside PyTorch"
"""The name of what happens to a tensor that is handed to numpy or the like, or is computed in another thread."""


class Source(NamedTuple):
    """Where a tensor comes from: the node that gave it, and how it was reshaped since."""

    node: int
    reshape: str = ""


@dataclass
class Draft:
    """A node while the pass runs; shapes are without the batch."""

    path: str
    module: str
    kind: str = ""
    layer: bool = False
    sources: list[Source] = field(default_factory=list)
    input_shapes: list[tuple[int, ...]] = field(default_factory=list)
    output_shape: tuple[int, ...] = ()
    contracts: bool = False
    arguments: str = ""
    activation_bytes: int = 0
    parameter_bytes: int = 0

    def take(self, source: Source, shape: Sequence[int]) -> None:
        """Note an input."""
        self.sources.append(source)
        self.input_shapes.append(tuple(shape)[1:])

    def note(self, operation: Operation, moved: Traffic) -> None:
        """Add an operation; the kind is that of the first, or of the first with multiply-accumulates."""
        if not self.kind or (operation.macs and not self.contracts):
            self.kind = operation.kind
        self.contracts = self.contracts or operation.macs > 0
        self.activation_bytes += moved.per_image
        self.parameter_bytes += moved.per_call


@dataclass(frozen=True)
class CountedOperation:
    """An operation that computes something, as it ran.

    Attributes:
        node: index of the draft that it belongs to.
        name: its name with namespace and overload, as PyTorch prints it.
        kind: what its multiply-accumulates are, None where it contracts nothing.
        macs: multiply-accumulates for the batch of the pass.
        elementwise_ops: elementwise operations by kind, for the batch of the pass.
        counted: whether its multiply-accumulates are known.
        fixed: whether all that it takes are parameters, buffers and what was computed of them.
    """

    node: int
    name: str
    kind: MacKind | None
    macs: int
    elementwise_ops: Mapping[str, int]
    counted: bool
    fixed: bool
