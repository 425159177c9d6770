"""Networks whose graph is no row of layers: drawn and compared as far as they can be, or left out with a reason."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows
from torch import nn

from fbench.architectures.tracing.trace import trace
from fbench.benchmark.records.network_description import NetworkDescription
from fbench.benchmark.store.run_table import load_run
from fbench.benchmark.training.networks import bare_network_spec, describe_network
from fbench.reports.figures.architecture import architecture_drawing
from fbench.reports.figures.drawing import to_svg
from fbench.reports.findings.networks.blueprint import Blueprint, blueprint
from fbench.reports.findings.networks.differences import described_network as named
from fbench.reports.findings.networks.differences import network_differences
from fbench.reports.findings.networks.inventory import take_inventory
from fbench.reports.render.html.build import gather_report
from fbench.reports.render.html.html import render
from fbench.reports.render.plain.contents import plain_report
from tests.reports.fabricated_run import Recipe, fabricate_run

Tensor = torch.Tensor
Forward = Callable[["Net", Tensor], Any]


class Net(nn.Module):
    """A convolution to 8 maps of 24x24 and a head, with whatever is between them."""

    def __init__(self, forward: Forward, **layers: nn.Module) -> None:
        super().__init__()
        self.c = nn.Conv2d(1, 8, 3, stride=2, padding=1)
        self.head = nn.Linear(8, 7)
        self.q = nn.Parameter(torch.randn(8))
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.call = forward

    def forward(self, images: Tensor) -> Any:
        return self.call(self, F.relu(self.c(images)))


@functools.cache
def ires() -> NetworkDescription:
    return describe_network(bare_network_spec("ires", {}))


def describe(forward: Forward, **layers: nn.Module) -> NetworkDescription:
    found = trace(Net(forward, **layers).eval(), (1, 48, 48)).to_json()
    description = NetworkDescription.model_validate_json(json.dumps(found))
    assert description.to_json() == found
    return description


def plain(net: Net, x: Tensor) -> Tensor:
    return net.head(x.mean((2, 3)))  # type: ignore[no-any-return] # of a module


def attention_pool(net: Net, x: Tensor) -> Tensor:
    tokens = x.flatten(2).transpose(1, 2)
    return net.head(((tokens @ net.q).softmax(1)[..., None] * tokens).sum(1))  # type: ignore[no-any-return]


def weight_standard(net: Net, x: Tensor) -> Tensor:
    weight = net.g.weight
    return plain(net, F.conv2d(x, weight - weight.mean((1, 2, 3), keepdim=True), net.g.bias, padding=1))


def lines_of(plan: Blueprint) -> list[str]:
    return [line.text for stage in plan.stages for line in stage.lines]


def test_operations_on_parameters_alone_are_no_part_of_a_network() -> None:
    """Weight standardisation: a mean and a difference of weights, and the convolution that takes them."""
    lines = lines_of(blueprint(describe(weight_standard, g=nn.Conv2d(8, 8, 3, padding=1))))
    assert lines == ["3×3 conv 1 → 8 / 2, ReLU", "functional conv 8 → 8", "global average pooling", "dense 8 → 7"]


def test_attention_pooling_is_drawn_and_compared() -> None:
    description = describe(attention_pool)
    assert lines_of(blueprint(description)) == [
        "3×3 conv 1 → 8 / 2, ReLU",
        "dense 8 → 1, softmax",
        "multiply",
        "sum",
        "dense 8 → 7",
    ]
    found = network_differences(named("attentionpool", description), named("plain", describe(plain)))
    assert "one softmax activation more" in found.sentence
    assert "one global average pooling layer fewer" in found.sentence
    back = network_differences(named("plain", describe(plain)), named("attentionpool", description))
    assert "one global average pooling layer more" in back.sentence


def test_a_recurrent_layer_is_called_by_its_name() -> None:
    def forward(net: Net, x: Tensor) -> Tensor:
        return net.head(net.l(x.mean(2).transpose(1, 2))[0][:, -1])  # type: ignore[no-any-return]

    description = describe(forward, l=nn.LSTM(8, 8, batch_first=True))
    assert "LSTM" in lines_of(blueprint(description))
    assert "one LSTM layer" in network_differences(named("lstm", description), named("plain", describe(plain))).sentence


def test_layers_of_one_dimension_have_kernels_of_one() -> None:
    def forward(net: Net, x: Tensor) -> Tensor:
        return net.head(net.p(net.one(x.flatten(2))).mean(2))  # type: ignore[no-any-return]

    layers = {"one": nn.Conv1d(8, 8, 3, padding=1), "p": nn.MaxPool1d(2)}
    lines = lines_of(blueprint(describe(forward, **layers)))
    assert lines[1:3] == ["3 conv 8 → 8", "max pooling 2 / 2"]


def many_branches(net: Net, x: Tensor) -> Tensor:
    return net.head(sum(x.mean((2, 3)) * (k + 1) for k in range(300)))  # type: ignore[no-any-return]


def unrolled(net: Net, x: Tensor) -> Tensor:
    state = x.mean((2, 3))
    for _ in range(1500):
        state = torch.tanh(state + state * 0.5)
    return net.head(state)  # type: ignore[no-any-return]


def ever_longer(net: Net, x: Tensor) -> Tensor:
    """130 steps of other sizes, none of which stands for the next."""
    state = x.mean((2, 3))
    for _ in range(130):
        state = torch.tanh(F.pad(state, (0, 1)))
    return net.head(state[:, :8])  # type: ignore[no-any-return]


UNUSUAL: dict[str, Forward] = {
    "several outputs": lambda net, x: (plain(net, x), x),
    "outputs in a dict": lambda net, x: {"logits": plain(net, x)},
    "no outputs": lambda net, x: plain(net, x).tolist() and None,
    "one layer in a loop": lambda net, x: plain(net, net.g(net.g(net.g(x)))),
    "a number for each image": lambda net, x: x.mean((1, 2, 3)).sigmoid() * plain(net, x).sum(1),
    "a scalar": lambda net, x: plain(net, x).sum().exp(),
    "an unknown operation": lambda net, x: net.head(torch.cumsum(x, 1).amax((2, 3))),
    "maps written into a buffer": lambda net, x: plain(net, torch.zeros_like(x).copy_(x)),
    "weights through a layer": lambda net, x: net.head(net.head.weight.new_ones(1, 8) * 2) + plain(net, x),
    "a shortcut of parameters": lambda net, x: plain(net, x + net.q.view(8, 1, 1).exp()),
    "hundreds of branches": many_branches,
}


@pytest.mark.parametrize("name", [*UNUSUAL, pytest.param("a thousand equal steps", marks=pytest.mark.slow)])
def test_unusual_networks_are_drawn_and_compared(name: str) -> None:
    description = describe((UNUSUAL | {"a thousand equal steps": unrolled})[name], g=nn.Conv2d(8, 8, 3, padding=1))
    plan = blueprint(description)
    assert "3×3 conv 1 → 8 / 2, ReLU" in lines_of(plan)
    drawing = architecture_drawing(plan, name)
    assert drawing.alt.startswith(f"Drawing of {name}: ")
    assert to_svg(drawing, "k").startswith("<svg")
    assert network_differences(named("a", description), named("b", describe(plain))).sentence
    assert network_differences(named("a", describe(plain)), named("b", description)).sentence


def with_networks(folder: Path, descriptions: list[NetworkDescription]) -> Path:
    """A run of as many networks, with these descriptions; returns its folder."""
    run = fabricate_run(folder, Recipe(seeds=(0, 1), images=40))
    for network, description in zip(run.networks, descriptions, strict=False):
        record = run.records(network, "fer2013")[0]
        run.folder.write_network(record.spec.network.digest, description)
    return folder


def left_out(folder: Path) -> tuple[list[str], str, str]:
    """The lines of what is left out, and of the report as a page and in plain words."""
    report = gather_report([load_run(folder)])
    (section,) = report.data_sections
    words = " ".join(text for one in plain_report(report).sections for text in one.cautions)
    return [one.sentence for one in section.left_out], render(report), words


@pytest.mark.usefixtures("unpainted")
def test_a_network_too_long_to_be_drawn_costs_its_drawing_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fbench.reports.figures.architecture._TALLEST_IN", 20.0)  # a tenth of what a PNG may have
    lines, page, _ = left_out(with_networks(tmp_path / "run", [ires(), describe(ever_longer)]))
    assert lines == []
    assert "Drawing of ires: 9 stages" in page
    (reason,) = re.findall(
        r"Left out: ires_no_se: [\d,]+ parameters: ValueError: ([\d,]+) layers in [\d,]+ stages? are too many", page
    )
    assert int(reason.replace(",", "")) > 130


DAMAGED = {
    "no JSON": ("{", "does not hold a valid record"),
    "not a network": ('{"modules": 3}', "does not hold a valid record (input_shape: Field required)"),
    "a list": ("[1]", "does not hold a valid record"),
    "missing fields": (
        '{"input_shape": [1, 48, 48], "modules": [{}], "edges": [], "outputs": [], "counts": {}}',
        "does not hold a valid record (modules.0.index: Field required)",
    ),
    "a later version": ('{"schema_version": 99}', "has schema version 99 and this fbench reads 1"),
}


@pytest.mark.usefixtures("unpainted")
@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_description_is_named_and_costs_no_more_than_its_drawing(name: str, tmp_path: Path) -> None:
    folder = with_networks(tmp_path / "run", [ires()] * 3)
    run = load_run(folder)
    digest = run.records("ires_no_se", "fer2013")[0].spec.network.digest
    text, reason = DAMAGED[name]
    run.folder.network_file(digest).write_text(text, encoding="utf-8")
    lines, page, words = left_out(folder)
    assert [line.partition(": ")[2].partition(": ")[0] for line in lines] == [
        "what ires_no_se changes from ires",
        "the drawing of ires_no_se",
    ]
    for line in lines:
        assert reason in line
        assert f"networks/{digest[:16]}/network.json" in line
        assert str(tmp_path) not in line
        assert line in words
    assert page.count("Left out: ") == 2
    assert "Drawing of ires: 9 stages" in page
    assert "ires_relu against ires: the same network, layer by layer" in page


class CoordinateAttention(nn.Module):
    """Factors of rows and of columns (Hou et al. 2021)."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, inner, 1)
        self.rows, self.columns = nn.Conv2d(inner, channels, 1), nn.Conv2d(inner, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        height = x.shape[-2]
        both = torch.cat([x.mean(3, keepdim=True), x.mean(2, keepdim=True).transpose(2, 3)], 2)
        both = F.relu(self.squeeze(both))
        rows, columns = both[:, :, :height], both[:, :, height:].transpose(2, 3)
        return x * self.rows(rows).sigmoid() * self.columns(columns).sigmoid()


class ChannelConvolution(nn.Module):
    """Factors by one convolution along the channels (ECA; Wang et al. 2020)."""

    def __init__(self) -> None:
        super().__init__()
        self.along = nn.Conv1d(1, 1, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        factors = self.along(x.mean((2, 3))[:, None]).sigmoid()
        return x * factors.transpose(1, 2)[..., None]


class SpatialAttention(nn.Module):
    """A factor a place, of averages over channels (CBAM's second part; Woo et al. 2018)."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.second(F.relu(self.first(x.mean(1, keepdim=True)))).sigmoid()


class SqueezeExcite(nn.Module):
    """Factors of channels, of averages over the whole map (Hu et al. 2018)."""

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(channels, inner), nn.Linear(inner, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.second(F.relu(self.first(x.mean((2, 3))))).sigmoid()[..., None, None]


@pytest.mark.parametrize(
    ("attention", "blocks"),
    [
        (CoordinateAttention(8, 4), 0),
        (ChannelConvolution(), 0),
        (SpatialAttention(), 0),
        (SqueezeExcite(8, 2), 1),
    ],
)
def test_attention_is_squeeze_and_excitation_where_it_is_that(attention: nn.Module, blocks: int) -> None:
    description = describe(lambda net, x: net.head(net.attention(x).mean((-2, -1))), attention=attention)
    found = [part for part in take_inventory(description).parts if part.category == "squeeze-and-excitation"]
    assert [part.form for part in found] == ["reduction 4, gate sigmoid"] * blocks
    assert to_svg(architecture_drawing(blueprint(description), "net"), "k").startswith("<svg")
