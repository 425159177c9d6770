"""Can what a network returns be trained and measured? Asked before any training, answered in one sentence."""

from __future__ import annotations

import contextlib
from typing import Any, Final

import torch
from torch import nn

from fbench.architectures.network_copy import copy_to
from fbench.architectures.process_settings import process_settings_kept
from fbench.architectures.registry import ResolvedArchitecture, build, builder_function
from fbench.architectures.tracing.graph import NetworkTrace, Returned
from fbench.core.errors import UserError, errors_of_network
from fbench.core.user_code import location_of_function

_MAY_GIVE_PROBABILITIES: Final = frozenset({"softmax", "exp", "_safe_softmax"})
_TOLERANCE: Final = 1e-3


def refuse_unusable_output(
    name: str, resolved: ResolvedArchitecture, module: nn.Module, traced: NetworkTrace, classes: int
) -> None:
    """Refuse a network that does not return logits (N, classes) that training can reach.

    Args:
        name: what the suite calls the network.
        resolved: what it is built of.
        module: the network, on any device.
        traced: its trace.
        classes: how many classes the data have.

    Raises:
        UserError: it returns no tensor, another shape or type, probabilities, something else in training, or nothing
            that depends on a trainable parameter.
    """
    location = _where(resolved, module)
    trouble = (
        _wrong_shape(traced.returned, classes)
        or _sigmoid_at_the_end(traced)
        or _in_training(resolved, module, classes)
        or _probabilities(name, resolved, traced)
    )
    if trouble:
        found, advice = trouble
        raise UserError(f"The network '{name}' {found}{f' ({location})' if location else ''}; {advice}.")


Trouble = tuple[str, str] | None
"""What the network does, and what to do about it."""


def _where(resolved: ResolvedArchitecture, module: nn.Module) -> str:
    """Where the user's forward pass is written, or else the builder; a scripted network has no such place."""
    try:
        forward = type(module).forward
    except AttributeError:
        forward = builder_function(resolved.builder)
    return location_of_function(forward) or location_of_function(builder_function(resolved.builder))


def _wrong_shape(returned: Returned, classes: int) -> Trouble:
    wanted = f"return one tensor of logits, (N, {classes}) for N images"
    if returned.type != "Tensor":
        held = f" of {len(returned.tensors)} tensor{'' if len(returned.tensors) == 1 else 's'}"
        return f"returns {_with_article(returned.type)}{held if returned.tensors else ''}", wanted
    if returned.tensors[0] == (classes,) and returned.tensors_of_two == ((2, classes),):
        return f"gives ({classes},) for one image", "a squeeze takes the batch of one away: use flatten(1) instead"
    if returned.tensors[0] != (1, classes):
        return f"gives {returned.tensors[0]} for one image, and there are {classes} classes", wanted
    if returned.tensors_of_two is not None and returned.tensors_of_two[0] != (2, classes):
        return f"gives {returned.tensors_of_two[0]} for two images", wanted
    if not getattr(torch, returned.dtype).is_floating_point:
        return f"returns {returned.dtype}", wanted
    return None


def _with_article(name: str) -> str:
    return f"{'an' if name[:1] in 'AEIOUaeiou' else 'a'} {name}"


def _sigmoid_at_the_end(traced: NetworkTrace) -> Trouble:
    if traced.outputs and traced.nodes[traced.outputs[0]].kind == "sigmoid":
        return "ends in a sigmoid", "return what goes into it, as the loss takes logits"
    return None


def _in_training(resolved: ResolvedArchitecture, module: nn.Module, classes: int) -> Trouble:
    """One forward pass of two images in training mode."""
    if not any(parameter.requires_grad for parameter in module.parameters()):
        return "has no trainable parameter", "leave one to be trained"
    try:
        result, born = _train_forward(resolved, module)
    except KeyboardInterrupt:
        raise
    except BaseException:  # SystemExit too: its trials will say so, and the other networks go on
        return _of_another_type(module)
    if born:
        return f"makes the parameter '{born[0]}' in its forward pass", "make it in the builder, so that it is trained"
    if not isinstance(result, torch.Tensor):
        return (
            f"returns a {type(result).__name__} in training",
            f"return one tensor of logits, (N, {classes}), there too",
        )
    if tuple(result.shape) != (2, classes):
        return f"gives {tuple(result.shape)} for two images in training", f"return logits (N, {classes}) there too"
    if not result.requires_grad:
        return "returns what does not depend on a trainable parameter", "leave the gradient on"
    return None


def _of_another_type(module: nn.Module) -> Trouble:
    """Why a network may not take images, which are float32."""
    kinds = _other_types(module)
    if not kinds:
        return None
    return f"has {kinds[0]} parameters and takes no float32 images", "call .float() in its builder"


def _other_types(module: nn.Module) -> list[str]:
    """The types of its parameters that are not float32."""
    kinds = {parameter.dtype for parameter in module.parameters() if parameter.is_floating_point()} - {torch.float32}
    return sorted(str(kind).removeprefix("torch.") for kind in kinds)


def _train_forward(resolved: ResolvedArchitecture, module: nn.Module) -> tuple[Any, list[str]]:
    """What the network returns in training for two images, and the parameters that it has since."""
    with process_settings_kept(), torch.enable_grad():
        if not _other_types(module):  # the meta device lets types mix
            with contextlib.suppress(Exception):  # of any type: without numbers a network fails in many ways
                network = copy_to(module, "meta").train()
                return _run(network, torch.zeros(2, *resolved.input_shape, device="meta"))
        torch.manual_seed(0)
        return _run(build(resolved).train(), torch.rand(2, *resolved.input_shape))


def _run(network: nn.Module, images: torch.Tensor) -> tuple[Any, list[str]]:
    before = {name for name, _ in network.named_parameters()}
    result = network(images)
    return result, [name for name, _ in network.named_parameters() if name not in before]


def _probabilities(name: str, resolved: ResolvedArchitecture, traced: NetworkTrace) -> Trouble:
    """Whether rows are shares of 1, looked at only where something in the network could make them so."""
    if not _MAY_GIVE_PROBABILITIES & {node.kind for node in traced.nodes}:
        return None
    with errors_of_network(name), process_settings_kept(), torch.no_grad():
        torch.manual_seed(0)
        rows = build(resolved).eval()(torch.rand(2, *resolved.input_shape))
    if bool((rows >= 0).all()) and bool(((rows.sum(1) - 1).abs() < _TOLERANCE).all()):
        return "returns probabilities, as after a softmax", "return logits, as the loss takes the softmax itself"
    return None
