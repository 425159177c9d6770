"""Switches do what they say: seen in modules and outputs, because many move no count."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from fbench.architectures.building import build_and_trace
from fbench.architectures.layers import GATES, SqueezeExcite
from fbench.architectures.registry import create, list_architectures, resolve
from fbench.core.errors import UserError


def kinds(name: str, **options: Any) -> list[str]:
    """Of each activation and gate: where it is and what it is."""
    wanted = ("relu", "hard_swish", "hard_sigmoid", "sigmoid")
    nodes = build_and_trace(resolve(name, **options))[1].nodes
    return [f"{node.path}={node.kind}" for node in nodes if node.kind in wanted]


def test_gates_are_the_printed_formulas() -> None:
    x = torch.linspace(-5, 5, 101)
    relu6 = (x + 3).clamp(0, 6)
    torch.testing.assert_close(GATES["hard_swish"]()(x), x * relu6 / 6)
    torch.testing.assert_close(GATES["hard_sigmoid"]()(x), relu6 / 6)
    torch.testing.assert_close(GATES["sigmoid"]()(x), 1 / (1 + torch.exp(-x)))


def test_literal_gate_of_ires_is_hard_swish_in_modules_4_to_6_only() -> None:
    gates = [entry for entry in kinds("ires") if ".gate=" in entry]
    assert gates == [f"module{number}.body.squeeze_excite.gate=hard_swish" for number in (4, 5, 6)]


@pytest.mark.parametrize(("name", "gate"), [("ires_se_hardsigmoid", "hard_sigmoid"), ("ires_se_sigmoid", "sigmoid")])
def test_gate_variants_change_the_gates_alone(name: str, gate: str) -> None:
    assert kinds(name) == [entry.replace("hard_swish", gate) if ".gate=" in entry else entry for entry in kinds("ires")]


def test_ires_relu_changes_the_stem_and_the_last_convolution_alone() -> None:
    outer = ("stem.", "last.")
    assert kinds("ires_relu") == [
        entry.replace("hard_swish", "relu") if entry.startswith(outer) else entry for entry in kinds("ires")
    ]
    assert sum(entry.startswith(outer) for entry in kinds("ires")) == 2


def test_ires_hswish_all_leaves_the_hidden_activation_of_squeeze_excite() -> None:
    remaining = [entry for entry in kinds("ires_hswish_all") if entry.endswith("=relu")]
    assert remaining == [f"module{number}.body.squeeze_excite.activation=relu" for number in (4, 5, 6)]


def test_squeeze_excite_scales_each_channel_by_its_gate() -> None:
    block = SqueezeExcite(8, 4, bias=True, gate=nn.Sigmoid)
    x = torch.randn(2, 8, 3, 3)
    hidden = torch.relu(x.mean((2, 3)) @ block.reduce.weight.T + block.reduce.bias)
    gate = torch.sigmoid(hidden @ block.expand.weight.T + block.expand.bias)
    torch.testing.assert_close(block(x), torch.einsum("nchw,nc->nchw", x, gate))


def test_shortcut_levels_of_ires_differ_where_shapes_differ() -> None:
    def sums(name: str) -> list[str]:
        return [node.path for node in build_and_trace(resolve(name))[1].nodes if node.kind == "add"]

    assert sums("ires") == [f"module{number}.add" for number in range(1, 7)]
    assert sums("ires_identity_shortcut_only") == [f"module{number}.add" for number in (1, 3, 5, 6)]
    assert sums("ires_no_residual") == []


def test_pure_swap_of_arch1_changes_the_two_separable_convolutions_alone() -> None:
    """656 and 1,312 parameters become 16 x 32 x 9 and 32 x 32 x 9; the rest stays, unlike in ARCH-3."""
    separable, full = (build_and_trace(resolve("arch1", convolution=level))[1] for level in ("separable", "full"))
    assert full.trainable_params - separable.trainable_params == 16 * 32 * 9 - 656 + 32 * 32 * 9 - 1_312
    changed = {node.path for node in separable.nodes} ^ {node.path for node in full.nodes}
    assert all(path.startswith("block.residual.body.unit") and ".convolution" in path for path in changed)


def test_arch3_is_arch1_with_four_switches() -> None:
    options = {"shortcut": "none", "convolution_bias": "none", "extra_stem_convolution": True}
    assert resolve("arch1", convolution="full", **options).options == resolve("arch3").options


@pytest.mark.parametrize(
    ("name", "options", "places"),
    [
        ("arch1", {}, ["head.dropout"]),
        ("arch2", {}, ["head.dense.dropout1", "head.dense.dropout2"]),
        ("arch1", {"head": "flatten"}, ["head.dense.dropout"]),
        ("arch1", {"dropout_place": "pooling"}, ["stem.dropout", "block.dropout", "tail.dropout"]),
        ("arch4", {"dropout_place": "pooling"}, ["stem.dropout", "block.dropout", "tail.dropout"]),
        ("ires", {}, ["head.dropout"]),
        ("ires_flatten_fc256", {}, ["head.dropout1"]),
        ("simple_cnn", {}, [f"stage{number}.dropout" for number in range(1, 5)]),
        ("simpler_cnn", {}, [f"stage{number}.dropout" for number in range(1, 5)]),
        ("mini_xception", {}, ["dropout"]),
        ("lenet5", {}, ["head.dropout1", "head.dropout2"]),
        ("resnet50", {}, ["head.dropout"]),
    ],
)
def test_dropout_stands_where_it_is_documented(name: str, options: dict[str, Any], places: list[str]) -> None:
    with torch.device("meta"):
        dropped = create(name, dropout=0.3, **options)
        plain = create(name, dropout=0, **options)
    found = {path: module.p for path, module in dropped.named_modules() if isinstance(module, nn.Dropout)}
    assert found == dict.fromkeys(places, 0.3)
    assert not any(isinstance(module, nn.Dropout) for module in plain.modules())


def test_default_dropout_is_that_of_the_published_tables() -> None:
    rates = {name: resolve(name).options["dropout"] for name in list_architectures()}
    assert {name: rate for name, rate in rates.items() if rate} == {"simple_cnn": 0.5, "simpler_cnn": 0.25}


IRES_LEVELS = {
    "outer_activation": ("relu", "hard_swish"),
    "module_activation": ("relu", "hard_swish"),
    "squeeze_excite": (None, 4, 8, 100),
    "squeeze_excite_gate": ("hard_swish", "hard_sigmoid", "sigmoid"),
    "squeeze_excite_bias": (False, True),
    "head": ("gap", "flatten", "dense"),
    "dense_widths": ((256,), (32, 16)),
    "convolution": ("separable", "full", "plain"),
    "depthwise_kernel": (3, 5),
    "shortcut": ("projection", "identity", "none"),
    "shortcut_batch_norm": (False, True),
    "first_expansion": (False, True),
    "convolution_bias": (False, True),
    "dropout": (0.0, 0.5),
}
ARCH_LEVELS = {
    "convolution": ("separable", "full"),
    "shortcut": ("projection", "none"),
    "head": ("gap", "flatten", "dense"),
    "dense_widths": ((512, 512), (8,)),
    "convolution_bias": ("tail", "none"),
    "extra_stem_convolution": (False, True),
    "dropout": (0.0, 0.5),
    "dropout_place": ("head", "pooling"),
}


@settings(max_examples=25, deadline=None)
@given(
    cell=st.one_of(
        *(
            st.tuples(
                st.just(name),
                st.fixed_dictionaries({key: st.sampled_from(levels) for key, levels in grid.items()}),
            )
            for name, grid in (("ires", IRES_LEVELS), ("arch1", ARCH_LEVELS))
        )
    ),
    image_size=st.integers(1, 80),
)
@pytest.mark.slow
def test_any_combination_of_switches_builds_at_any_size(cell: tuple[str, dict[str, Any]], image_size: int) -> None:
    name, options = cell
    with torch.device("meta"):
        network = create(name, image_size=image_size, **options).eval()
        assert network(torch.zeros(2, 1, image_size, image_size)).shape == (2, 7)


@pytest.mark.parametrize(
    ("name", "smallest"),
    [("lenet5", 16), ("lenet_count_matched", 24), ("mini_xception", 5), ("ires", 1), ("arch4", 1),
     ("simple_cnn", 1), ("simpler_cnn", 1), ("resnet50_count_matched", 1)],
)  # fmt: skip  # a table
def test_smallest_image_works_and_one_below_names_it(name: str, smallest: int) -> None:
    with torch.device("meta"):
        network = create(name, image_size=smallest).eval()
        assert network(torch.zeros(1, 1, smallest, smallest)).shape == (1, 7)
    with pytest.raises(UserError) as error:
        create(name, image_size=smallest - 1)
    assert ("the smallest that works is" in str(error.value)) == (smallest > 1)
    assert str(smallest) in str(error.value)


def test_simpler_cnn_averages_what_six_strides_leave_of_a_large_image() -> None:
    with torch.device("meta"):
        network = create("simpler_cnn", image_size=100).eval()
        assert network(torch.zeros(1, 1, 100, 100)).shape == (1, 7)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "ires",
            {"outer_activation": "hard_swsh"},
            "give one of: relu, hard_swish. Did you mean 'hard_swish'?",
        ),
        ("ires", {"squeeze_excite_gate": "relu"}, "give one of: hard_swish, hard_sigmoid, sigmoid."),
        ("ires", {"squeeze_excite": 0}, "give a whole number of at least 1."),
        ("ires", {"depthwise_kernel": 4}, "give one of: 3, 5."),
        ("ires", {"convolution_bias": "tail"}, "give true or false."),
        ("ires", {"dense_widths": [], "head": "dense"}, "give a list of whole numbers"),
        ("arch1", {"convolution": "plain"}, "give one of: separable, full."),
        ("arch1", {"shortcut": "identity"}, "give one of: projection, none."),
        ("arch1", {"dropout": 1}, "give a rate of at least 0 and below 1."),
        ("arch1", {"num_classes": 0}, "num_classes is 0; give a whole number of at least 1."),
        ("lenet5", {"convolution_kernels": [5]}, "give one for each of 2 widths."),
        ("resnet50", {"head": "gaap"}, "Did you mean 'gap'?"),
    ],
)
def test_an_illegal_level_is_one_sentence_with_the_legal_ones(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        create(name, **options)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
