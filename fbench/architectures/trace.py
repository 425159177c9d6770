"""One forward pass of any network, as a graph of operations with shapes and counts: what ``network.json``
holds.

The pass runs on the meta device (shapes without numbers), in eval mode, with a batch of one; a network that
needs real numbers is traced on the CPU. The caller's module is not touched. What counts as what is in
:mod:`fbench.architectures.operations`, and what moves how many bytes in
:mod:`fbench.architectures.memory_traffic`.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from fbench.architectures.recorder import Draft, Recorder

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
        trainable_params: elements of the parameters that the module holds directly (at its first node only).
        bn_running_stats: elements of its running mean and variance.
        macs: multiply-accumulates of convolution and linear layers for one image.
        elementwise_ops: elementwise operations by kind for one image.
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
    bn_running_stats: int
    macs: int
    elementwise_ops: Mapping[str, int]
    arguments: str
    activation_bytes: int
    parameter_bytes: int

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
class NetworkTrace:
    """The graph of one forward pass and its counts for one image.

    Attributes:
        input_shape: channels, height, width.
        nodes: in the order in which they ran; node 0 is the image.
        edges: in the order of the targets, and of a target's arguments.
        outputs: indices of the nodes whose results the network returns.
        trainable_params: elements of ``parameters()``.
        bn_running_stats: elements of all running means and variances.
    """

    input_shape: tuple[int, int, int]
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    outputs: tuple[int, ...]
    trainable_params: int
    bn_running_stats: int

    @property
    def total_params_keras(self) -> int:
        """Trainable parameters and BN running statistics: the total of a Keras summary."""
        return self.trainable_params + self.bn_running_stats

    @property
    def macs(self) -> int:
        """Multiply-accumulates of convolution and linear layers for one image."""
        return sum(node.macs for node in self.nodes)

    @property
    def elementwise_ops_by_kind(self) -> dict[str, int]:
        """Elementwise operations for one image, by kind, sorted by name."""
        total: Counter[str] = Counter()
        for node in self.nodes:
            total.update(node.elementwise_ops)
        return dict(sorted(total.items()))

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
        """The shape of the first result, without the batch."""
        return self.nodes[self.outputs[0]].output_shape

    def to_json(self) -> dict[str, Any]:
        """The content of ``network.json`` as JSON values; equal for equal networks."""
        return {
            "schema_version": SCHEMA_VERSION,
            "input_shape": list(self.input_shape),
            "modules": [_node_to_dict(index, node) for index, node in enumerate(self.nodes)],
            "edges": [{"source": edge.source, "target": edge.target, "reshape": edge.reshape} for edge in self.edges],
            "outputs": list(self.outputs),
            "counts": {
                "trainable_params": self.trainable_params,
                "bn_running_stats": self.bn_running_stats,
                "total_params_keras": self.total_params_keras,
                "macs": self.macs,
                "elementwise_ops": self.elementwise_ops,
                "elementwise_ops_by_kind": self.elementwise_ops_by_kind,
                "activation_bytes": self.activation_bytes,
                "parameter_bytes": self.parameter_bytes,
            },
        }


def trace(module: nn.Module, input_shape: tuple[int, int, int]) -> NetworkTrace:
    """Trace a network on one image.

    Args:
        module: any network from N x C x H x W to tensors, on any device.
        input_shape: channels, height, width.

    Raises:
        Exception: whatever the network raises when it is run on such an image.
    """
    try:
        recorder, outputs = _run(module, input_shape, "meta")
    except Exception:  # of any type: what a network does without numbers fails in many ways
        recorder, outputs = _run(module, input_shape, "cpu")
    return _assemble(module, input_shape, recorder.drafts, outputs)


def _run(module: nn.Module, input_shape: tuple[int, int, int], device: str) -> tuple[Recorder, tuple[int, ...]]:
    """A forward pass of a copy under the recorder; gradients stay on, without them torch may fuse layers."""
    network = _copy_to(module, device).eval()
    recorder = Recorder(network)
    with torch.device(device), recorder.hooked(network):
        image = torch.zeros(1, *input_shape, dtype=_image_dtype(module))
        recorder.start(image)
        with recorder:
            result = network(image)
    return recorder, recorder.sources_of(result)


def _image_dtype(module: nn.Module) -> torch.dtype:
    return next((p.dtype for p in module.parameters() if p.is_floating_point()), torch.float32)


def _copy_to(module: nn.Module, device: str) -> nn.Module:
    """A deep copy whose tensors are on ``device``; on the meta device no number is copied."""
    memo: dict[int, Any] = {}
    for owner in module.modules():
        for value in vars(owner).values():
            held = value.values() if isinstance(value, dict) else (value,)
            for tensor in held:
                if isinstance(tensor, torch.Tensor):
                    memo[id(tensor)] = _blank(tensor, device)
    return copy.deepcopy(module, memo)


def _blank(tensor: torch.Tensor, device: str) -> torch.Tensor:
    if device == "cpu" and tensor.device.type != "meta":
        blank = tensor.detach().cpu().clone()
    else:
        blank = torch.zeros(tensor.shape, dtype=tensor.dtype, device=device)
    return nn.Parameter(blank, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else blank


def _assemble(
    module: nn.Module, input_shape: tuple[int, int, int], drafts: list[Draft], outputs: tuple[int, ...]
) -> NetworkTrace:
    modules = dict(module.named_modules())
    seen: set[str] = set()
    nodes, edges = [], []
    for index, draft in enumerate(drafts):
        owner = modules.get(draft.path) if index else None
        nodes.append(_node(draft, None if draft.path in seen else owner))
        if index:
            seen.add(draft.path)
        edges += [Edge(source, index, reshape) for source, reshape in draft.sources]
    return NetworkTrace(
        input_shape=input_shape,
        nodes=tuple(nodes),
        edges=tuple(edges),
        outputs=outputs,
        trainable_params=sum(parameter.numel() for parameter in module.parameters()),
        bn_running_stats=sum(_running_stats(owner) for owner in module.modules()),
    )


def _node(draft: Draft, owner: nn.Module | None) -> Node:
    return Node(
        path=draft.path,
        module=draft.module,
        layer=draft.layer,
        kind=draft.kind,
        input_shapes=tuple(draft.input_shapes),
        output_shape=draft.output_shape,
        trainable_params=0 if owner is None else sum(p.numel() for p in owner.parameters(recurse=False)),
        bn_running_stats=0 if owner is None else _running_stats(owner),
        macs=draft.macs,
        elementwise_ops=dict(sorted(draft.elementwise_ops.items())),
        arguments=draft.arguments,
        activation_bytes=draft.activation_bytes,
        parameter_bytes=draft.parameter_bytes,
    )


def _running_stats(module: nn.Module) -> int:
    named = dict(module.named_buffers(recurse=False))
    return sum(named[name].numel() for name in ("running_mean", "running_var") if name in named)


def _node_to_dict(index: int, node: Node) -> dict[str, Any]:
    return {
        "index": index,
        "path": node.path,
        "class": node.module,
        "layer": node.layer,
        "kind": node.kind,
        "input_shapes": [list(shape) for shape in node.input_shapes],
        "output_shape": list(node.output_shape),
        "trainable_params": node.trainable_params,
        "bn_running_stats": node.bn_running_stats,
        "macs": node.macs,
        "elementwise_ops": dict(node.elementwise_ops),
        "arguments": node.arguments,
        "activation_bytes": node.activation_bytes,
        "parameter_bytes": node.parameter_bytes,
    }
