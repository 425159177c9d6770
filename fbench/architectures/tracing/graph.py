"""A network as a graph of operations with shapes and counts, and as the JSON of ``network.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fbench.architectures.tracing.counts import NotCounted, OperationCounts, total
from fbench.architectures.tracing.hyperparameters import Hyperparameters, read_hyperparameters
from fbench.architectures.tracing.parameters import HeldParameters, SharedParameter
from fbench.architectures.tracing.products import MacKind

SCHEMA_VERSION = 1
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Node:
    """One step of the forward pass: a call of one of torch's own layers, or one operation of other code.

    Attributes:
        path: dotted path of the module that ran it; empty for the network itself.
        module: class name of that module.
        layer: whether it is a call of one of torch's own layers.
        kind: the operation: ``convolution``, ``batch_norm``, ``hard_swish``, ``add``; ``input`` for node 0; a
            layer that does nothing at inference has its class name in lower case.
        input_shapes: shapes of the maps it takes, without the batch.
        output_shape: shape of what it gives, without the batch.
        trainable_params: elements that require a gradient of the parameters that the module holds directly (at its
            first node only, and where several modules share them at the first of these).
        frozen_params: elements of its parameters that require none.
        shared_params: its parameters that are counted at another node.
        bn_running_stats: elements of its running mean and variance.
        macs_by_kind: multiply-accumulates for one image, by what they are.
        macs_per_call_by_kind: those that a call takes once whatever the batch, as they meet no image.
        elementwise_ops: elementwise operations by kind for one image.
        elementwise_ops_per_call: those that a call takes once whatever the batch.
        arguments: the hyperparameters of one of torch's layers, as it prints them; the constants of another
            operation.
        activation_bytes: bytes of maps that it reads and writes at least, for one image; 0 also where nothing
            that it does depends on the image.
        parameter_bytes: bytes that it moves at least once per call whatever the batch: weights, biases, running
            statistics.
    """

    path: str
    module: str
    layer: bool
    kind: str
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    trainable_params: int
    frozen_params: int
    shared_params: tuple[SharedParameter, ...]
    bn_running_stats: int
    macs_by_kind: Mapping[MacKind, int]
    macs_per_call_by_kind: Mapping[MacKind, int]
    elementwise_ops: Mapping[str, int]
    elementwise_ops_per_call: Mapping[str, int]
    arguments: str
    activation_bytes: int
    parameter_bytes: int

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one image."""
        return sum(self.macs_by_kind.values())

    @property
    def macs_per_call(self) -> int:
        """Multiply-accumulates of a call whatever the batch."""
        return sum(self.macs_per_call_by_kind.values())

    @property
    def hyperparameters(self) -> Hyperparameters:
        """Those of one of torch's own layers; of another operation nothing is known."""
        return read_hyperparameters(self.module, self.arguments) if self.layer else Hyperparameters()

    def bytes_moved(self, batch_size: int) -> int:
        """Bytes that one call on so many images moves at least."""
        return batch_size * self.activation_bytes + self.parameter_bytes


@dataclass(frozen=True, order=True)
class Edge:
    """A map that flows from one node to another; ``reshape`` says how its shape changes on the way."""

    source: int
    target: int
    reshape: str = ""


@dataclass(frozen=True)
class ParameterHolder:
    """A module whose parameters no node of its own shows: one that is not called, or that only holds them."""

    path: str
    module: str
    held: HeldParameters


@dataclass(frozen=True)
class Returned:
    """What a network returned.

    Attributes:
        type: ``Tensor``, or the name of another type.
        tensors: shapes of the tensors in it, the batch of one first.
        tensors_of_two: the same for a batch of two; None where the network takes no batch of two.
        dtype: of the first tensor, as PyTorch names it; empty where there is none.
    """

    type: str
    tensors: tuple[Shape, ...]
    tensors_of_two: tuple[Shape, ...] | None
    dtype: str


