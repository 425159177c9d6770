"""A network's digest: the part of a trial's identity that changes when someone edits the network."""

from __future__ import annotations

import hashlib
import json
import re
from itertools import zip_longest
from typing import Any, Final

import torch
from torch import nn

from fbench.architectures.tracing.graph import NetworkTrace
from fbench.architectures.tracing.trace import trace

_SAYS_BIAS: Final = (nn.modules.batchnorm._NormBase, nn.GroupNorm, nn.LayerNorm)
_PLAIN = (bool, int, float, str, type(None))


def network_digest(module: nn.Module, input_shape: tuple[int, int, int], source: str | None) -> str:
    """The digest of a network for images of ``input_shape`` (channels, height, width); see :func:`digest_of`."""
    return digest_of(module, trace(module, input_shape), source)


def digest_of(module: nn.Module, traced: NetworkTrace, source: str | None) -> str:
    """SHA-256 (hex) of what a network is: its modules with hyperparameters and shapes, and the flow of data.

    It depends neither on the weights nor on the device, dtype or version of torch: a layer of torch enters
    with its class name and hyperparameters, not with the operations that it runs inside.

    Args:
        module: the network.
        traced: its trace.
        source: ``ResolvedArchitecture.source``; for a plug-in the digest changes with any edit of its file.
    """
    content = {
        "source": source,
        "input_shape": list(traced.input_shape),
        "modules": [_describe(path, owner) for path, owner in module.named_modules()],
        "flow": _flow(traced),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def same_modules(first: nn.Module, second: nn.Module) -> str | None:
    """The path of the first module in which two networks differ, without their weights; None where none does."""
    ours, theirs = ([_describe(*named) for named in network.named_modules()] for network in (first, second))
    pairs = zip_longest(ours, theirs)
    return next((str((one or other)[0]) for one, other in pairs if one != other), None)


def _describe(path: str, module: nn.Module) -> list[Any]:
    parameters = [
        [name, _sizes(parameter), parameter.requires_grad] for name, parameter in module.named_parameters(recurse=False)
    ]
    buffers = [[name, _sizes(buffer)] for name, buffer in module.named_buffers(recurse=False)]
    return [path, type(module).__qualname__, _hyperparameters(module), parameters, buffers]


def _sizes(tensor: torch.Tensor) -> list[int | str]:
    """The shape; a size that is no number, as nested tensors have, as a question mark."""
    return [size if isinstance(size, int) else "?" for size in tensor.shape]


def _hyperparameters(module: nn.Module) -> list[Any]:
    """What a torch layer shows of itself; of other classes also their plain attributes."""
    shown: list[Any] = [_shown(module)]
    if not type(module).__module__.startswith("torch.nn."):
        shown += [
            [name, repr(value)]
            for name, value in sorted(vars(module).items())
            if not name.startswith("_") and name != "training" and _is_plain(value)
        ]
    return shown


def _shown(module: nn.Module) -> str:
    """What a layer shows of itself in PyTorch 2.13, whatever the version: before, layers of normalisation did not say
    whether they have a bias."""
    text = module.extra_repr()
    if isinstance(module, _SAYS_BIAS) and "bias=" not in text:
        return re.sub(r"affine=(True|False)", rf"\g<0>, bias={module.bias is not None}", text)
    return text


def _is_plain(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(_is_plain(entry) for entry in value)
    return isinstance(value, _PLAIN)


def _flow(traced: NetworkTrace) -> dict[str, Any]:
    """Which node takes what from which; kinds and constants only of operations outside torch's layers."""
    return {
        "nodes": [
            [node.path, node.module, *(() if node.layer else (node.kind, node.arguments))] for node in traced.nodes
        ],
        "edges": [[edge.source, edge.target, edge.reshape] for edge in traced.edges],
        "outputs": list(traced.outputs),
    }
