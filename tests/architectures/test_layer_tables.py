"""Each network follows its published layer table: rows in order, with shapes and parameters."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fbench.architectures.building import build_and_trace
from fbench.architectures.registry import resolve

SPECIFICATION = Path(__file__).parents[3] / "shared" / "specs" / "architectures.md"
HEADINGS = {
    "arch1": "### ARCH-1 ",
    "arch2": "### ARCH-2 ",
    "arch3": "### ARCH-3 ",
    "arch4": "### ARCH-4 ",
    "ires": "### Recommended reading (`ires`)",
    "simple_cnn": "### simple_CNN ",
    "simpler_cnn": "### simpler_CNN ",
    "mini_xception": "### mini_XCEPTION ",
}
OPERATIONS = {
    "convolution": ("conv ", "depthwise ", "pointwise ", "expand ", "project ", "shortcut "),
    "linear": ("dense ",),
    "batch_norm": ("BN(",),
    "max_pool": ("max pool",),
    "average_pool": ("average pool",),
    "relu": ("ReLU",),
    "hard_swish": ("h_swish",),
    "add": ("+ ", "M + K", "add"),
    "mean": ("global average pool", "SE: global average"),
    "dropout": ("dropout",),
    "flatten": ("flatten",),
}


def table_rows(heading: str) -> list[tuple[str, str, str]]:
    """Operation, output and parameters of each row of the table under a heading."""
    if not SPECIFICATION.is_file():
        pytest.skip(f"the specification {SPECIFICATION.name} is not beside this checkout")
    text = SPECIFICATION.read_text(encoding="utf-8")
    section = text[text.index(heading) + 4 :].split("\n###")[0].split("\n## ")[0]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line.startswith("| ")]
    return [(re.sub(r"\*\*.*?\*\* ", "", row[1]), row[2], row[3]) for row in cells if row[0].isdigit()]


def written(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, (*shape[1:], shape[0]) if len(shape) == 3 else shape))


@pytest.mark.parametrize("name", HEADINGS)
def test_layers_with_parameters_follow_the_table(name: str) -> None:
    wanted = [
        (output, parameters.replace(",", ""))
        for _, output, parameters in table_rows(HEADINGS[name])
        if parameters != "0"
    ]
    counted = [
        (
            written(node.output_shape),
            str(node.trainable_params) + (f" + {node.bn_running_stats}" if node.bn_running_stats else ""),
        )
        for node in build_and_trace(resolve(name))[1].nodes
        if node.trainable_params
    ]
    assert counted == wanted


@pytest.mark.parametrize("name", [name for name in HEADINGS if name not in {"ires", "arch2", "arch4"}])
def test_every_operation_follows_the_table(name: str) -> None:
    """Not where one row of the table holds several operations (SE, a dense layer and its ReLU)."""
    nodes = build_and_trace(resolve(name))[1].nodes[1:]
    rows = [row for row in table_rows(HEADINGS[name]) if row[0] != "softmax"]
    assert len(nodes) == len(rows)
    for node, (operation, output, _) in zip(nodes, rows, strict=True):
        assert operation.startswith(OPERATIONS[node.kind]), (node, operation)
        assert written(node.output_shape) == output
