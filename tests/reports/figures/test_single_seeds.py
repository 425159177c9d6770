"""Every training stands in the figure where its accuracy is, in the row of its network, in every process alike."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from fbench.benchmark.store.run_table import RunTable
from fbench.reports.figures.drawing import to_svg
from fbench.reports.figures.single_seeds import accuracy_by_seed, single_seeds
from fbench.reports.findings.comparisons.evidence import NetworkEvidence, gather
from fbench.reports.palette import assign_styles

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def networks(run: RunTable) -> list[NetworkEvidence]:
    return list(gather(run, run.config.data[0]).networks.values())


def drawn(networks: list[NetworkEvidence]) -> str:
    styles = assign_styles(found.network for found in networks)
    return to_svg(single_seeds(networks, styles), "s")


def points_of(svg: str, row: int) -> list[tuple[float, float]]:
    """Where the points of a row stand on the paper."""
    root = ElementTree.fromstring(svg)  # noqa: S314 - the text was made here
    (strip,) = [group for group in root.iter(f"{SVG}g") if group.get("id") == f"s-network-{row}"]
    return [(float(point.attrib["x"]), float(point.attrib["y"])) for point in strip.iter(f"{SVG}use")]


def test_the_frame_has_a_row_for_each_training_with_its_recorded_accuracy(
    run: RunTable, networks: list[NetworkEvidence]
) -> None:
    table = accuracy_by_seed(networks)
    recorded = {
        (network, record.spec.seed): record.test.top1
        for network in run.networks
        for record in run.records(network, run.config.data[0].name)
        if record.test is not None
    }
    found = {(row.network, row.seed): row.top1 for row in table.itertuples()}
    assert list(table.columns) == ["network", "seed", "top1"]
    assert found == pytest.approx(recorded)


def test_points_stand_at_their_accuracy_in_the_row_of_their_network(networks: list[NetworkEvidence]) -> None:
    svg = drawn(networks)
    table = accuracy_by_seed(networks)
    places = [points_of(svg, row) for row in range(len(networks))]
    assert [len(row) for row in places] == [len(found.seeds) for found in networks]
    heights = [{y for _, y in row} for row in places]
    assert [len(found) for found in heights] == [1] * len(networks)  # nothing is moved aside
    assert sorted(heights, key=min) == heights  # the first network is at the top
    across = [x for row in places for x, _ in row]
    slope, start = np.polyfit(table["top1"], across, 1)
    assert slope > 0
    assert start + slope * table["top1"].to_numpy() == pytest.approx(
        across, abs=0.02
    )  # places are rounded to 0.01 point


def test_each_network_answers_the_pointer_with_its_best_and_worst_seed(networks: list[NetworkEvidence]) -> None:
    first = networks[0]
    top1 = first.correct.mean(axis=1)
    (words,) = re.findall(r'id="s-network-0" class="spot"[^>]* aria-label="([^"]*)"', drawn(networks))
    name, mean, highest, lowest = words.split("\n")
    assert (name, mean) == (first.network, f"top-1 {100 * top1.mean():.1f} %, the mean of 3 seeds")
    assert highest == f"highest {100 * top1.max():.1f} %, seed {first.seeds[int(top1.argmax())]}"
    assert lowest == f"lowest {100 * top1.min():.1f} %, seed {first.seeds[int(top1.argmin())]}"


def test_what_it_shows_is_said_in_words(networks: list[NetworkEvidence]) -> None:
    spreads = {found.network: np.ptp(found.correct.mean(axis=1)) for found in networks}
    widest = max(spreads, key=lambda name: spreads[name])
    alt = single_seeds(networks, assign_styles(spreads)).alt
    assert alt.endswith(f" The seeds of {widest} lie farthest apart, by {100 * spreads[widest]:.1f} points.")
    assert all(f"{name} " in alt for name in spreads)


def test_drawing_is_the_same_every_time_and_leaves_the_global_generator_alone(networks: list[NetworkEvidence]) -> None:
    np.random.seed(3)
    first = drawn(networks)
    after = np.random.random()
    np.random.seed(3)
    assert after == np.random.random()
    assert first == drawn(networks)
