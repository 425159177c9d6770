"""A confusion matrix in per cent of each true class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import seaborn as sns

from fbench.reports.figures.canvas import new_figure, set_margins, text_width_in, to_svg
from fbench.reports.wording import percent, shorten

MOST_CLASSES: Final = 30  # beyond that a cell is too small to be read on a page
_MOST_ANNOTATED: Final = 12
_LIGHT_TEXT_ABOVE: Final = 66  # per cent; there both text colours have a contrast of 4 with the cell


def confusion_heatmap(rates: npt.NDArray[np.float64], class_names: Sequence[str], network: str, key: str) -> str:
    """Draw ``rates`` (classes, classes) as SVG; a true class is a row of sum 1, or of NaN without images."""
    names = [shorten(name, 12) for name in class_names]
    grid = min(5.0, max(1.6, 0.36 * len(names)))
    room = 0.35 + text_width_in(names, 9)
    with new_figure(room + grid + 0.1, room + grid + 0.1) as figure:
        axes = figure.subplots()
        set_margins(figure, left=room, right=0.1, top=0.1, bottom=room)
        sns.heatmap(
            100 * rates,
            annot=len(names) <= _MOST_ANNOTATED,
            fmt=".0f",
            annot_kws={"fontsize": 8.5},
            cmap="Blues",
            vmin=0,
            vmax=100,
            cbar=False,
            square=True,
            linewidths=0.6,
            xticklabels=names,
            yticklabels=names,
            ax=axes,
        )
        for text, cell in zip(axes.texts, 100 * rates[~np.isnan(rates)], strict=False):
            text.set_color("#ffffff" if cell > _LIGHT_TEXT_ABOVE else "#16202b")
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
        axes.tick_params(axis="x", rotation=90, length=0)
        axes.tick_params(axis="y", rotation=0, length=0)
        return to_svg(figure, key, _alt(rates, class_names, network))


def _alt(rates: npt.NDArray[np.float64], class_names: Sequence[str], network: str) -> str:
    errors = np.nan_to_num(rates * (1 - np.eye(len(rates))))
    true, predicted = divmod(int(errors.argmax()), len(rates))
    share = percent(float(errors[true, predicted]), 0)
    return (
        f"Confusion matrix of {network}. Most frequent confusion: {share} % of {class_names[true]} "
        f"are taken for {class_names[predicted]}."
    )
