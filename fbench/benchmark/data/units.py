"""The independent units of a split: subjects where the source tells them, else groups of exact copies, else images."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.copies import copy_groups
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.records.predictions import SplitClusters


def clusters_of_rows(dataset: ImageDataset, rows: npt.NDArray[np.int64]) -> SplitClusters | None:
    """Which of these images belong together, by number in order of appearance; none where each stands for itself.

    Names of subjects stay behind. Near copies are no part of it, which only a full audit finds.
    """
    if dataset.subjects is not None:
        numbers: dict[str, int] = {}
        found = [numbers.setdefault(name, len(numbers)) for name in dataset.subjects[rows].tolist()]
        return SplitClusters("subjects", np.array(found, np.int64))
    groups = copy_groups(dataset.images[rows])
    return SplitClusters("copies", groups) if groups.max(initial=-1) + 1 < len(rows) else None
