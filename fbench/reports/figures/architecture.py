"""The drawing of a network: its stages from top to bottom, shortcuts at their left, sizes of maps between."""

from __future__ import annotations

from functools import partial
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from fbench.reports.figures.canvas import INK, PAGE_WIDTH_IN, SMALLEST_TYPE
from fbench.reports.figures.drawing import Drawing
from fbench.reports.figures.lettering import fitted, wrapped
from fbench.reports.findings.networks.blueprint import Blueprint, BlueprintLine, Stage
from fbench.reports.formatting import count, listing, plural, significant

_LINE_IN: Final = 0.165
_PADDING_IN: Final = 0.08
_GAP_IN: Final = 0.25
_LEFT: Final = 0.3  # inches left of the boxes, for shortcuts
_RIGHT: Final = 0.04  # inches right of the boxes
_ARROW: Final = _LEFT + 1.0  # inches from the left
_FONT: Final = SMALLEST_TYPE
_INDENT: Final = 0.1  # inches from the edge of a box to its text
_FURTHER: Final = 0.14  # inches that the second line of a layer, and what is marked, stands farther in
_ROOM: Final = PAGE_WIDTH_IN - _LEFT - _RIGHT - 2 * _INDENT
_TOP_IN: Final = 0.02  # inches above the first arrow and below the last
_TALLEST_IN: Final = 200.0  # a PNG of 300 dots an inch may have 65,535 of them
_ATTENTION: Final = "#b8609a"


def architecture_drawing(plan: Blueprint, network: str) -> Drawing:
    """Draw every stage as a box: its name, a line for each layer, and the size of what it gives.

    Raises:
        ValueError: more layers than fit on paper, as where each step of a recurrent network is one.
    """
    heights = [_height(stage) for stage in plan.stages]
    height = _TOP_IN + sum(heights) + _GAP_IN * (len(heights) + 1) + _TOP_IN
    if height > _TALLEST_IN:
        lines = sum(len(stage.lines) for stage in plan.stages)
        raise ValueError(f"{lines:,} layers in {len(plan.stages):,} stages are too many for a drawing")
    return Drawing(PAGE_WIDTH_IN, height, _alt(plan, network), partial(_paint, plan=plan))


def _height(stage: Stage) -> float:
    return 2 * _PADDING_IN + _LINE_IN * (sum(len(_lines(line)) for line in stage.lines) + 1)


def _lines(line: BlueprintLine) -> list[str]:
    """A layer in as many lines as it needs."""
    return wrapped(line.text, _ROOM - _FURTHER, _FONT)


def _paint(figure: Figure, plan: Blueprint) -> None:
    width, height = figure.get_size_inches()
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
    top, words = _TOP_IN, f"input {_shape(plan.input_shape)}"
    for stage in plan.stages:
        _arrow(axes, top, top + _GAP_IN, words)
        top += _GAP_IN
        _box(axes, stage, top, width)
        top, words = top + _height(stage), _shape(stage.output_shape)
    _arrow(axes, top, top + _GAP_IN, words)


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
    name = f"{fitted(stage.title, _ROOM - 1.25, _FONT)}{times}"
    axes.text(left + 0.1, middle, name, va="center", fontsize=_FONT, fontweight="bold")
    axes.text(
        right - 0.08, middle, f"{count(stage.trainable_params)} parameters" if stage.trainable_params else "",
        va="center", ha="right", fontsize=_FONT, alpha=0.75,
    )  # fmt: skip
    for line in stage.lines:
        marked = line.role == "squeeze-and-excitation"
        for number, text in enumerate(_lines(line)):
            middle += _LINE_IN
            if line.role == "shortcut" and number == 0:
                _shortcut(axes, top, middle)
            if marked and number == 0:
                axes.plot([left + _INDENT + 0.03], [middle], marker="o", markersize=5, color=_ATTENTION)
            indent = _INDENT + (_FURTHER if marked or number else 0.0)
            axes.text(left + indent, middle, fitted(text, _ROOM - _FURTHER, _FONT), va="center", fontsize=_FONT)


def _shortcut(axes: Axes, top: float, end: float) -> None:
    """Past the layers, from the input of the stage to the line of the sum."""
    start = top - _GAP_IN / 2
    axes.plot([_ARROW, 0.14, 0.14], [start, start, end], color=INK, linewidth=0.9)
    axes.annotate(
        "", (_LEFT + 0.05, end), xytext=(0.14, end), arrowprops={"arrowstyle": "->", "color": INK, "linewidth": 0.9}
    )


def _arrow(axes: Axes, start: float, end: float, words: str) -> None:
    """From one stage to the next, with the size of what passes."""
    axes.annotate(
        "",
        (_ARROW, end + 0.01),
        xytext=(_ARROW, start),
        arrowprops={"arrowstyle": "->", "color": INK, "linewidth": 0.9, "shrinkA": 0, "shrinkB": 0},
    )
    axes.text(_ARROW + 0.1, (start + end) / 2, words, va="center", ha="left", fontsize=_FONT)


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
