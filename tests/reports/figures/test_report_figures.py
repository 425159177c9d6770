"""Figures: well-formed SVG that states its finding, keeps names as text, and is the same every time."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from fbench.reports.figures.canvas import GREY
from fbench.reports.figures.drawing import Drawing, to_svg, use_page_colours
from fbench.reports.figures.log_axis import log_ticks, widen
from fbench.reports.figures.pareto import COLUMNS, ParetoPoint, draw_pareto, pareto_chart
from fbench.reports.palette import assign_styles

SVG = "{http://www.w3.org/2000/svg}"


def chart(points: list[ParetoPoint], key: str = "p") -> str:
    styles = assign_styles(point.network for point in points)
    return to_svg(pareto_chart(points, styles, "MACs, millions"), key)


POINTS = [
    ParetoPoint("cheap", 1.0, 0.50, 0.48, 0.52, "cheap\n0.52"),
    ParetoPoint("dear", 9.0, 0.60, 0.58, 0.62, "dear\n0.62"),
    ParetoPoint("beaten", 9.5, 0.55, 0.53, 0.57, "beaten\n0.57"),
]


def test_pareto_chart_names_the_networks_that_no_other_beats() -> None:
    root = ElementTree.fromstring(chart(POINTS))  # noqa: S314 - the text was made in the line itself
    assert root.get("aria-label") == (
        "Top-1 against MACs, millions. No other network is both cheaper and more accurate than: cheap (1.00; 50.0 %) "
        "and dear (9.00; 60.0 %)."
    )
    texts = {element.text for element in root.iter(f"{SVG}text")}
    assert {"cheap", "dear"} <= texts
    assert "beaten" not in texts


def test_a_network_off_the_front_is_grey_and_answers_the_pointer() -> None:
    svg, styles = chart(POINTS), assign_styles(point.network for point in POINTS)
    groups = {name: svg[svg.index(f'id="p-point-{place}"') :] for place, name in enumerate(("cheap", "dear", "beaten"))}
    colours = {name: re.findall(r"fill: (#[0-9a-f]{6})", group)[0] for name, group in groups.items()}
    assert colours == {"cheap": styles["cheap"].light, "dear": styles["dear"].light, "beaten": GREY}
    assert 'aria-label="beaten\n0.57"' in svg


@pytest.mark.parametrize(("accuracy", "ends"), [(0.99, (0.97, 1.01)), (0.01, (-0.01, 0.03))])
def test_no_interval_and_no_label_goes_beyond_all_or_nothing(accuracy: float, ends: tuple[float, float]) -> None:
    figure = Figure()
    axes = figure.subplots()
    table = pd.DataFrame([("net", 1.0, accuracy, *ends)], columns=COLUMNS)
    draw_pareto(axes, table, assign_styles(["net"]), "MACs")
    drawn = np.concatenate([line.get_ydata() for line in axes.get_lines()])
    assert 0 <= drawn.min() <= drawn.max() <= 1
    formatter = axes.yaxis.get_major_formatter()
    assert [formatter(value, None) for value in (-0.02, 0.0, 0.5, 1.0, 1.02)] == ["", "0", "50", "100", ""]


@given(st.floats(1e-6, 1e9), st.floats(1.0001, 1e6))
def test_ticks_of_a_log_axis_are_few_and_in_range(low: float, factor: float) -> None:
    ticks = log_ticks(low, low * factor)
    assert 1 <= len(ticks) <= 8
    assert all(low <= tick <= low * factor for tick in ticks)
    assert len({f"{tick:,.6g}" for tick in ticks}) == len(ticks)


def test_nearly_equal_costs_are_not_drawn_apart() -> None:
    low, high = widen(2.869, 2.878)
    assert high / low == pytest.approx(2)
    assert low * high == pytest.approx(2.869 * 2.878)
    assert widen(1, 100) == (1, 100)


def test_ticks_are_round_numbers() -> None:
    assert log_ticks(0.9, 3.3) == [1.0, 1.5, 2.0, 3.0]
    assert log_ticks(40, 250) == [50.0, 100.0, 200.0]
    assert log_ticks(0.5, 2000) == [1.0, 10.0, 100.0, 1000.0]


def test_figure_has_no_fixed_size_and_no_date() -> None:
    svg = chart(POINTS)
    opening = svg[: svg.index(">")]
    assert " width=" not in opening
    assert "viewBox=" in opening
    assert "<metadata" not in svg
    assert svg == chart(POINTS)


def test_ids_begin_with_the_key() -> None:
    ids = re.findall(r' id="([^"]+)"', chart(POINTS, "one"))
    assert ids
    assert all(name.startswith("one-") for name in ids)


@settings(max_examples=15, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=30))
def test_any_text_stays_text(text: str) -> None:
    svg = to_svg(Drawing(2, 2, text, lambda figure: figure.text(0.1, 0.5, text)), "k")
    root = ElementTree.fromstring(svg)  # noqa: S314 - the text was made in the lines above
    assert root.get("aria-label") == text
    assert [element.text for element in root.iter(f"{SVG}text")] in ([text], [text.strip() or None], [])


def test_page_colours_follow_the_theme() -> None:
    styles = assign_styles(["cheap", "dear", "beaten"])
    svg = use_page_colours(chart(POINTS), styles)
    assert "var(--network-0)" in svg
    assert "var(--ink)" in svg
    assert not [style.light for style in styles.values() if style.light in svg]


@pytest.mark.parametrize("amount", [16, 132])
def test_networks_differ_in_colour_or_marker(amount: int) -> None:
    styles = assign_styles(str(place) for place in range(amount)).values()
    assert len({(style.light, style.marker) for style in styles}) == amount
