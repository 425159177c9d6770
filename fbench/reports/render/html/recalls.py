"""Recall of each class with its interval for new images, and how it differs between a network and its baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from fbench.reports.figures.confusion import MOST_CLASSES
from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.statistics.clusters import Clusters
from fbench.statistics.comparison.networks import new_images_difference
from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.single import summarise

_FEWEST_IMAGES: Final = 2
_SHOWN_OF_MANY: Final = 10


@dataclass(frozen=True)
class RecallRow:
    """Recall of one network, a fraction of 1 for each shown class; none for a class without two images."""

    network: str
    recalls: tuple[MeanEstimate | None, ...]


@dataclass(frozen=True)
class RecallChange:
    """Recall of a network minus its baseline's, for new images, by shown class; none as in :class:`RecallRow`."""

    network: str
    baseline: str
    changes: tuple[MeanEstimate | None, ...]


@dataclass(frozen=True)
class RecallSection:
    """Recalls of the classes at ``shown``, all of them or the easiest and hardest of ``all_classes``."""

    class_names: tuple[str, ...]
    images: tuple[int, ...]
    all_classes: int
    rows: tuple[RecallRow, ...]
    changes: tuple[RecallChange, ...]

    @property
    def is_all(self) -> bool:
        """Whether every class is shown."""
        return len(self.class_names) == self.all_classes


def recall_section(
    evidence: Evidence, networks: Sequence[str], pairs: Sequence[tuple[str, str]]
) -> RecallSection | None:
    """Recalls of these networks and their changes in these pairs (network, baseline); none without a network."""
    if not networks:
        return None
    shown = _shown_classes(evidence)
    masks = [evidence.labels == index for index in shown]
    return RecallSection(
        class_names=tuple(evidence.class_names[index] for index in shown),
        images=tuple(int(mask.sum()) for mask in masks),
        all_classes=len(evidence.class_names),
        rows=tuple(
            RecallRow(
                network,
                tuple(
                    summarise(found.correct[:, mask], clusters=_among(evidence, mask)).new_images
                    if _is_enough(evidence, mask)
                    else None
                    for mask in masks
                ),
            )
            for network, found in evidence.networks.items()
            if network in networks
        ),
        changes=tuple(RecallChange(*pair, _changes(evidence, pair, masks)) for pair in pairs),
    )


def _changes(
    evidence: Evidence, pair: tuple[str, str], masks: Sequence[np.typing.NDArray[np.bool_]]
) -> tuple[MeanEstimate | None, ...]:
    ours, theirs = (evidence.networks[name] for name in pair)
    return tuple(
        new_images_difference(
            ours.correct[:, mask], theirs.correct[:, mask], ours.seeds, theirs.seeds, _among(evidence, mask)
        )
        if _is_enough(evidence, mask)
        else None
        for mask in masks
    )


def _is_enough(evidence: Evidence, mask: np.typing.NDArray[np.bool_]) -> bool:
    """Whether there are images for an interval, and two clusters of them."""
    of_several = evidence.clusters is None or np.unique(evidence.clusters.numbers[mask]).size > 1
    return bool(mask.sum() >= _FEWEST_IMAGES and of_several)


def _among(evidence: Evidence, mask: np.typing.NDArray[np.bool_]) -> Clusters | None:
    return None if evidence.clusters is None else evidence.clusters.among(mask)


def _shown_classes(evidence: Evidence) -> list[int]:
    """All classes, or those of the lowest and highest recall over all networks where there are too many to read."""
    classes = len(evidence.class_names)
    if classes <= MOST_CLASSES:
        return list(range(classes))
    counts = sum(found.confusion.sum(axis=0) for found in evidence.networks.values())
    images = counts.sum(axis=1)
    known = np.flatnonzero(images)
    order = known[np.argsort(np.diag(counts)[known] / images[known], kind="stable")]
    ends = [*order[:_SHOWN_OF_MANY], *order[max(_SHOWN_OF_MANY, len(order) - _SHOWN_OF_MANY) :]]
    return [int(index) for index in ends]
