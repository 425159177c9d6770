"""Figures of a report on axes of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

import fbench
from fbench import plots
from fbench.core.errors import UserError
from fbench.reports.palette import assign_styles
from tests.reports.fabricated_run import Recipe, fabricate_run

mpl.use("agg")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> fbench.Run:
    folder = tmp_path_factory.mktemp("run") / "run"
    fabricate_run(folder, Recipe())
    return fbench.load_run(folder)


@pytest.fixture
def axes() -> Iterator[Axes]:
    from matplotlib import pyplot as plt

    figure, found = plt.subplots()
    yield found
    plt.close(figure)


FIGURES: dict[str, Callable[[fbench.Run, Axes | None], Axes]] = {
    "seeds": lambda run, ax: plots.seeds(run.trials_frame(), ax),
    "learning_curves": lambda run, ax: plots.learning_curves(run.history_frame(), ax),
    "pareto": lambda run, ax: plots.pareto(run.summary_frame(), ax),
    "forest": lambda run, ax: plots.forest(run.comparisons_frame(), ax),
    "confusion": lambda run, ax: plots.confusion(run.predictions_frame(), ax),
}


@pytest.mark.parametrize("name", FIGURES)
def test_it_is_drawn_on_the_given_axes_or_on_new_ones(run: fbench.Run, axes: Axes, name: str) -> None:
    from matplotlib import pyplot as plt

    assert FIGURES[name](run, axes) is axes
    alone = FIGURES[name](run, None)
    assert alone is not axes
    alone.figure.canvas.draw()
    plt.close(alone.figure)  # type: ignore[arg-type] # no axes here lie in a sub-figure


@pytest.mark.parametrize("name", FIGURES)
def test_the_style_of_other_figures_stays(run: fbench.Run, axes: Axes, name: str) -> None:
    before = dict(mpl.rcParams)
    FIGURES[name](run, axes)
    assert dict(mpl.rcParams) == before


def test_points_are_the_accuracies_of_trainings(run: fbench.Run, axes: Axes) -> None:
    plots.seeds(run.trials_frame(), axes)
    drawn = [strip.get_offsets()[:, 0] for strip in axes.collections]
    trials = run.trials_frame()
    for values, (_, rows) in zip(drawn, trials.groupby("network", sort=False), strict=True):
        np.testing.assert_allclose(np.sort(np.asarray(values)), np.sort(rows["test_top1"]))


def test_a_line_is_the_median_over_seeds_in_the_colour_of_the_report(run: fbench.Run, axes: Axes) -> None:
    plots.learning_curves(run.history_frame(), axes, quantity="loss")
    history = run.history_frame()
    styles = assign_styles(history["network"].unique())
    for line, (network, rows) in zip(axes.get_lines(), history.groupby("network", sort=False), strict=True):
        np.testing.assert_allclose(line.get_ydata(), rows.groupby("epoch")["validation_loss"].median())
        assert line.get_color() == styles[str(network)].light
    assert axes.get_ylabel() == "cross-entropy, nats"


def test_a_forest_has_its_dots_at_the_differences(run: fbench.Run, axes: Axes) -> None:
    plots.forest(run.comparisons_frame(), axes)
    dots = [line.get_xdata()[0] for line in axes.get_lines() if line.get_marker() == "o"]
    np.testing.assert_allclose(dots, 100 * run.comparisons_frame()["top1_difference"])


def test_cells_are_shares_of_the_true_class(run: fbench.Run, axes: Axes) -> None:
    answers = run.predictions_frame().query("network == 'ires'")
    plots.confusion(answers, axes)
    shares = pd.crosstab(answers["label"], answers["predicted"], normalize="index").to_numpy()
    assert [text.get_text() for text in axes.texts] == [f"{100 * share:.0f}" for share in shares.flat]


def test_what_cannot_be_drawn_is_a_sentence(run: fbench.Run, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no column 'test_top1'"):
        plots.seeds(run.history_frame())
    with pytest.raises(UserError, match="no row to draw"):
        plots.forest(run.comparisons_frame().iloc[:0])
    with pytest.raises(UserError, match="compares with a, b; keep the rows of one baseline"):
        plots.forest(run.comparisons_frame().assign(baseline=["a", "b"]))
    with pytest.raises(UserError, match="has the data sets a, b; keep the rows of one"):
        plots.pareto(run.summary_frame().assign(data=["a", "b", "b"]))
