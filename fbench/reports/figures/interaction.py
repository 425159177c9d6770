"""The interaction plot: accuracy over the levels of one factor, a line for each level of a second, a panel for a third.

Lines that run in parallel are factors that do not depend on each other.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from math import isnan
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fbench.benchmark.records.specs import DataUnit
from fbench.reports.figures.canvas import INK, PAGE_WIDTH_IN, percent_axis, set_margins
from fbench.reports.figures.drawing import Drawing
from fbench.reports.figures.legend import add_legend, legend_height_in
from fbench.reports.findings.comparisons.factor_words import effect_name, effect_verdict, factor_name
from fbench.reports.findings.comparisons.factors import CellMean, FactorAnalysis
from fbench.reports.findings.comparisons.units import NEW_UNITS
from fbench.reports.formatting import percent, points, points_range, shorten
from fbench.reports.palette import Style

_DASHES: Final = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)), (0, (9, 3)), (0, (3, 1, 1, 1, 1, 1)))
_DODGE: Final = 0.07  # of the distance between two levels: intervals of one level stand beside each other
_PANELS_A_ROW: Final = 2
_PANEL_HEIGHT_IN: Final = 2.6


def interaction_plot(analysis: FactorAnalysis, styles: Mapping[str, Style]) -> Drawing:
    """Mean accuracy of every combination, with intervals for this test set.

    The first factor is on the x axis, the second has a line for each level; each combination of further factors has a
    panel. Points have the colour and the marker of their network.
    """
    design = analysis.design
    panels = list(itertools.product(*design.levels[2:]))
    columns = min(len(panels), _PANELS_A_ROW)
    rows = -(-len(panels) // columns)
    lines = design.levels[1] if len(design.levels) > 1 else ()
    labels = [f"{factor_name(design.factors[1])} {level}" for level in lines]
    legend = 0.02 + legend_height_in(labels)

    def paint(figure: Figure) -> None:
        grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
        set_margins(figure, left=0.58, right=0.1, top=0.32, bottom=0.52 + legend, gap=0.12 * (columns - 1))
        figure.subplots_adjust(hspace=0.3)
        for index, axes in enumerate(grid.flat):
            if index >= len(panels):
                axes.set_visible(False)
                continue
            _panel(axes, analysis, panels[index], styles)
        for axes in grid[:, 0]:
            axes.set_ylabel("top-1, %")
            percent_axis(axes)
        for axes in grid[-1]:
            axes.set_xlabel(factor_name(design.factors[0]))
        if lines:
            handles = [line for line in grid[0, 0].get_lines() if str(line.get_label()).startswith("line ")]
            add_legend(figure, handles, labels)

    return Drawing(PAGE_WIDTH_IN, rows * _PANEL_HEIGHT_IN + 0.3 + legend, _alt(analysis), paint)


def _panel(axes: Axes, analysis: FactorAnalysis, levels: tuple[str, ...], styles: Mapping[str, Style]) -> None:
    design = analysis.design
    if levels:
        names = zip(design.factors[2:], levels, strict=True)
        axes.set_title(
            ", ".join(f"{factor_name(factor)} {shorten(level, 18)}" for factor, level in names), fontsize=9.5
        )
    lines = [(level,) for level in design.levels[1]] if len(design.levels) > 1 else [()]
    shown = {cell.levels: cell for cell in analysis.cells}
    for number, line in enumerate(lines):
        cells = [shown[(level, *line, *levels)] for level in design.levels[0]]
        shift = _DODGE * (number - (len(lines) - 1) / 2)
        _line(axes, cells, [column + shift for column in range(len(cells))], number, styles)
    axes.set_xticks(range(len(design.levels[0])), [shorten(level, 18) for level in design.levels[0]])
    axes.set_xlim(-0.4, len(design.levels[0]) - 0.6)
    axes.grid(visible=False, axis="x")
    axes.margins(y=0.12)


def _line(
    axes: Axes, cells: Sequence[CellMean], positions: Sequence[float], number: int, styles: Mapping[str, Style]
) -> None:
    means = [cell.accuracy.estimate for cell in cells]
    axes.plot(
        positions, means, color=INK, linewidth=1.3, linestyle=_DASHES[number % len(_DASHES)], label=f"line {number}"
    )
    for cell, position in zip(cells, positions, strict=True):
        style = styles[cell.network]
        if not isnan(cell.accuracy.low):
            ends = np.clip([cell.accuracy.low, cell.accuracy.high], 0, 1)
            axes.plot([position, position], ends, color=style.light, linewidth=2, solid_capstyle="butt")
        axes.plot(position, cell.accuracy.estimate, marker=style.marker, markersize=7, color=style.light)


def _alt(analysis: FactorAnalysis) -> str:
    cells = ", ".join(
        f"{' and '.join(cell.levels)} {percent(cell.accuracy.estimate)} % ({cell.network})" for cell in analysis.cells
    )
    found = [
        f"{effect_name(effect)} {points(effect.new_images.estimate)} points"
        f"{_range(effect.new_images.low, effect.new_images.high, analysis.unit)}, {effect_verdict(effect)}"
        for effect in analysis.effects
        if effect.contrast.kind == "interaction"
    ]
    interactions = f" Interactions: {'; '.join(found)}." if found else ""
    return f"Interaction plot of top-1: {cells}.{interactions}"


def _range(low: float, high: float, unit: DataUnit) -> str:
    return "" if isnan(low) else f" ({NEW_UNITS[unit]} {points_range(low, high)})"
