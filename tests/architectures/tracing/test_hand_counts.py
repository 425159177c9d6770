"""The counter against numbers worked out by hand, for what networks contract dimensions with beside plain layers."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows
from torch import nn
from torch.nn.utils import parametrizations, rnn
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import flop_registry, register_flop_formula

from fbench.architectures.tracing.counts import NotCounted
from fbench.architectures.tracing.passes import TRACE_DEVICES
from fbench.architectures.tracing.trace import trace, trace_on

C, SIDE = 8, 6
PLACES_IN_MAP = SIDE * SIDE  # 36 tokens of width 8, or 6 steps of a sequence
IMAGE = (C, SIDE, SIDE)


class Network(nn.Module):
    """A module with the given parts whose forward pass is the given function."""

    def __init__(self, forward: Callable[[Any, torch.Tensor], Any], **parts: Any) -> None:
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)
        self.run = forward

    def forward(self, x: torch.Tensor) -> Any:
        return self.run(self, x)


def tokens(x: torch.Tensor) -> torch.Tensor:
    """(N, 36, 8)."""
    return x.flatten(2).transpose(1, 2)


def steps(x: torch.Tensor) -> torch.Tensor:
    """(N, 6, 8)."""
    return x.mean(2).transpose(1, 2)


def weight(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.randn(*shape))


@dataclass(frozen=True)
class Case:
    make: Callable[[], nn.Module]
    macs: dict[str, int]
    per_call: dict[str, int] = field(default_factory=dict)
    image: tuple[int, int, int] = IMAGE


def packed(self: Any, x: torch.Tensor) -> torch.Tensor:
    sequence = rnn.pack_padded_sequence(steps(x), torch.full((x.shape[0],), SIDE), batch_first=True)
    return self.cell(sequence)[0].data


def cell_by_cell(self: Any, x: torch.Tensor) -> torch.Tensor:
    state = torch.zeros(x.shape[0], 5)
    for step in steps(x).unbind(1):
        state = self.cell(step, state)
    return state


def by_heads(x: torch.Tensor, heads: int) -> torch.Tensor:
    return tokens(x).unflatten(-1, (heads, C // heads)).transpose(1, 2)


def sdpa(x: torch.Tensor, heads: int, **options: Any) -> torch.Tensor:
    parts = by_heads(x, heads)
    return F.scaled_dot_product_attention(parts, parts, parts, **options)


def cross(x: torch.Tensor) -> torch.Tensor:
    few = by_heads(x, 2)[:, :, :4]
    return F.scaled_dot_product_attention(few, by_heads(x, 2), by_heads(x, 2)[..., :3])


def grouped(x: torch.Tensor) -> torch.Tensor:
    query, key = by_heads(x, 4), by_heads(x, 4)[:, :2]
    return F.scaled_dot_product_attention(query, key, key, enable_gqa=True)


def routed(self: Any, x: torch.Tensor) -> torch.Tensor:
    """Dynamic routing between capsules (Sabour et al. 2017): 36 capsules of 8 to 3 capsules of 4, twice."""
    votes = (self.w[None] @ tokens(x)[:, :, None, :, None]).squeeze(-1)  # (N, 36, 3, 4)
    logits = torch.zeros(x.shape[0], PLACES_IN_MAP, 3)
    for _ in range(2):
        capsules = torch.einsum("nij,nijk->njk", logits.softmax(2), votes)
        logits = logits + torch.einsum("njk,nijk->nij", capsules, votes)
    return capsules


def composed(self: Any, x: torch.Tensor) -> torch.Tensor:
    """A 3x3 kernel of 5 channels, then a 1x1 kernel to 4, made one kernel before any image is seen."""
    kernel = torch.einsum("oc,cikl->oikl", self.second, self.first)
    return F.conv2d(x, kernel)


def over_coordinates(self: Any, x: torch.Tensor) -> torch.Tensor:
    """A layer over the 36 coordinates gives the weights of a sum over places."""
    grid = torch.stack(torch.meshgrid(torch.linspace(-1, 1, SIDE), torch.linspace(-1, 1, SIDE), indexing="ij"), -1)
    return tokens(x).transpose(1, 2) @ self.mlp(grid.view(-1, 2))


def own_loop(self: Any, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return self.c(x)


def inference(self: Any, x: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        maps = self.c(x)
        product = self.fc(tokens(maps))
    return product.clone()


def forgetful(self: Any, x: torch.Tensor) -> torch.Tensor:
    result = checkpoint(self.c, x, use_reentrant=False)
    assert isinstance(result, torch.Tensor)
    return result


def each_image(self: Any, x: torch.Tensor) -> torch.Tensor:
    return torch.func.vmap(lambda image: F.conv2d(image[None], self.w)[0])(x)


def reads_numbers_first(module: nn.Module) -> nn.Module:
    """The same network behind a look at its numbers, which the meta device does not have."""

    def forward(self: Any, x: torch.Tensor) -> Any:
        if torch.isnan(x).any():
            raise ValueError("not a number")
        return self.inner(x)

    return Network(forward, inner=module)


def dynamic(self: Any, x: torch.Tensor) -> torch.Tensor:
    """Each image has a 1x1 kernel of its own, made from it (CondConv, dynamic filters)."""
    kernels = self.h(x.mean((2, 3))).view(-1, C, 1, 1)
    return F.conv2d(x.reshape(1, -1, SIDE, SIDE), kernels, groups=len(x))


def descends(self: Any, x: torch.Tensor) -> torch.Tensor:
    """A step against the gradient of an energy."""
    with torch.enable_grad():
        at = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(self.c(at).square().sum(), at)
    return x - gradient


def scripted() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it is deprecated, and people have it
        return nn.Sequential(torch.jit.script(conv()))


def over_a_graph(self: Any, x: torch.Tensor) -> torch.Tensor:
    return torch.stack([torch.sparse.mm(self.graph, one) for one in tokens(x)])


class Graph(Network):
    """A sparse matrix of the 36 places with 70 entries."""

    def __init__(self) -> None:
        super().__init__(over_a_graph)
        band = torch.diag(torch.ones(35), 1) + torch.diag(torch.ones(35), -1)
        self.register_buffer("graph", band.to_sparse())


CONV = PLACES_IN_MAP * C * 4 * 9  # a 3x3 convolution from 8 to 4 channels, padded
LSTM = SIDE * 4 * 5 * (C + 5)
TOKEN_PROJECTION = PLACES_IN_MAP * C * C
PRODUCTS = 2 * PLACES_IN_MAP * PLACES_IN_MAP * C  # scores and values, whatever the number of heads


def conv(**options: Any) -> nn.Conv2d:
    return nn.Conv2d(C, 4, 3, padding=1, **options)


CASES: dict[str, Case] = {
    "lstm": Case(lambda: Network(lambda s, x: s.cell(steps(x))[0], cell=nn.LSTM(C, 5, batch_first=True)),
                 {"recurrent": LSTM}),
    "lstm of two layers and both directions": Case(
        lambda: Network(lambda s, x: s.cell(steps(x))[0], cell=nn.LSTM(C, 5, 2, batch_first=True, bidirectional=True)),
        {"recurrent": 2 * LSTM + 2 * SIDE * 4 * 5 * (10 + 5)},
    ),
    "lstm with a projection": Case(
        lambda: Network(lambda s, x: s.cell(steps(x))[0], cell=nn.LSTM(C, 5, batch_first=True, proj_size=3)),
        {"recurrent": SIDE * (4 * 5 * (C + 3) + 3 * 5)},
    ),
    "packed lstm": Case(lambda: Network(packed, cell=nn.LSTM(C, 5, batch_first=True)), {"recurrent": LSTM}),
    "gru": Case(lambda: Network(lambda s, x: s.cell(steps(x))[0], cell=nn.GRU(C, 5, batch_first=True)),
                {"recurrent": SIDE * 3 * 5 * (C + 5)}),
    "elman network": Case(lambda: Network(lambda s, x: s.cell(steps(x))[0], cell=nn.RNN(C, 5, batch_first=True)),
                          {"recurrent": SIDE * 5 * (C + 5)}),
    "gru cell": Case(lambda: Network(cell_by_cell, cell=nn.GRUCell(C, 5)), {"recurrent": SIDE * 3 * 5 * (C + 5)}),
    "multi-head attention": Case(
        lambda: Network(lambda s, x: s.a(tokens(x), tokens(x), tokens(x))[0],
                        a=nn.MultiheadAttention(C, 2, batch_first=True)),
        {"linear": 4 * TOKEN_PROJECTION, "attention": PRODUCTS},
    ),
    "multi-head attention without weights": Case(
        lambda: Network(lambda s, x: s.a(tokens(x), tokens(x), tokens(x), need_weights=False)[0],
                        a=nn.MultiheadAttention(C, 2, batch_first=True)),
        {"linear": 4 * TOKEN_PROJECTION, "attention": PRODUCTS},
    ),
    "frozen encoder layer": Case(
        lambda: Network(lambda s, x: s.a(tokens(x)),
                        a=nn.TransformerEncoderLayer(C, 2, 16, batch_first=True).requires_grad_(False)),
        {"linear": 4 * TOKEN_PROJECTION + 2 * PLACES_IN_MAP * C * 16, "attention": PRODUCTS},
    ),
    "attention": Case(lambda: Network(lambda s, x: sdpa(x, 2)), {"attention": PRODUCTS}),
    "causal attention": Case(lambda: Network(lambda s, x: sdpa(x, 2, is_causal=True)), {"attention": PRODUCTS}),
    "masked attention": Case(
        lambda: Network(lambda s, x: sdpa(x, 4, attn_mask=torch.zeros(PLACES_IN_MAP, PLACES_IN_MAP))),
        {"attention": PRODUCTS},
    ),
    "cross attention to narrower values": Case(lambda: Network(lambda s, x: cross(x)),
                                               {"attention": 2 * 4 * PLACES_IN_MAP * (4 + 3)}),
    "grouped-query attention": Case(lambda: Network(lambda s, x: grouped(x)), {"attention": PRODUCTS}),
    "bilinear": Case(lambda: Network(lambda s, x: s.b(x.mean((2, 3)), x.amax((2, 3))), b=nn.Bilinear(C, C, 5)),
                     {"bilinear": 5 * C * C}),
    "addbmm": Case(lambda: Network(lambda s, x: torch.addbmm(s.w, x.mean(0), x.mean(0)), w=weight(SIDE, SIDE)),
                   {}, {"attention": C * SIDE**3}),
    "baddbmm": Case(lambda: Network(lambda s, x: torch.baddbmm(s.w, tokens(x), s.m.expand(len(x), -1, -1)),
                                    w=weight(1, 1, 5), m=weight(1, C, 5)), {"linear": PLACES_IN_MAP * C * 5}),
    "cdist to a codebook": Case(lambda: Network(lambda s, x: torch.cdist(tokens(x), s.w), w=weight(5, C)),
                                {"distance": PLACES_IN_MAP * 5 * C}),
    "cdist by city blocks": Case(lambda: Network(lambda s, x: torch.cdist(tokens(x), s.w, p=1.0), w=weight(5, C)),
                                 {"distance": PLACES_IN_MAP * 5 * C}),
    "einsum with parameters": Case(lambda: Network(lambda s, x: torch.einsum("nchw,cd->ndhw", x, s.w), w=weight(C, 5)),
                                   {"linear": PLACES_IN_MAP * C * 5}),
    "einsum of two maps": Case(lambda: Network(lambda s, x: torch.einsum("nchw,ndhw->ncd", x, x)),
                               {"attention": PLACES_IN_MAP * C * C}),
    "einsum of three factors": Case(
        lambda: Network(lambda s, x: torch.einsum("nchw,cd,de->nehw", x, s.v, s.w), v=weight(C, 5), w=weight(5, 3)),
        {"linear": PLACES_IN_MAP * (C * 5 + 5 * 3)},
    ),
    "kernels made of the image": Case(lambda: Network(dynamic, h=nn.Linear(C, C * C)),
                                      {"convolution": PLACES_IN_MAP * C * C, "linear": C**3}),
    "gradient inside": Case(lambda: Network(descends, c=conv()), {"convolution": CONV, "other": CONV}),
    "scripted": Case(scripted, {"convolution": CONV}),
    "sparse matrix": Case(Graph, {"linear": 70 * C}),
    "tensordot": Case(lambda: Network(lambda s, x: torch.tensordot(x, s.w, dims=([1], [0])), w=weight(C, 5)),
                      {"linear": PLACES_IN_MAP * C * 5}),
    "convolution under no_grad": Case(lambda: Network(own_loop, c=conv()), {"convolution": CONV}),
    "convolution and linear layer under inference_mode": Case(
        lambda: Network(inference, c=conv(), fc=nn.Linear(4, 3)), {"convolution": CONV, "linear": PLACES_IN_MAP * 12}
    ),
    "convolution under checkpoint": Case(lambda: Network(forgetful, c=conv()), {"convolution": CONV}),
    "convolution under vmap": Case(lambda: Network(each_image, w=weight(4, C, 3, 3)), {"convolution": 16 * 4 * C * 9}),
    "weight_norm": Case(lambda: parametrizations.weight_norm(conv()), {"convolution": CONV}),
    "spectral_norm": Case(lambda: parametrizations.spectral_norm(conv()), {"convolution": CONV},
                          {"linear": 4 * C * 9 + 4}),
    "old weight_norm": Case(lambda: old_norm("weight_norm"), {"convolution": CONV}),
    "old spectral_norm": Case(lambda: old_norm("spectral_norm"), {"convolution": CONV}, {"linear": 4 * C * 9 + 4}),
    "orthogonal": Case(lambda: Network(lambda s, x: s.fc(tokens(x)), fc=parametrizations.orthogonal(nn.Linear(C, C))),
                       {"linear": TOKEN_PROJECTION}, {"linear": C**3}),
    "list of parameters": Case(
        lambda: Network(lambda s, x: sum(tokens(x) @ w for w in s.w), w=nn.ParameterList([weight(C, 2), weight(C, 2)])),
        {"linear": 2 * PLACES_IN_MAP * C * 2},
    ),
    "lazy layers": Case(
        lambda: nn.Sequential(nn.LazyConv2d(4, 3, padding=1), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(7)),
        {"convolution": CONV, "linear": 4 * PLACES_IN_MAP * 7},
    ),
    "capsules": Case(
        lambda: Network(routed, w=weight(PLACES_IN_MAP, 3, 4, C)),
        # Four products over the votes; the first has the same weight everywhere.
        {"linear": PLACES_IN_MAP * 3 * 4 * (C + 1), "attention": 3 * PLACES_IN_MAP * 3 * 4},
    ),
    "kernel made of kernels": Case(
        lambda: Network(composed, first=weight(5, C, 3, 3), second=weight(4, 5)),
        {"convolution": 16 * 4 * C * 9}, {"linear": 4 * 5 * C * 9},
    ),
    "layer over coordinates": Case(
        lambda: Network(over_coordinates, mlp=nn.Sequential(nn.Linear(2, 9), nn.ReLU(), nn.Linear(9, 3))),
        {"linear": C * PLACES_IN_MAP * 3}, {"linear": PLACES_IN_MAP * (2 * 9 + 9 * 3)},
    ),
    "unfolded convolution": Case(
        lambda: Network(lambda s, x: s.w @ F.unfold(x, 3), w=weight(4, C * 9)), {"linear": 16 * 4 * C * 9}
    ),
    "transposed and one-dimensional convolutions": Case(
        lambda: Network(lambda s, x: s.b(s.a(x).mean(2)), a=nn.ConvTranspose2d(C, 3, 2, 2), b=nn.Conv1d(3, 5, 3)),
        {"convolution": PLACES_IN_MAP * C * 3 * 4 + 10 * 3 * 5 * 3},
    ),
    "spatial transformer": Case(
        lambda: Network(lambda s, x: F.grid_sample(x, F.affine_grid(s.fc(x.mean((2, 3))).view(-1, 2, 3), list(x.shape),
                                                                     align_corners=False), align_corners=False),
                        fc=nn.Linear(C, 6)),
        {"linear": C * 6 + PLACES_IN_MAP * 2 * 3},
    ),
}  # fmt: skip  # a case a paragraph


def old_norm(name: str) -> nn.Module:
    with pytest.warns(FutureWarning) if name == "weight_norm" else pytest.MonkeyPatch.context():
        module: nn.Module = getattr(nn.utils, name)(conv())
    return module


NEED_NUMBERS = frozenset({"packed lstm", "sparse matrix"})
"""The cases whose forward pass the meta device, which holds no numbers, cannot run."""


def counted(module: nn.Module, image: tuple[int, int, int], place: Any) -> tuple[dict[str, int], dict[str, int]]:
    traced = trace_on(module, image, place)
    rows = [(node.macs, node.macs_per_call) for node in traced.nodes]
    assert sum(one for one, _ in rows) == traced.macs
    return dict(traced.per_image.macs), dict(traced.per_call.macs)


@pytest.mark.parametrize(
    ("name", "place"),
    [(name, place) for place in TRACE_DEVICES[:2] for name in CASES if place != "meta" or name not in NEED_NUMBERS],
)
def test_counts_as_by_hand_on_the_meta_device_and_on_the_cpu(name: str, place: Any) -> None:
    case = CASES[name]
    assert counted(case.make(), case.image, place) == (case.macs, case.per_call)


@pytest.mark.parametrize("name", sorted(NEED_NUMBERS))
def test_a_forward_pass_that_needs_numbers_cannot_run_on_the_meta_device(name: str) -> None:
    case = CASES[name]
    with pytest.raises((NotImplementedError, RuntimeError)):
        counted(case.make(), case.image, "meta")


@pytest.mark.parametrize("name", ["lstm", "gru", "multi-head attention", "attention", "frozen encoder layer"])
def test_a_network_that_looks_at_its_numbers_counts_as_one_that_does_not(name: str) -> None:
    case = CASES[name]
    traced = trace(reads_numbers_first(case.make()), case.image)
    assert dict(traced.per_image.macs) == case.macs


def test_a_learned_query_is_a_product_of_parameters_with_a_map() -> None:
    module = Network(lambda s, x: tokens(x) @ s.q, q=weight(C))
    assert counted(module, IMAGE, "meta") == ({"linear": PLACES_IN_MAP * C}, {})


def in_another_thread(self: Any, x: torch.Tensor) -> torch.Tensor:
    with ThreadPoolExecutor(1) as pool:
        return x + pool.submit(torch.matmul, x, self.w).result()


CONTRACTIONS_WITHOUT_A_FORMULA: dict[str, tuple[Callable[[Any, torch.Tensor], Any], str, bool]] = {
    "a Fourier transform": (lambda s, x: torch.fft.rfft2(x).real, "_fft_r2c", False),
    "a matrix inverse": (lambda s, x: torch.linalg.inv(x + 9 * torch.eye(SIDE)), "linalg_inv_ex", False),
    "an exponential of parameters": (lambda s, x: x @ torch.matrix_exp(s.w), "linalg_matrix_exp", True),
    "an operation of another package": (
        lambda s, x: torch.ops.fbench_test.contract(x, s.w),
        "fbench_test.contract",
        False,
    ),
}  # fmt: skip  # a case a paragraph


@torch.library.custom_op("fbench_test::contract", mutates_args=())
def contract(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    return x @ w


@contract.register_fake
def _(x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    return x.new_empty(x.shape)


@pytest.mark.parametrize("name", CONTRACTIONS_WITHOUT_A_FORMULA)
def test_what_contracts_without_a_known_formula_is_named_with_its_calls(name: str) -> None:
    forward, operation, on_parameters = CONTRACTIONS_WITHOUT_A_FORMULA[name]
    traced = trace(Network(lambda s, x: forward(s, forward(s, x)), w=weight(SIDE, SIDE)), IMAGE)
    assert traced.not_counted == (NotCounted(operation, 2, on_parameters),)


def test_an_operation_of_a_users_own_is_counted_by_the_formula_that_is_registered_for_it() -> None:
    @register_flop_formula(torch.ops.fbench_test.contract)
    def flops(x_shape: Any, w_shape: Any, **_: Any) -> int:
        return 2 * int(torch.Size(x_shape).numel()) * int(w_shape[-1])

    try:
        traced = trace(Network(lambda s, x: torch.ops.fbench_test.contract(x, s.w), w=weight(SIDE, SIDE)), IMAGE)
    finally:
        del flop_registry[torch.ops.fbench_test.contract]
    assert traced.not_counted == ()
    assert dict(traced.per_image.macs) == {"other": C * SIDE**3}
