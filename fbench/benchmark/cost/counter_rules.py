"""What other people's counters count beside multiply-accumulates, and what they pass over, operation by operation.

Each rule was read from the counter's source and holds exactly for every registered network: what a counter prints is
our MACs plus what its rule gives (tested). Two finds: ptflops' module backend counts ReLU and pooling layers twice,
once by a hook on the module and once by a patched function, and knows neither h_swish nor a mean; fvcore passes over
ReLU without naming it among the operations that it does not support.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Final

from fbench.architectures.tracing.graph import Node
from fbench.benchmark.records.trial_records import CounterGap


@dataclass(frozen=True)
class CounterRule:
    """``beside`` gives what a counter adds for a node, by our kinds; ``sees`` whether it counts the node's MACs."""

    beside: Callable[[Node], Mapping[str, int]]
    sees: Callable[[Node], bool] = lambda node: True


def counted_beside(rule: CounterRule, nodes: Sequence[Node]) -> dict[str, int]:
    """What the counter adds to the MACs, by kind, summed over the network."""
    total: Counter[str] = Counter()
    for node in nodes:
        total.update(rule.beside(node))
    return dict(sorted(total.items()))


def left_out(rule: CounterRule, nodes: Sequence[Node]) -> tuple[CounterGap, ...]:
    """Every kind of operation that the counter counts nothing for, the most frequent first."""
    calls: Counter[str] = Counter()
    operations: Counter[str] = Counter()
    for node in nodes:
        missed = {kind: count for kind, count in node.elementwise_ops.items() if kind not in rule.beside(node)}
        if node.macs and not rule.sees(node):
            missed[node.kind] = node.macs
        calls.update(missed.keys())
        operations.update(missed)
    return tuple(
        CounterGap(operation=kind, calls=calls[kind], operations=operations[kind])
        for kind in sorted(calls, key=lambda kind: (-operations[kind], kind))
    )


def _nothing(node: Node) -> Mapping[str, int]:
    return {}


def _biases(node: Node) -> Mapping[str, int]:
    return {"bias": node.elementwise_ops["bias"]} if "bias" in node.elementwise_ops else {}


def _normalised(node: Node, affine: int, plain: int) -> dict[str, int]:
    """So many operations for an element of a normalisation."""
    times = affine if node.hyperparameters.affine else plain
    return {kind: times * count for kind, count in node.elementwise_ops.items()}


def _fvcore(node: Node) -> Mapping[str, int]:
    if node.kind == "batch_norm":
        return _normalised(node, 2, 1)
    if node.kind in {"group_norm", "layer_norm"}:
        return _normalised(node, 5, 4)
    return dict(node.elementwise_ops) if node.module == "AdaptiveAvgPool2d" else {}


def _ptflops_modules(node: Node) -> Mapping[str, int]:
    if not node.layer:
        return {}
    if node.module in _PTFLOPS_TWICE | _PTFLOPS_ONCE:
        times = 2 if node.module in _PTFLOPS_TWICE else 1
        return {kind: times * count for kind, count in node.elementwise_ops.items()}
    if node.kind in {"batch_norm", "group_norm"}:
        return _normalised(node, 2, 1)
    if node.module in _POOLS:
        elements = prod(node.input_shapes[0])
        return dict.fromkeys(node.elementwise_ops, 2 * elements)
    return _biases(node) if node.module in _WITH_MACS else {}


_PTFLOPS_TWICE: Final = frozenset({"ReLU", "PReLU", "ELU", "GELU"})
_PTFLOPS_ONCE: Final = frozenset({"ReLU6", "LeakyReLU", "SiLU", "Softmax", "LayerNorm"})
_POOLS: Final = frozenset(
    f"{kind}{dimensions}d"
    for kind in ("MaxPool", "AvgPool", "AdaptiveMaxPool", "AdaptiveAvgPool")
    for dimensions in (1, 2, 3)
)
_WITH_MACS: Final = frozenset({"Linear", *(f"Conv{way}{d}d" for way in ("", "Transpose") for d in (1, 2, 3))})

RULES: Final[Mapping[str, CounterRule]] = {
    "fvcore": CounterRule(_fvcore),
    "ptflops (pytorch)": CounterRule(_ptflops_modules, lambda node: node.layer and node.module in _WITH_MACS),
    "ptflops (aten)": CounterRule(_biases),
    "torch FlopCounterMode": CounterRule(_nothing),
}
