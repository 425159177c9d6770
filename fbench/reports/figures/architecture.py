"""The drawing of a network: its stages from top to bottom, shortcuts round their left side, sizes at the right."""

from __future__ import annotations

from functools import partial
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from fbench.reports.figures.canvas import INK, PAGE_WIDTH_IN
from fbench.reports.figures.drawing import Drawing
from fbench.reports.findings.networks.blueprint import Blueprint, Stage
from fbench.reports.formatting import count, listing, plural, shorten, significant

_LINE_IN: Final = 0.165
_PADDING_IN: Final = 0.08
_GAP_IN: Final = 0.13
_LEFT: Final = 0.34  # inches left of the boxes, for shortcuts
_RIGHT: Final = 0.86  # inches right of the boxes, for sizes
_FONT: Final = 9.0
_LONGEST: Final = 50  # letters that fit a box
_TALLEST_IN: Final = 200.0  # a PNG of 300 dots an inch may have 65,535 of them
_ATTENTION: Final = "#b8609a"


def architecture_drawing(plan: Blueprint, network: str) -> Drawing:
    """Draw every stage as a box: its name, a line for each layer, and the size of what it gives.

    Raises:
        ValueError: more layers than fit on paper, as where each step of a recurrent network is one.
    """
    heights = [_height(stage) for stage in plan.stages]
    height = 0.3 + sum(heights) + _GAP_IN * (len(heights) + 1)
    if height > _TALLEST_IN:
        lines = sum(len(stage.lines) for stage in plan.stages)
        raise ValueError(f"{lines:,} layers in {len(plan.stages):,} stages are too many for a drawing")
    return Drawing(PAGE_WIDTH_IN, height, _alt(plan, network), partial(_paint, plan=plan))


def _height(stage: Stage) -> float:
    return 2 * _PADDING_IN + _LINE_IN * (len(stage.lines) + 1)


def _paint(figure: Figure, plan: Blueprint) -> None:
    width, height = figure.get_size_inches()
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    top = 0.26
    _size(axes, width, 0.14, f"input {_shape(plan.input_shape)}")
    for stage in plan.stages:
        _arrow(axes, top - 0.02, top + _GAP_IN)
        top += _GAP_IN
        _box(axes, stage, top, width)
        top += _height(stage)


def _box(axes: Axes, stage: Stage, top: float, width: float) -> None:
    left, right, bottom = _LEFT, width - _RIGHT, top + _height(stage)
    axes.add_patch(
        FancyBboxPatch(
            (left + 0.04, top + 0.04),
            right - left - 0.08,
            bottom - top - 0.08,
            boxstyle="round,pad=0.04",
            facecolor=(0.35, 0.45, 0.6, 0.10),  # pale on a light page, dim on a dark one
            edgecolor=INK,
            linewidth=0.7,
        )
    )
    times = f"  × {stage.repeated}" if stage.repeated > 1 else ""
    middle = top + _PADDING_IN + _LINE_IN / 2
    name = f"{shorten(stage.title, 30)}{times}"
    axes.text(left + 0.1, middle, name, va="center", fontsize=_FONT, fontweight="bold")
    axes.text(
        right - 0.08, middle, f"{count(stage.trainable_params)} parameters" if stage.trainable_params else "",
        va="center", ha="right", fontsize=_FONT, alpha=0.75,
    )  # fmt: skip
    for number, line in enumerate(stage.lines, start=1):
        middle = top + _PADDING_IN + _LINE_IN * (number + 0.5)
        if line.role == "shortcut":
            _shortcut(axes, top, middle)
        if line.role == "squeeze-and-excitation":
            axes.plot([left + 0.13], [middle], marker="o", markersize=5, color=_ATTENTION)
        indent = 0.24 if line.role == "squeeze-and-excitation" else 0.1
        axes.text(left + indent, middle, shorten(line.text, _LONGEST), va="center", fontsize=_FONT)
    _size(axes, width, bottom - 0.1, _shape(stage.output_shape))


def _shortcut(axes: Axes, top: float, end: float) -> None:
    """Past the layers, from the input of the stage to the line of the sum."""
    start = top - _GAP_IN / 2
    axes.plot([_LEFT + 1.0, 0.14, 0.14], [start, start, end], color=INK, linewidth=0.9)
    axes.annotate(
        "", (_LEFT + 0.05, end), xytext=(0.14, end), arrowprops={"arrowstyle": "->", "color": INK, "linewidth": 0.9}
    )


def _arrow(axes: Axes, start: float, end: float) -> None:
    axes.annotate(
        "",
        (_LEFT + 1.0, end + 0.01),
        xytext=(_LEFT + 1.0, start),
        arrowprops={"arrowstyle": "->", "color": INK, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0},
    )


def _size(axes: Axes, width: float, height: float, words: str) -> None:
    inside = words.startswith("input")
    left = _LEFT + 1.1 if inside else width - _RIGHT + 0.08
    axes.text(left, height, words, va="center", ha="left", fontsize=_FONT)


def _shape(shape: tuple[int, ...]) -> str:
    """Channels last, as the papers write it: 24×24×16; a scalar is one number."""
    return "×".join(str(side) for side in (*shape[1:], *shape[:1])) or "1"


def _alt(plan: Blueprint, network: str) -> str:
    amounts = {
        role: sum(stage.repeated * sum(line.role == role for line in stage.lines) for stage in plan.stages)
        for role in ("shortcut", "squeeze-and-excitation")
    }
    extras = [
        plural(amounts["shortcut"], "shortcut") if amounts["shortcut"] else "",
        plural(amounts["squeeze-and-excitation"], "squeeze-and-excitation block")
        if amounts["squeeze-and-excitation"]
        else "",
    ]
    stages = sum(stage.repeated for stage in plan.stages)
    return (
        f"Drawing of {network}: {listing([plural(stages, 'stage'), *(words for words in extras if words)])}, "
        f"{count(plan.trainable_params)} parameters, {significant(plan.macs / 1e6)} million MACs, from "
        f"{_shape(plan.input_shape)} to {_shape(plan.stages[-1].output_shape) if plan.stages else 'nothing'}."
    )
