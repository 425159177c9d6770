"""Names beside points cover nothing, and whoever is not clearly beside its point has a leader."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from fbench.reports.figures.labels import place_labels
from fbench.reports.figures.pareto import COLUMNS, draw_pareto
from fbench.reports.palette import assign_styles

RADIUS = 4.9  # points; what a marker covers


def square(limits: tuple[float, float] = (0, 10)) -> Axes:
    axes = Figure(figsize=(3.7, 3.6), dpi=72).subplots()
    axes.set(xlim=limits, ylim=limits)
    return axes


def boxes(axes: Axes) -> dict[str, Bbox]:
    """Where each name stands, as matplotlib would paint it."""
    renderer = FigureCanvasAgg(axes.get_figure(root=True)).get_renderer()
    return {text.get_text(): text.get_window_extent(renderer) for text in axes.texts if isinstance(text, Annotation)}


def along(start: npt.ArrayLike, end: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Places on a straight line, a quarter of a point or less apart."""
    ends = np.array([start, end], float)
    count = max(2, int(4 * np.hypot(*(ends[1] - ends[0]))))
    return ends[0] + np.linspace(0, 1, count)[:, None] * (ends[1] - ends[0])


def inside(box: Bbox, places: npt.NDArray[np.float64]) -> bool:
    return bool(((places > [box.x0, box.y0]) & (places < [box.x1, box.y1])).all(axis=1).any())


def test_a_point_alone_has_its_name_at_its_right() -> None:
    axes = square()
    place_labels(axes, [(5, 5, "alone")])
    (box,) = boxes(axes).values()
    x, y = axes.transData.transform((5, 5))
    assert box.x0 - x == pytest.approx(8, abs=0.5)
    assert box.y0 < y < box.y1
    assert not axes.get_lines()


def test_a_line_through_the_best_places_is_kept_free() -> None:
    axes = square()
    level = ((0.0, 5.0), (10.0, 5.0))
    place_labels(axes, [(5, 5, "beside a line")], lines=[level])
    (box,) = boxes(axes).values()
    assert not inside(box, along(*axes.transData.transform(level)))


def test_a_name_nearer_to_another_point_has_a_leader() -> None:
    axes = square()
    place_labels(axes, [(5, 5, "ours")], others=[(5.4, 5.0), (4.6, 5.0), (5.0, 5.4), (5.0, 4.6)])
    (leader,) = axes.get_lines()
    ends = axes.transData.transform(leader.get_xydata())
    np.testing.assert_allclose(ends[0], axes.transData.transform((5, 5)), atol=1e-6)
    (box,) = boxes(axes).values()
    assert box.x0 - 1e-6 <= ends[1][0] <= box.x1 + 1e-6
    assert box.y0 - 1e-6 <= ends[1][1] <= box.y1 + 1e-6


def test_a_name_without_a_place_is_left_out() -> None:
    axes = square()
    place_labels(axes, [(5, 5, "a name")], lines=[((x / 10, 0.0), (x / 10, 10.0)) for x in range(101)])
    assert boxes(axes) == {}


networks = st.lists(st.tuples(st.floats(0.5, 50), st.floats(0.2, 0.9), st.floats(0.005, 0.05)), min_size=1, max_size=16)


@settings(max_examples=40, deadline=None)
@given(networks)
@pytest.mark.slow
def test_no_name_covers_the_front_an_interval_a_point_or_another_name(
    found: list[tuple[float, float, float]],
) -> None:
    rows = [
        (f"network {place}", cost, top1, top1 - half, top1 + half) for place, (cost, top1, half) in enumerate(found)
    ]
    axes = Figure(figsize=(3.7, 3.6), dpi=72).subplots()
    draw_pareto(axes, pd.DataFrame(rows, columns=COLUMNS), assign_styles(row[0] for row in rows), "MACs")
    names = boxes(axes)
    front = axes.get_lines()[0].get_xydata()
    steps = np.array([place for (x, y), end in pairwise(front) for place in ((x, y), (end[0], y), end)])
    stretches = list(pairwise(axes.transData.transform(steps))) if len(steps) else []
    stretches += [tuple(axes.transData.transform([(cost, low), (cost, high)])) for _, cost, _, low, high in rows]
    dots = axes.transData.transform([(cost, top1) for _, cost, top1, *_ in rows])
    drawn = list(names.values())
    for name, box in names.items():
        assert axes.bbox.x0 <= box.x0
        assert box.x1 <= axes.bbox.x1
        assert not any(inside(box, along(*stretch)) for stretch in stretches), name
        nearest = np.clip(dots, [box.x0, box.y0], [box.x1, box.y1])
        assert np.hypot(*(dots - nearest).T).min() >= RADIUS, name
        assert sum(box.overlaps(other) for other in drawn) == 1, name


def test_all_networks_on_a_front_of_six_in_a_crowd_have_their_names() -> None:
    """As in a run of 16 networks, where most cost about the same."""
    front = [(f"front_{place}_of_a_long_name", 2.0 * 1.6**place, 0.5 + 0.03 * place) for place in range(6)]
    crowd = [(f"beaten_{place}", 2.1 + 0.05 * place, 0.45 - 0.004 * place) for place in range(10)]
    rows = [(name, cost, top1, top1 - 0.02, top1 + 0.02) for name, cost, top1 in (*front, *crowd)]
    axes = Figure(figsize=(3.7, 3.6), dpi=72).subplots()
    draw_pareto(axes, pd.DataFrame(rows, columns=COLUMNS), assign_styles(row[0] for row in rows), "MACs")
    assert len(boxes(axes)) == 6
    assert all(name.startswith("front_") for name in boxes(axes))
