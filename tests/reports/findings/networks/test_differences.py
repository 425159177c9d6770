"""What two networks differ in, read from the description that a run keeps of each."""

from __future__ import annotations

import json
import shutil
from functools import cache
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks_by_builder import by_builder
from torch import nn

from fbench.architectures.registry import build, list_architectures, resolve
from fbench.architectures.tracing.trace import trace
from fbench.benchmark.records.network_description import NetworkDescription
from fbench.benchmark.store.run_table import load_run
from fbench.core.errors import UserError
from fbench.reports.findings.networks.differences import (
    NetworkDifferences,
    change_words,
    network_differences,
    network_of_run,
)
from fbench.reports.findings.networks.differences import described_network as named
from fbench.reports.findings.networks.inventory import take_inventory

NAMES = ("arch1", "arch2", "arch3", "ires", "ires_no_se", "ires_flatten", "lenet5", "mini_xception")
REFERENCE = Path(__file__).parents[4] / "results" / "fer2013-standard"
SE = "3 squeeze-and-excitation blocks"


@cache
def description(name: str) -> NetworkDescription:
    resolved = resolve(name)
    with torch.device("meta"):
        module = build(resolved)
    return NetworkDescription.model_validate(trace(module, resolved.input_shape).to_json())


def described(module: nn.Module) -> NetworkDescription:
    return NetworkDescription.model_validate(trace(module, (1, 8, 8)).to_json())


def between(network: str, baseline: str) -> NetworkDifferences:
    return network_differences(named(network, description(network)), named(baseline, description(baseline)))


def changes(network: str, baseline: str) -> list[str]:
    return [change_words(change) for change in between(network, baseline).changes]


def test_arch3_differs_from_arch1_in_biases_one_convolution_and_the_shortcut_too() -> None:
    assert changes("arch3", "arch1") == [
        "no bias in 4 full 3×3 convolutions",
        "2 full 3×3 convolutions in place of depthwise separable 3×3 convolutions",
        "one full 3×3 convolution (16 to 16 channels) more",
        "one projection shortcut (2 pointwise convolutions with batch normalisation) fewer",
    ]


def test_the_other_direction_says_the_same_of_arch1() -> None:
    assert changes("arch1", "arch3") == [
        "a bias in 4 full 3×3 convolutions",
        "2 depthwise separable 3×3 convolutions in place of full 3×3 convolutions",
        "one projection shortcut (2 pointwise convolutions with batch normalisation) more",
        "one full 3×3 convolution (16 to 16 channels) fewer",
    ]


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        ("ires_no_se", ["3 squeeze-and-excitation blocks (reduction 4, gate h_swish) fewer"]),
        ("ires_relu", ["ReLU in place of h_swish in 2 places"]),
        ("ires_hswish_all", ["h_swish in place of ReLU in 12 places"]),
        ("ires_kernel3", ["3 depthwise 3×3 convolutions in place of 5×5"]),
        ("ires_no_residual", ["4 identity shortcuts fewer", "2 projection shortcuts (pointwise convolution) fewer"]),
        ("ires_se_bias", ["a bias in 3 squeeze-and-excitation blocks (reduction 4, gate h_swish)"]),
        ("ires_se_hardsigmoid", [f"{SE} (reduction 4, gate hard sigmoid) in place of (reduction 4, gate h_swish)"]),
        ("ires_se_r8", [f"{SE} (reduction 8, gate h_swish) in place of (reduction 4, gate h_swish)"]),
        (
            "ires_regular_conv",
            [
                "3 full 3×3 convolutions in place of depthwise 3×3 convolutions",
                "3 full 5×5 convolutions in place of depthwise 5×5 convolutions",
            ],
        ),
        (
            "ires_flatten",
            [
                "one dense layer (9,216 to 7) more",
                "one pointwise convolution (256 to 7 channels) fewer",
                "one global average pooling layer fewer",
            ],
        ),
    ],
)
def test_an_ablation_of_ires_names_its_switch_and_nothing_else(network: str, expected: list[str]) -> None:
    assert changes(network, "ires") == expected


