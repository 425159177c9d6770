"""Learning curves: the median and every seed, on axes that a diverging training does not stretch."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from math import log
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fbench.benchmark.records.trial_records import HistoryRow
from fbench.benchmark.store.run_table import RunTable
from fbench.reports.figures import learning
from fbench.reports.figures.drawing import Drawing, to_svg
from fbench.reports.figures.learning import Quantity, learning_curves
from fbench.reports.findings.comparisons.evidence import NetworkEvidence, gather
from fbench.reports.palette import assign_styles

Curves = Sequence[Sequence[tuple[float, float]]]
"""Of each seed: epoch and loss at each evaluation."""


@pytest.fixture
def ires(run: RunTable) -> NetworkEvidence:
    return gather(run, run.config.data[0]).networks["ires"]


def with_losses(found: NetworkEvidence, curves: Curves, name: str = "ires") -> NetworkEvidence:
    """The same network with other histories: 1,000 images an epoch, and an accuracy of a tenth of the loss."""
    first = found.histories[0][0]
    rows = tuple(
        tuple(
            first.model_copy(
                update={"evaluation": place, "epoch": epoch, "images_seen": int(1000 * epoch)}
                | dict.fromkeys(("train_loss", "validation_loss"), loss)
                | dict.fromkeys(("train_top1", "validation_top1"), loss / 10)
            )
            for place, (epoch, loss) in enumerate(curve)
        )
        for curve in curves
    )
    assert isinstance(rows[0][0], HistoryRow)
    return replace(found, network=name, histories=rows)


def drawn(*networks: NetworkEvidence, quantity: Quantity = "loss") -> tuple[Drawing, Figure]:
    by_name = {found.network: found for found in networks}
    drawing = learning_curves(by_name, assign_styles(by_name), quantity)
    figure = Figure(figsize=(drawing.width_in, drawing.height_in))
    drawing.paint(figure)
    return drawing, figure


def panel(figure: Figure) -> Axes:
    """That of the validation split."""
    return figure.axes[1]


THREE: Curves = (((1, 2.0), (2, 1.0)), ((1, 2.2), (2, 1.2)), ((1, 8.0), (2, 1.1)))


def test_the_line_is_the_median_and_each_seed_is_a_faint_one(ires: NetworkEvidence) -> None:
    _, figure = drawn(with_losses(ires, THREE))
    seeds, median = panel(figure).get_lines()
    assert median.get_xydata().tolist() == [[1, 2.2], [2, 1.1]]
    parts = seeds.get_xydata().reshape(3, 3, 2)  # a gap follows each seed
    np.testing.assert_allclose(parts[:, :2], THREE)
    assert np.isnan(parts[:, 2]).all()
    assert seeds.get_alpha() < 0.5 < median.get_linewidth() - seeds.get_linewidth()
    assert not panel(figure).collections


def test_a_band_stands_for_too_many_seeds(ires: NetworkEvidence, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "MOST_POINTS", 12)  # three seeds of two evaluations in two panels
    assert len(panel(drawn(with_losses(ires, THREE))[1]).get_lines()) == 2
    monkeypatch.setattr(learning, "MOST_POINTS", 11)
    axes = panel(drawn(with_losses(ires, THREE))[1])
    assert len(axes.get_lines()) == 1
    (band,) = axes.collections
    ends = band.get_paths()[0].get_extents()
    assert (ends.y0, ends.y1) == (1.0, 8.0)


def test_the_loss_begins_at_0_and_a_network_that_diverges_leaves_the_axis(ires: NetworkEvidence) -> None:
    good = with_losses(ires, [[(1, 2.0), (2, 1.0)]] * 3)
    bad = with_losses(ires, [[(1, 2.5), (2, 2.6e6)], [(1, 2.5), (2, 1e5)], [(1, 2.4), (2, 3e5)]], "bad")
    drawing, figure = drawn(good, bad)
    for axes in figure.axes:
        low, high = axes.get_ylim()
        assert low == 0
        assert high == pytest.approx(1.05 * 2.5)
        assert [text.get_text() for text in axes.texts] == ["↑ 2,600,000"]
    assert drawing.alt.endswith(" Beyond the axis: a seed of bad reached 2,600,000.")


def test_losses_at_chance_are_never_cut(ires: NetworkEvidence) -> None:
    """An untrained network of 7 classes is at log 7; others may already be at a twentieth of it."""
    low = with_losses(ires, [[(1, 0.1), (2, 0.05)]] * 3)
    start = with_losses(ires, [[(1, log(7)), (2, 0.1)]] * 3, "start")
    drawing, figure = drawn(low, start)
    assert panel(figure).get_ylim()[1] == pytest.approx(1.05 * log(7))
    assert "Beyond" not in drawing.alt


def test_accuracies_stay_between_0_and_100_percent(ires: NetworkEvidence) -> None:
    _, figure = drawn(with_losses(ires, [[(1, 0.0), (2, 10.0)]] * 3), quantity="top1")
    low, high = panel(figure).get_ylim()
    assert -0.05 < low <= 0 < 1 <= high < 1.05


def test_less_than_an_epoch_is_counted_in_images(ires: NetworkEvidence) -> None:
    _, figure = drawn(with_losses(ires, [[(0.25, 2.0), (0.5, 1.0)]] * 3))
    assert panel(figure).get_xlabel() == "image passes, thousands"
    assert panel(figure).get_lines()[-1].get_xdata().tolist() == [0.25, 0.5]  # of 1,000 images an epoch
    _, figure = drawn(with_losses(ires, [[(0.5, 2.0), (1.0, 1.0)]] * 3))
    assert panel(figure).get_xlabel() == "epoch"


def test_few_evaluations_are_the_ticks(ires: NetworkEvidence) -> None:
    _, figure = drawn(with_losses(ires, [[(1, 2.0), (4, 1.5), (9, 1.0)]] * 3))
    assert panel(figure).get_xticks().tolist() == [1, 4, 9]
    _, figure = drawn(with_losses(ires, [[(epoch, 1.0) for epoch in range(1, 31)]] * 3))
    assert len(panel(figure).get_xticks()) <= 6


def test_what_is_said_is_the_median_that_is_drawn(ires: NetworkEvidence) -> None:
    drawing, figure = drawn(with_losses(ires, THREE))
    assert drawing.alt == (
        "Learning curves, cross-entropy in nats. Median over seeds at the last evaluation on the validation split: "
        "ires 1.10."
    )
    assert panel(figure).get_lines()[-1].get_ydata()[-1] == pytest.approx(1.1)


def test_missing_values_leave_gaps_and_no_axis_breaks(ires: NetworkEvidence) -> None:
    nan, inf = float("nan"), float("inf")
    drawing, figure = drawn(with_losses(ires, [[(1, nan), (2, inf)], [(1, nan), (2, 1.0)], [(1, nan), (2, 3.0)]]))
    assert panel(figure).get_lines()[-1].get_ydata()[-1] == 2.0
    assert panel(figure).get_ylim() == pytest.approx((0, 1.05 * 3))
    ElementTree.fromstring(to_svg(drawing, "k"))  # noqa: S314 - made here
    drawing, figure = drawn(with_losses(ires, [[(1, nan), (2, nan)]] * 3))
    assert panel(figure).get_ylim() == (0, 1)
    assert not re.search("nan", to_svg(drawing, "k"))
