"""Recall by class against a baseline: dots at the changes, lines at their intervals, and the same in words."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from fbench.reports.figures.canvas import FAINT, PAGE_WIDTH_IN
from fbench.reports.figures.drawing import Drawing
from fbench.reports.figures.recall_changes import RecallChanges, recall_changes
from fbench.reports.palette import assign_styles
from fbench.statistics.estimands import MeanEstimate


def estimate(middle: float, half: float) -> MeanEstimate:
    fields = dict.fromkeys(MeanEstimate.__dataclass_fields__, 0.0)
    return MeanEstimate(**(fields | {"estimate": middle, "low": middle - half, "high": middle + half}))


CHANGES = {
    "ires_no_se": [estimate(0.05, 0.02), None, estimate(-0.01, 0.03)],
    "ires_relu": [estimate(0.0, 0.01), estimate(-0.2, 0.1), estimate(0.04, 0.05)],
}
FOUND = RecallChanges("ires", ("angry", "happy", "sad"), CHANGES, (-0.3, 0.1))


def drawn(found: RecallChanges = FOUND) -> tuple[Drawing, Axes]:
    drawing = recall_changes(found, assign_styles(found.changes))
    figure = Figure(figsize=(drawing.width_in, drawing.height_in))
    drawing.paint(figure)
    return drawing, figure.axes[0]


def test_each_network_has_a_dot_and_an_interval_in_each_class_that_has_images() -> None:
    _, axes = drawn()
    styles = assign_styles(CHANGES)
    for network, changes in CHANGES.items():
        mine = [line for line in axes.get_lines() if line.get_color() == styles[network].light]
        known = [change for change in changes if change is not None]
        intervals, hollow, full = mine
        ends = intervals.get_xdata().reshape(-1, 3)
        np.testing.assert_allclose(ends[:, :2], [(100 * one.low, 100 * one.high) for one in known])
        assert np.isnan(ends[:, 2]).all()
        beyond = [one.low > 0 or one.high < 0 for one in known]
        for dots, wanted in ((hollow, False), (full, True)):
            shown = [100 * one.estimate for one, is_beyond in zip(known, beyond, strict=True) if is_beyond is wanted]
            assert list(dots.get_xdata()) == pytest.approx(shown)
        assert (to_hex(hollow.get_markerfacecolor()), full.get_markerfacecolor()) == (FAINT, styles[network].light)


def test_a_dot_stands_in_the_row_of_its_class() -> None:
    _, axes = drawn()
    assert [text.get_text() for text in axes.get_yticklabels()] == ["angry", "happy", "sad"]
    rows = axes.get_yticks()
    dots = [dot for line in axes.get_lines() if line.get_linestyle() == "None" for dot in line.get_xydata()]
    for recall, row in ((5.0, 0), (-20.0, 1), (4.0, 2)):
        (height,) = [y for x, y in dots if x == pytest.approx(recall)]
        assert abs(height - rows[row]) < (rows[1] - rows[0]) / 2


def test_figures_of_one_scale_have_the_same_axis() -> None:
    one = RecallChanges("ires", FOUND.class_names, {"ires_relu": CHANGES["ires_relu"]}, FOUND.scale)
    assert drawn()[1].get_xlim() == drawn(one)[1].get_xlim()
    low, high = drawn()[1].get_xlim()
    assert low < -30 < 10 < high


def test_what_it_shows_is_said_in_words() -> None:
    assert drawn()[0].alt == (
        "Recall by class minus that of ires, in percentage points. Intervals without zero: ires_no_se angry +5.0 "
        "(+3.0 to +7.0); ires_relu happy −20.0 (−30.0 to −10.0)."
    )
    nothing = RecallChanges("ires", ("angry",), {"ires_relu": [estimate(0.0, 0.01)]}, (-0.01, 0.01))
    assert drawn(nothing)[0].alt.endswith(" Every interval holds zero.")
    assert drawn()[0].width_in <= PAGE_WIDTH_IN