@dataclass(frozen=True)
class NetworkTrace:
    """The graph of one forward pass and its counts for one image.

    Attributes:
        input_shape: channels, height, width.
        nodes: in the order in which they ran; node 0 is the image.
        edges: in the order of the targets, and of a target's arguments.
        outputs: indices of the nodes whose results the network returns.
        holders: modules that hold parameters and have no node.
        not_counted: operations whose multiply-accumulates no formula gives.
        returned: what the network returned.
    """

    input_shape: tuple[int, int, int]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    outputs: tuple[int, ...]
    holders: tuple[ParameterHolder, ...]
    not_counted: tuple[NotCounted, ...]
    returned: Returned

    @property
    def trainable_params(self) -> int:
        """Elements of the parameters that require a gradient, each once."""
        return sum(node.trainable_params for node in self.nodes) + sum(one.held.trainable for one in self.holders)

    @property
    def frozen_params(self) -> int:
        """Elements of the parameters that require no gradient, each once."""
        return sum(node.frozen_params for node in self.nodes) + sum(one.held.frozen for one in self.holders)

    @property
    def bn_running_stats(self) -> int:
        """Elements of all running means and variances."""
        return sum(node.bn_running_stats for node in self.nodes) + sum(
            one.held.bn_running_stats for one in self.holders
        )

    @property
    def total_params_keras(self) -> int:
        """All parameters and BN running statistics: the total of a Keras summary."""
        return self.trainable_params + self.frozen_params + self.bn_running_stats

    @property
    def per_image(self) -> OperationCounts:
        """What one image takes."""
        return total([OperationCounts(node.macs_by_kind, node.elementwise_ops) for node in self.nodes])

    @property
    def per_call(self) -> OperationCounts:
        """What a call takes once, whatever the batch."""
        return total(
            [OperationCounts(node.macs_per_call_by_kind, node.elementwise_ops_per_call) for node in self.nodes]
        )

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one image."""
        return self.per_image.total_macs

    @property
    def elementwise_ops_by_kind(self) -> dict[str, int]:
        """Elementwise operations for one image, by kind, sorted by name."""
        return dict(self.per_image.elementwise_ops)

    @property
    def elementwise_ops(self) -> int:
        """All elementwise operations for one image."""
        return sum(self.elementwise_ops_by_kind.values())

    @property
    def activation_bytes(self) -> int:
        """Bytes of maps read and written at least, for one image, operation by operation."""
        return sum(node.activation_bytes for node in self.nodes)

    @property
    def parameter_bytes(self) -> int:
        """Bytes moved at least once per call whatever the batch."""
        return sum(node.parameter_bytes for node in self.nodes)

    def bytes_moved(self, batch_size: int) -> int:
        """Bytes that one forward pass on so many images moves at least, with no layers fused."""
        return batch_size * self.activation_bytes + self.parameter_bytes

    @property
    def output_shape(self) -> Shape:
        """The shape of the first tensor that the network returns, without the batch; empty where there is none."""
        return self.returned.tensors[0][1:] if self.returned.tensors else ()

    def to_json(self) -> dict[str, Any]:
        """The content of ``network.json`` as JSON values; equal for equal networks."""
        return {
            "schema_version": SCHEMA_VERSION,
            "input_shape": list(self.input_shape),
            "modules": [_node_to_dict(index, node) for index, node in enumerate(self.nodes)],
            "edges": [{"source": edge.source, "target": edge.target, "reshape": edge.reshape} for edge in self.edges],
            "outputs": list(self.outputs),
            "output_shape": list(self.output_shape),
            "parameter_holders": [
                {"path": one.path, "class": one.module, **_held_to_dict(one.held)} for one in self.holders
            ],
            "not_counted": [vars(one) for one in self.not_counted],
            "counts": {
                "trainable_params": self.trainable_params,
                "frozen_params": self.frozen_params,
                "bn_running_stats": self.bn_running_stats,
                "total_params_keras": self.total_params_keras,
                "macs": self.macs,
                "macs_by_kind": dict(self.per_image.macs),
                "macs_per_call": self.per_call.total_macs,
                "macs_per_call_by_kind": dict(self.per_call.macs),
                "elementwise_ops": self.elementwise_ops,
                "elementwise_ops_by_kind": self.elementwise_ops_by_kind,
                "elementwise_ops_per_call_by_kind": dict(self.per_call.elementwise_ops),
                "activation_bytes": self.activation_bytes,
                "parameter_bytes": self.parameter_bytes,
            },
        }


def _held_to_dict(held: HeldParameters) -> dict[str, Any]:
    return {
        "trainable_params": held.trainable,
        "frozen_params": held.frozen,
        "shared_params": [vars(one) for one in held.shared],
        "bn_running_stats": held.bn_running_stats,
    }


def _node_to_dict(index: int, node: Node) -> dict[str, Any]:
    held = HeldParameters(node.trainable_params, node.frozen_params, node.bn_running_stats, node.shared_params)
    return {
        "index": index,
        "path": node.path,
        "class": node.module,
        "layer": node.layer,
        "kind": node.kind,
        "input_shapes": [list(shape) for shape in node.input_shapes],
        "output_shape": list(node.output_shape),
        **_held_to_dict(held),
        "macs": node.macs,
        "macs_by_kind": dict(node.macs_by_kind),
        "macs_per_call": node.macs_per_call,
        "elementwise_ops": dict(node.elementwise_ops),
        "arguments": node.arguments,
        "activation_bytes": node.activation_bytes,
        "parameter_bytes": node.parameter_bytes,
    }
