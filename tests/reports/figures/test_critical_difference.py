"""The two figures of many networks: what they draw and what they say."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fbench.reports.figures.critical_difference import RankedNetworks, critical_difference_diagram, stack_bars
from fbench.reports.figures.drawing import to_svg
from fbench.reports.figures.performance_profile import performance_profiles
from fbench.reports.palette import assign_styles
from fbench.statistics.many.performance_profile import performance_profile

TEXT = "{http://www.w3.org/2000/svg}text"


def ranked(count: int, groups: tuple[tuple[int, ...], ...] = (), difference: float = 1.5) -> RankedNetworks:
    names = tuple(f"net{place}" for place in range(count))
    return RankedNetworks(names, tuple(float(place + 1) for place in range(count)), groups, difference)


def draw(found: RankedNetworks) -> ElementTree.Element:
    svg = to_svg(critical_difference_diagram(found, assign_styles(found.networks)), "k")
    return ElementTree.fromstring(svg)  # noqa: S314 - the text was made in the line itself


@pytest.mark.parametrize("count", [2, 3, 16, 40])
def test_every_network_is_named_once_beside_its_rank(count: int) -> None:
    heights: dict[str, float] = {}
    for element in draw(ranked(count)).iter(TEXT):
        text, place = (element.text or "").strip(), height_of(element)
        if text.startswith("net") or re.fullmatch(r"\d+\.\d\d", text):
            assert text not in heights
            heights[text] = place
    for place in range(count):
        assert heights[f"net{place}"] == pytest.approx(heights[f"{place + 1}.00"], abs=3)
    names = sorted(heights[f"net{place}"] for place in range(count))
    assert min(np.diff(names)) > 11  # typographic points, of letters 9 high


def height_of(element: ElementTree.Element) -> float:
    if "y" in element.attrib:
        return float(element.get("y") or "nan")
    found = re.search(r"translate\([-\d.]+ ([-\d.]+)\)", element.get("transform") or "")
    assert found
    return float(found[1])


def test_the_ruler_says_how_long_it_is() -> None:
    assert any("critical difference 1.50" in (text.text or "") for text in draw(ranked(3)).iter(TEXT))


@pytest.mark.parametrize(
    ("groups", "ending"),
    [
        ((), "All pairs differ."),
        (((0, 1, 2, 3),), "No two networks differ."),
        (((0, 1), (1, 2)), "The first, net0, does not differ from net1."),
        (((1, 2),), "net0 differs from all others."),
    ],
)
def test_the_alternative_text_states_the_finding(groups: tuple[tuple[int, ...], ...], ending: str) -> None:
    label = draw(ranked(4, groups)).get("aria-label") or ""
    assert label.startswith("Average ranks, 1 is best: net0 1.00, net1 2.00")
    assert label.endswith(ending)


def test_a_ruler_longer_than_the_axis_says_so_and_an_unknown_one_is_left_out() -> None:
    assert any("longer than the axis" in (text.text or "") for text in draw(ranked(3, difference=9.0)).iter(TEXT))
    assert not any("critical" in (text.text or "") for text in draw(ranked(3, difference=float("nan"))).iter(TEXT))


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(1, 20), st.floats(0, 10)), max_size=12))
def test_bars_on_one_level_do_not_meet(bars: list[tuple[float, float]]) -> None:
    ends = sorted((low, low + length) for low, length in bars)
    levels = stack_bars(ends)
    for (a, level_a), (b, level_b) in itertools.combinations(zip(ends, levels, strict=True), 2):
        assert level_a != level_b or a[1] < b[0] or b[1] < a[0]


@pytest.mark.parametrize("count", [2, 12])
def test_profiles_name_the_networks_and_state_their_medians(count: int) -> None:
    names = [f"net{place}" for place in range(count)]
    at = np.linspace(0.4, 0.9, 51)
    scores = {name: np.linspace(0.5, 0.6, 9) + 0.02 * place for place, name in enumerate(names)}
    profiles = {name: performance_profile([row], at) for name, row in scores.items()}
    drawing = performance_profiles(profiles, assign_styles(names))
    svg = to_svg(drawing, "p")
    root = ElementTree.fromstring(svg)  # noqa: S314 - the text was made in the line itself
    assert {element.text for element in root.iter(TEXT)} >= set(names)
    label = root.get("aria-label") or ""
    assert label.startswith(f"Performance profiles. Half of the runs are above: net{count - 1} ")
    assert "A line may be off by 45 points of the share anywhere." in label
    assert svg == to_svg(drawing, "p")
