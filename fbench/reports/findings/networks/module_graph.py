"""The modules of a described network with what leads where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from fbench.benchmark.records.network_description import DescribedModule, NetworkDescription, Shape

_WEIGHTS: Final = ("convolution", "linear", "matrix_product")


@dataclass
class ModuleGraph:
    """The modules with what leads where; ``taken`` grows with the nodes that already are in a part.

    ``ancestors`` holds a node and all before it, a bit each: of a recurrent network with 10,000 steps, sets of their
    numbers would fill gigabytes.
    """

    modules: Sequence[DescribedModule]
    sources: list[list[int]]
    targets: list[list[int]]
    ancestors: list[int]
    taken: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, description: NetworkDescription) -> ModuleGraph:
        """The graph of a described network, of which no node is in a part yet."""
        sources: list[list[int]] = [[] for _ in description.modules]
        targets: list[list[int]] = [[] for _ in description.modules]
        for edge in description.edges:
            sources[edge.target].append(edge.source)
            targets[edge.source].append(edge.target)
        ancestors: list[int] = []
        for node, above in enumerate(sources):
            reached = 1 << node
            for source in above:
                reached |= ancestors[source]
            ancestors.append(reached)
        return cls(description.modules, sources, targets, ancestors)

    def kind(self, node: int) -> str:
        """The operation of a node."""
        return self.modules[node].kind

    def of_image(self, node: int) -> bool:
        """Whether the image, node 0, is among what leads to a node."""
        return bool(self.ancestors[node] & 1)

    def comes_before(self, node: int, later: int) -> bool:
        """Whether a node is among what leads to another, or is that."""
        return bool(self.ancestors[later] >> node & 1)

    def input_shape(self, node: int) -> Shape:
        """The shape of the first map of the image that a node takes, else of what it takes; empty where unknown."""
        shapes = self.modules[node].input_shapes
        pairs = zip(self.sources[node], shapes, strict=False)
        return next((shape for source, shape in pairs if self.of_image(source)), shapes[0] if shapes else ())

    def output_text(self, node: int) -> str:
        """The shape of what a node gives: ``16x24x24``."""
        return "x".join(map(str, self.modules[node].output_shape))

    def branch(self, node: int, beside: int) -> list[int]:
        """What leads to a node and not to another, in order, as far as the image leads to it."""
        return [one for one in _bits(self.ancestors[node] & ~self.ancestors[beside]) if self.of_image(one)]

    def only_target(self, node: int) -> int | None:
        """The node that alone takes the result of a node; none where none or several do."""
        return self.targets[node][0] if len(self.targets[node]) == 1 else None

    def weights(self, nodes: Sequence[int]) -> list[int]:
        """Those of some nodes that multiply by weights."""
        return [node for node in nodes if self.kind(node) in _WEIGHTS]


def _bits(number: int) -> Iterator[int]:
    """The places of the bits that are set, ascending."""
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
