"""The plan of a network, read by hand from the papers' tables, and its drawing."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks_by_builder import by_builder

from fbench.architectures.contract import built_in_contract
from fbench.benchmark.records.network_description import NetworkDescription
from fbench.benchmark.store.run_table import load_run
from fbench.benchmark.training.networks import bare_network_spec, describe_network
from fbench.core.errors import UserError
from fbench.reports.figures.architecture import architecture_drawing
from fbench.reports.figures.drawing import to_svg
from fbench.reports.findings.networks.blueprint import Blueprint, BlueprintLine, blueprint, network_plans
from fbench.reports.findings.networks.differences import described_network as named
from fbench.reports.findings.networks.differences import network_differences
from fbench.reports.render.html.build import build_report
from tests.reports.fabricated_run import Recipe, fabricate_run


@functools.cache
def plan_of(name: str) -> Blueprint:
    return blueprint(describe_network(bare_network_spec(name, {})))


def texts(plan: Blueprint, title: str) -> list[str]:
    (stage,) = [stage for stage in plan.stages if stage.title == title]
    return [line.text for line in stage.lines]


def test_a_module_of_ires_has_the_lines_of_table_1() -> None:
    """Xu et al. 2021, table 1: expansion to 32, a depthwise 3x3 of stride 2, 24 channels out, projected shortcut."""
    plan = plan_of("ires")
    assert texts(plan, "module2") == [
        "1×1 conv 16 → 32, BN, ReLU",
        "3×3 depthwise conv 32 → 32 / 2, BN, ReLU",
        "1×1 conv 32 → 24, BN",
        "+ 1×1 conv",
    ]
    assert [stage.title for stage in plan.stages] == ["stem", *(f"module{k}" for k in range(1, 7)), "last", "head"]
    sizes = [stage.output_shape for stage in plan.stages]
    assert sizes[1:7] == [(16, 24, 24), (24, 12, 12), (24, 12, 12), (40, 6, 6), (40, 6, 6), (40, 6, 6)]


def test_squeeze_and_excitation_and_shortcuts_are_marked_and_absent_where_switched_off() -> None:
    roles = [line.role for stage in plan_of("ires").stages for line in stage.lines]
    assert (roles.count("squeeze-and-excitation"), roles.count("shortcut")) == (3, 6)
    assert BlueprintLine("squeeze-and-excitation, reduction 4, gate h_swish", "squeeze-and-excitation") in [
        line for stage in plan_of("ires").stages for line in stage.lines
    ]
    without = [line.role for stage in plan_of("ires_no_se").stages for line in stage.lines]
    assert "squeeze-and-excitation" not in without
    plain = [line.role for stage in plan_of("ires_no_residual").stages for line in stage.lines]
    assert "shortcut" not in plain


def test_arch_1_has_separable_convolutions_and_arch_3_full_ones_without_a_shortcut() -> None:
    assert texts(plan_of("arch1"), "block")[:3] == [
        "3×3 depthwise separable conv 16 → 32, BN, ReLU",
        "3×3 depthwise separable conv 32 → 32, BN",
        "max pooling 2×2 / 2",
    ]
    roles = {line.role for stage in plan_of("arch3").stages for line in stage.lines}
    assert roles == {"layer"}


def test_equal_units_of_resnet50_are_folded() -> None:
    assert [stage.repeated for stage in plan_of("resnet50").stages if stage.title.startswith("stage3")][:2] == [1, 5]


@pytest.mark.parametrize("name", by_builder(built_in_contract()))
def test_stages_hold_every_parameter_and_mac_and_every_line_is_drawn(name: str) -> None:
    plan = plan_of(name)
    assert sum(stage.repeated * stage.trainable_params for stage in plan.stages) == plan.trainable_params
    assert sum(stage.repeated * stage.macs for stage in plan.stages) == plan.macs
    drawing = architecture_drawing(plan, name)
    assert drawing.height_in < 15
    root = ElementTree.fromstring(to_svg(drawing, "k"))  # noqa: S314 - the text was made in the line itself
    shown = " ".join((element.text or "").strip() for element in root.iter("{http://www.w3.org/2000/svg}text"))
    assert all(line.text in shown for stage in plan.stages for line in stage.lines)  # a long one goes on below


SHAPES = ([4, 8, 8], [4], [])
ARGUMENTS = ("", "4, 4, kernel_size=(1, 1), stride=(2, 1)", "4, 4, kernel_size=(3,), groups=4", "kernel_size=2, p=x")


def module(index: int, kind: str, data: st.DataObject) -> dict[str, Any]:
    shapes = st.sampled_from(SHAPES)
    return {
        "index": index,
        "kind": kind,
        "path": data.draw(st.sampled_from(["", "a", "a.b", "b.c.d"])),
        "class": data.draw(st.sampled_from(["", "Conv1d", "Conv2d", "Dropout"])),
        "layer": data.draw(st.booleans()),
        "arguments": data.draw(st.sampled_from(ARGUMENTS)),
        "input_shapes": data.draw(st.lists(shapes, max_size=2)),
        "output_shape": data.draw(shapes),
        "elementwise_ops": {},
        "trainable_params": 0,
        "bn_running_stats": 0,
        "macs": 0,
        "activation_bytes": 0,
        "parameter_bytes": 0,
    }


NO_COUNTS = dict.fromkeys(
    ("trainable_params", "bn_running_stats", "total_params_keras", "macs", "elementwise_ops", "activation_bytes"), 0
) | {"parameter_bytes": 0, "elementwise_ops_by_kind": {}}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_graph_has_a_plan(data: st.DataObject) -> None:
    """Forks that never join, sums of more than two, layers without a path, scalars, shapes that are not known."""
    words = (
        "convolution",
        "linear",
        "relu",
        "add",
        "multiply",
        "mean",
        "batch_norm",
        "max_pool",
        "dropout",
        "identity",
    )
    kinds = st.sampled_from([*words, "something"])
    count = data.draw(st.integers(1, 12))
    modules = [module(0, "input", data), *(module(k, data.draw(kinds), data) for k in range(1, count + 1))]
    edges = [
        {"source": source, "target": k, "reshape": ""}
        for k in range(1, count + 1)
        for source in data.draw(st.sets(st.integers(0, k - 1), min_size=1, max_size=3))
    ]
    content = {"modules": modules, "edges": edges, "counts": NO_COUNTS, "input_shape": [4, 8, 8], "outputs": [count]}
    described = NetworkDescription.model_validate(content)
    plan = blueprint(described)
    architecture_drawing(plan, "any")
    assert all(stage.lines for stage in plan.stages)
    assert network_differences(named("one", described), named("the other", described)).changes == ()


def test_the_drawing_says_what_it_shows() -> None:
    assert architecture_drawing(plan_of("ires"), "ires").alt == (
        "Drawing of ires: 9 stages, 6 shortcuts and 3 squeeze-and-excitation blocks, 52,663 parameters, 2.88 million "
        "MACs, from 48×48×1 to 7."
    )


@pytest.mark.usefixtures("unpainted")
def test_networks_of_the_same_layers_share_a_drawing_and_a_changed_description_is_named(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(seeds=(0,), images=40))
    description = describe_network(bare_network_spec("ires", {}))
    for record in run.trials.values():
        run.folder.write_network(record.spec.network.digest, description)
    (plan,) = network_plans(run, "fer2013")
    assert plan.networks == ("ires", "ires_no_se", "ires_relu")
    assert "Drawing of ires: 9 stages" in build_report([run])
    file = next((tmp_path / "run" / "networks").glob("*/network.json"))
    file.write_text('{"modules": 3}', encoding="utf-8")
    with pytest.raises(UserError, match=r"network\.json does not hold a valid record \(input_shape: "):
        network_plans(load_run(run.folder.path), "fer2013")
