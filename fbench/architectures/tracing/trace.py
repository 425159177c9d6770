"""From a network to its graph, by one forward pass.

The pass runs on the meta device (shapes without numbers), in eval mode, with a batch of one; a network that
needs real numbers is traced on the CPU. A second pass with a batch of two tells what grows with the batch. The
caller's module is not touched. What counts as what is in :mod:`fbench.architectures.tracing.operations` and
:mod:`fbench.architectures.tracing.products`, and what moves how many bytes in
:mod:`fbench.architectures.tracing.memory_traffic`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from fbench.architectures.lazy_layers import materialised
from fbench.architectures.tracing.counts import (
    NodeCounts,
    OperationCounts,
    counts_by_node,
    what_is_not_counted,
)
from fbench.architectures.tracing.dispatch import tensors_in
from fbench.architectures.tracing.drafts import Draft
from fbench.architectures.tracing.graph import Edge, NetworkTrace, Node, ParameterHolder, Returned
from fbench.architectures.tracing.parameters import HeldParameters, held_by
from fbench.architectures.tracing.passes import TRACE_DEVICES, Pass, TraceDevice, run_pass


def trace(module: nn.Module, input_shape: tuple[int, int, int]) -> NetworkTrace:
    """Trace a network on one image.

    Args:
        module: any network from N x C x H x W to tensors, on any device.
        input_shape: channels, height, width.

    Raises:
        Exception: whatever the network raises when it is run on such an image.
    """
    for traced_on in TRACE_DEVICES[:-1]:
        try:
            return trace_on(module, input_shape, traced_on)
        except Exception:  # noqa: S112 - of any type: what a network does without numbers fails in many ways
            continue
    return trace_on(module, input_shape, TRACE_DEVICES[-1])


def trace_on(module: nn.Module, input_shape: tuple[int, int, int], traced_on: TraceDevice) -> NetworkTrace:
    """Trace a network on one image in one place.

    Raises:
        Exception: whatever the network raises when it is run there.
    """
    module = materialised(module, input_shape)
    one = run_pass(module, input_shape, 1, traced_on)
    try:
        two = run_pass(module, input_shape, 2, traced_on)
    except Exception:  # of any type: a network that takes one image at a time is counted all the same
        two = None
    return _assemble(module, input_shape, one, two)


def _assemble(module: nn.Module, input_shape: tuple[int, int, int], one: Pass, two: Pass | None) -> NetworkTrace:
    drafts = one.recorder.drafts
    counts = counts_by_node(one.recorder.counted, two.recorder.counted if two else None)
    called = list(dict.fromkeys(draft.path for draft in drafts[1:]))
    held = held_by(module, called)
    owners = dict(module.named_modules())
    waiting = {path: held[path] for path in called if path in held}
    nodes = [_node(drafts[0], HeldParameters(), None)]
    nodes += [
        _node(draft, waiting.pop(draft.path, HeldParameters()), counts.get(index))
        for index, draft in enumerate(drafts[1:], start=1)
    ]
    return NetworkTrace(
        input_shape=input_shape,
        nodes=tuple(nodes),
        edges=tuple(
            Edge(source, index, reshape) for index, draft in enumerate(drafts) for source, reshape in draft.sources
        ),
        outputs=one.outputs,
        holders=tuple(
            ParameterHolder(path, type(owners[path]).__name__, found)
            for path, found in held.items()
            if path not in called
        ),
        not_counted=what_is_not_counted(one.recorder.counted),
        returned=_returned(one.result, None if two is None else two.result),
    )


def _returned(one: Any, two: Any) -> Returned:
    tensors = tensors_in(one)
    return Returned(
        type="Tensor" if isinstance(one, torch.Tensor) else type(one).__name__,
        tensors=tuple(tuple(tensor.shape) for tensor in tensors),
        tensors_of_two=None if two is None else tuple(tuple(tensor.shape) for tensor in tensors_in(two)),
        dtype=str(tensors[0].dtype).removeprefix("torch.") if tensors else "",
    )


def _node(draft: Draft, held: HeldParameters, counts: NodeCounts | None) -> Node:
    per_image, per_call = (counts.per_image, counts.per_call) if counts else (OperationCounts(), OperationCounts())
    return Node(
        path=draft.path,
        module=draft.module,
        layer=draft.layer,
        kind=draft.kind,
        input_shapes=tuple(draft.input_shapes),
        output_shape=draft.output_shape,
        trainable_params=held.trainable,
        frozen_params=held.frozen,
        shared_params=held.shared,
        bn_running_stats=held.bn_running_stats,
        macs_by_kind=per_image.macs,
        macs_per_call_by_kind=per_call.macs,
        elementwise_ops=per_image.elementwise_ops,
        elementwise_ops_per_call=per_call.elementwise_ops,
        arguments=draft.arguments,
        activation_bytes=draft.activation_bytes,
        parameter_bytes=draft.parameter_bytes,
    )