def test_sizes_are_given_beside_the_parts() -> None:
    found = between("ires_no_se", "ires")
    assert found.trainable_params == (44_151, 52_663)
    assert found.sentence.endswith(
        "44,151 trainable parameters instead of 52,663 (−16.2 %) and 2,869,120 MACs instead of 2,877,632 (−0.3 %)"
    )
    assert between("ires_relu", "ires").sentence.endswith("Parameters and MACs are equal")
    assert between("ires_se_bias", "ires").sentence.endswith("(+0.5 %) and as many MACs")


@pytest.mark.parametrize("name", by_builder(list_architectures()))
def test_a_network_does_not_differ_from_itself(name: str) -> None:
    found = between(name, name)
    assert found.changes == ()
    assert found.sentence == f"{name} against {name}: the same network, layer by layer. Parameters and MACs are equal"


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(NAMES), st.sampled_from(NAMES))
def test_what_one_has_more_the_other_has_fewer(first: str, second: str) -> None:
    there, back = between(first, second).changes, between(second, first).changes
    for kind, opposite in (("more", "fewer"), ("replaced", "replaced"), ("width", "width"), ("bias", "bias")):
        ours = sum(change.amount for change in there if change.kind == kind)
        assert ours == sum(change.amount for change in back if change.kind == opposite)


@pytest.mark.parametrize("name", by_builder(list_architectures()))
def test_every_convolution_is_in_one_part(name: str) -> None:
    modules = description(name).modules
    parts = take_inventory(description(name)).parts
    # A separable convolution is two layers; a projection's convolutions are named in its form.
    counted = sum({"depthwise separable": 2}.get(part.kind, 1) for part in parts if part.category == "convolution")
    counted += sum(
        int(word[0]) if word[0].isdigit() else 1
        for part in parts
        if part.kind == "projection"
        for word in part.form.split(", ")
    )
    assert counted == sum(module.kind == "convolution" for module in modules)


class Doubled(nn.Module):
    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x) * 2 + 1  # type: ignore[no-any-return] # Sequential gives what its last layer gives


def test_another_order_of_the_same_layers_is_said() -> None:
    first = described(nn.Sequential(nn.Sigmoid(), nn.ReLU()))
    second = described(nn.Sequential(nn.ReLU(), nn.Sigmoid()))
    found = network_differences(named("a", first), named("b", second))
    assert found.changes == ()
    assert found.sentence.startswith("a against b: the same layers in another order or otherwise connected")


def test_layers_of_other_networks_are_named_too() -> None:
    plain = described(nn.Sequential(nn.Conv2d(1, 4, 3)))
    layers = (nn.Conv2d(1, 4, (3, 1)), nn.LeakyReLU(), nn.Dropout(0.25), nn.AvgPool2d(2), nn.Conv2d(4, 4, 3, groups=2))
    rich = described(Doubled(*layers))
    assert [
        change_words(change) for change in network_differences(named("rich", rich), named("plain", plain)).changes
    ] == [
        "one full 3×1 convolution in place of 3×3",
        "one grouped (2) 3×3 convolution (4 to 4 channels) more",
        "one leaky ReLU activation more",
        "one average pooling layer (2×2, stride 2) more",
        "one dropout layer (rate 0.25) more",
        "one multiply operation more",
        "one add operation more",
    ]


def test_a_run_is_read_and_one_without_descriptions_says_nothing(tmp_path: Path) -> None:
    run = load_run(REFERENCE)
    ours, theirs = (network_of_run(run, "fer2013", name) for name in ("ires_no_se", "ires"))
    assert ours is not None
    assert theirs is not None
    found = network_differences(ours, theirs)
    assert [change.part.category for change in found.changes] == ["squeeze-and-excitation"]
    copy = shutil.copytree(REFERENCE, tmp_path / "run")
    shutil.rmtree(copy / "networks")
    assert network_of_run(load_run(copy), "fer2013", "ires") is None


def test_a_description_changed_by_hand_is_named(tmp_path: Path) -> None:
    copy = shutil.copytree(REFERENCE, tmp_path / "run")
    for file in copy.glob("networks/*/network.json"):
        file.write_text(json.dumps({"modules": [{}], "edges": []}), encoding="utf-8")
    with pytest.raises(UserError, match=r"networks/\w+/network\.json does not hold a valid record \(input_s"):
        network_of_run(load_run(copy), "fer2013", "ires")
