"""Matrices: what is fewer is orange and what is more is blue at any strength, on one scale for all, said in words."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure

from fbench.reports.figures.canvas import PAGE_WIDTH_IN
from fbench.reports.figures.confusion import (
    LEAST_SCALE,
    MOST_CLASSES,
    common_scale,
    confusion_difference,
    confusion_heatmap,
    draw_cells,
)
from fbench.reports.figures.drawing import to_svg

NAMES = ("angry", "happy", "sad")
SVG = "{http://www.w3.org/2000/svg}"


def colours_of(values: list[float], scale: float) -> np.ndarray:
    """RGBA of each value of a row, as drawn."""
    axes = Figure().subplots()
    draw_cells(axes, np.array([values]), None, (-scale, scale))
    (mesh,) = axes.collections
    mesh.update_scalarmappable()
    return np.asarray(mesh.get_facecolor())


@pytest.mark.parametrize("strength", [0.2, 1.0, 5.0, 10.0])
def test_fewer_is_orange_and_more_is_blue_however_little(strength: float) -> None:
    fewer, more = colours_of([-strength, strength], 10.0)
    np.testing.assert_allclose(fewer[:3], (0.70, 0.29, 0.02), atol=0.005)
    np.testing.assert_allclose(more[:3], (0.02, 0.32, 0.60), atol=0.005)
    assert fewer[3] == pytest.approx(more[3], abs=0.01)
    assert fewer[3] == pytest.approx(strength / 10, abs=0.01)


def test_the_scale_of_several_holds_all_of_them() -> None:
    small, large = np.full((2, 2), 0.01), np.array([[0.2, -0.311], [np.nan, np.nan]])
    assert common_scale([small]) == LEAST_SCALE
    assert common_scale([small, large]) == 32
    assert common_scale([np.full((1, 1), -0.07)]) == 7
    assert common_scale([np.full((2, 2), np.nan)]) == LEAST_SCALE


def changed(*recalls: float) -> str:
    """What is said of a matrix with these changes of recalls."""
    return confusion_difference(np.diag(recalls), NAMES, "ours", "theirs", 10).alt


START = "Confusion of ours minus that of theirs, in percentage points. "


@pytest.mark.parametrize(
    ("recalls", "words"),
    [
        ((0.02, -0.03, 0.0), "Recall rises most for angry (+2.0) and falls most for happy (−3.0)."),
        ((-0.02, -0.005, -0.03), "No recall rises; it falls most for sad (−3.0)."),
        ((0.0, -0.005, 0.0004), "No recall rises; it falls most for happy (−0.5)."),
        ((0.01, 0.0, 0.03), "No recall falls; it rises most for sad (+3.0)."),
        ((0.0, 0.0004, -0.0004), "No recall changes by a tenth of a point."),
        ((np.nan, -0.01, np.nan), "No recall rises; it falls most for happy (−1.0)."),
    ],
)
def test_what_rises_and_falls_is_said_in_each_case(recalls: tuple[float, ...], words: str) -> None:
    assert changed(*recalls) == f"{START}{words}"


@pytest.mark.parametrize("classes", [2, 7, 9, 11, MOST_CLASSES])
def test_any_number_of_classes_fits_the_page_and_names_do_not_touch(classes: int) -> None:
    names = [f"expression {place}" for place in range(classes)]
    drawing = confusion_heatmap(np.eye(classes), names, "ires")
    assert drawing.width_in <= PAGE_WIDTH_IN + 1e-9
    root = ElementTree.fromstring(to_svg(drawing, "k"))  # noqa: S314 - made here
    rows, columns, cells = [], [], 0
    for text in root.iter(f"{SVG}text"):
        if (text.text or "").startswith("expression"):
            turned = re.match(r"translate\((\S+) ", text.get("transform") or "")
            (columns if turned else rows).append(float(turned[1] if turned else text.attrib["y"]))
        cells += (text.text or "") in ("0", "100")
    assert len(rows) == classes
    for places in (rows, columns):
        assert np.diff(sorted(places)).min(initial=99) >= 9
    assert cells == (classes**2 if classes <= 9 else 0)
