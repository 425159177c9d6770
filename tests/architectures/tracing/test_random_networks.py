"""Random networks whose count is known from how they were drawn."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from fbench.architectures.tracing.passes import TRACE_DEVICES
from fbench.architectures.tracing.trace import trace_on

SIDE = 4
PLACES_IN_MAP = SIDE * SIDE
FROM_WIDTH = 4


class Tokens(nn.Module):
    """Runs a layer over the places of a map (N, C, 4, 4) as a sequence (N, 16, C)."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = x.flatten(2).transpose(1, 2)
        if isinstance(self.layer, nn.MultiheadAttention):
            result = self.layer(tokens, tokens, tokens, need_weights=False)[0]
        elif isinstance(self.layer, nn.GRU):
            result = self.layer(tokens)[0]
        else:
            result = self.layer(tokens)
        return result.transpose(1, 2).unflatten(2, (SIDE, SIDE))


class ComposedKernel(nn.Module):
    """A 1x1 convolution whose kernel is the product of two, made at each call."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.first, self.second = nn.Parameter(torch.zeros(3, width)), nn.Parameter(torch.zeros(out, 3))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        kernel = self.second @ self.first
        return nn.functional.conv2d(x, kernel[:, :, None, None])


@dataclass(frozen=True)
class Part:
    """A layer with the counts that its shape gives."""

    layer: nn.Module
    macs: dict[str, int]
    params: int
    per_call: int = 0


def part(kind: str, width: int, out: int) -> Part:
    here = PLACES_IN_MAP
    if kind == "convolution":
        weights = out * width * 9
        return Part(nn.Conv2d(width, out, 3, padding=1), {"convolution": here * weights}, weights + out)
    if kind == "linear":
        return Part(Tokens(nn.Linear(width, out, bias=False)), {"linear": here * width * out}, width * out)
    if kind == "recurrent":
        weights = 3 * out * (width + out)
        return Part(Tokens(nn.GRU(width, out, batch_first=True)), {"recurrent": here * weights}, weights + 6 * out)
    if kind == "composed":
        macs = {"convolution": here * width * out}
        return Part(ComposedKernel(width, out), macs, 3 * (width + out), 3 * width * out)
    layer = Tokens(nn.MultiheadAttention(width, 1, bias=False, batch_first=True))
    return Part(layer, {"linear": 4 * here * width * width, "attention": 2 * here**2 * width}, 4 * width * width)


KINDS = ("convolution", "linear", "recurrent", "composed", "attention")


@settings(max_examples=25, deadline=None)  # each is traced twice, in a fifth of a second
@given(
    drawn=st.lists(st.tuples(st.sampled_from(KINDS), st.integers(1, 6), st.booleans()), min_size=1, max_size=6),
    place=st.sampled_from(TRACE_DEVICES[:2]),
)
@pytest.mark.slow
def test_any_chain_of_layers_counts_what_its_layers_do(drawn: list[tuple[str, int, bool]], place: str) -> None:
    width, layers = FROM_WIDTH, list[nn.Module]()
    macs, per_call, trainable, frozen = Counter[str](), 0, 0, 0
    for kind, out, is_frozen in drawn:
        one = part(kind, width, out)
        layers += [one.layer.requires_grad_(not is_frozen), nn.ReLU()]
        macs.update(one.macs)
        per_call += one.per_call
        trainable, frozen = trainable + one.params * (not is_frozen), frozen + one.params * is_frozen
        width = width if kind == "attention" else out
    traced = trace_on(nn.Sequential(*layers), (FROM_WIDTH, SIDE, SIDE), place)  # type: ignore[arg-type]
    assert dict(traced.per_image.macs) == dict(macs)
    assert traced.per_call.total_macs == per_call
    assert (traced.trainable_params, traced.frozen_params) == (trainable, frozen)
    assert sum(node.macs for node in traced.nodes) == traced.macs
    assert traced.output_shape == (width, SIDE, SIDE)
    assert traced.not_counted == ()
