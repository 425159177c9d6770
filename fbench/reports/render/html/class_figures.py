"""The figures of single classes: how recalls change, what is taken for what, and how that changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.reports.figures.confusion import MOST_CLASSES, common_scale, confusion_difference, confusion_heatmap
from fbench.reports.figures.drawing import illustrate
from fbench.reports.figures.recall_changes import RecallChanges, recall_changes
from fbench.reports.findings.comparisons.evidence import Evidence, NetworkEvidence
from fbench.reports.findings.comparisons.studies import StudyResult
from fbench.reports.palette import Style
from fbench.reports.render.html.amounts import amount_words, seeds_and_images
from fbench.reports.render.html.document import FigureChoice
from fbench.reports.render.html.recalls import RecallChange, RecallSection

Pair = tuple[str, str]
"""A network and its baseline."""

MOST_DOTS: Final = 8
"""Networks in one figure of recalls."""


def confusion_figures(evidence: Evidence, networks: Sequence[str], key: str) -> FigureChoice | None:
    """One matrix for each of these networks, of all its seeds; none where there are too many classes to read."""
    if len(evidence.class_names) > MOST_CLASSES or not networks:
        return None
    figures = tuple(
        illustrate(
            f"{key}-confusion{index}",
            f"Confusion matrix of {network}, % of each true class; {seeds_and_images([evidence.networks[network]])}",
            confusion_heatmap,
            confusion_rates(evidence.networks[network]),
            evidence.class_names,
            network,
        )
        for index, network in enumerate(networks, start=1)
    )
    return FigureChoice("Confusion matrix of", tuple(networks), figures)


def confusion_differences(evidence: Evidence, pairs: Sequence[Pair], key: str) -> FigureChoice | None:
    """The change of the matrix from the second to the first network of each pair, all on one scale; none as above."""
    if len(evidence.class_names) > MOST_CLASSES or not pairs:
        return None
    rates = {name: confusion_rates(evidence.networks[name]) for name in dict.fromkeys(chain.from_iterable(pairs))}
    changes = [rates[network] - rates[baseline] for network, baseline in pairs]
    scale = common_scale([one for pair, one in zip(pairs, changes, strict=True) if _learned(evidence, pair)] or changes)
    figures = tuple(
        illustrate(
            f"{key}-confusion-change{index}",
            f"{network} minus {baseline}, points of each true class, full colour at ±{scale}; "
            f"{seeds_and_images(evidence.networks[name] for name in (network, baseline))}",
            confusion_difference,
            change,
            evidence.class_names,
            network,
            baseline,
            scale,
        )
        for index, ((network, baseline), change) in enumerate(zip(pairs, changes, strict=True), start=1)
    )
    return FigureChoice("Confusion of", tuple(f"{network} minus {baseline}" for network, baseline in pairs), figures)


def _learned(evidence: Evidence, pair: Pair) -> bool:
    """Whether no training of either collapsed: one that names a single class would set the scale of all others."""
    return not any(evidence.networks[name].collapsed for name in pair)


def recall_figures(
    section: RecallSection | None, studies: Sequence[StudyResult], styles: Mapping[str, Style], key: str
) -> FigureChoice | None:
    """A figure for each study, in parts where it compares many networks, all on one scale; none without a pair."""
    known = {(row.network, row.baseline): row for row in section.changes} if section else {}
    parts = [part for result in studies for part in _parts(result, known)]
    if section is None or not parts:
        return None
    found = [change for row in known.values() for change in row.changes if change is not None]
    scale = (min(change.low for change in found), max(change.high for change in found)) if found else (0.0, 0.0)
    images = amount_words(section.images, "image")
    figures = tuple(
        illustrate(
            f"{key}-recall-change{index}",
            f"{name}: recall minus that of {rows[0].baseline}, points; 95 % intervals, {images} a class",
            recall_changes,
            RecallChanges(rows[0].baseline, section.class_names, {row.network: row.changes for row in rows}, scale),
            styles,
        )
        for index, (name, rows) in enumerate(parts, start=1)
    )
    return FigureChoice("Study", tuple(name for name, _ in parts), figures)


def _parts(result: StudyResult, known: Mapping[Pair, RecallChange]) -> list[tuple[str, list[RecallChange]]]:
    """The changes of a study that stand in one figure, each under its name."""
    title = result.study.title
    by_baseline: dict[str, list[RecallChange]] = {}
    for row in result.comparisons:
        if (row.network, row.baseline) in known:
            by_baseline.setdefault(row.baseline, []).append(known[row.network, row.baseline])
    found = []
    for baseline, rows in by_baseline.items():
        name = title if len(by_baseline) == 1 else f"{title}, against {baseline}"
        for start in range(0, len(rows), MOST_DOTS):
            end = min(start + MOST_DOTS, len(rows))
            found.append((name if len(rows) <= MOST_DOTS else f"{name}, {start + 1} to {end}", rows[start:end]))
    return found


def confusion_rates(found: NetworkEvidence) -> npt.NDArray[np.float64]:
    """Shares of each true class, a row of sum 1 each (classes, classes), over all seeds; NaN without images."""
    counts = found.confusion.sum(axis=0)
    images = counts.sum(axis=1, keepdims=True)
    return np.where(images > 0, counts / np.maximum(images, 1), np.nan)
