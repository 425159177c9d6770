"""What imported trainings say that they were tested on, as far as it can be known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import SplitName
from fbench.benchmark.records.imported import ImportedData
from fbench.core.errors import UserError


@dataclass(frozen=True)
class EvaluatedImages:
    """The images of a split that was read: names, labels (N,) and class names, in the order of the data set."""

    sample_ids: tuple[str, ...]
    labels: npt.NDArray[np.integer]
    class_names: tuple[str, ...]

    def class_of(self, text: str) -> int:
        """The class of a name or a number.

        Raises:
            ValueError: it is neither.
        """
        if text in self.class_names:
            return self.class_names.index(text)
        number = int(text)
        if not 0 <= number < len(self.class_names):
            raise ValueError(text)
        return number


@dataclass(frozen=True)
class EvaluatedOn:
    """A data set and split; ``images`` is none where the data set was only named."""

    data: ImportedData
    images: EvaluatedImages | None


def evaluated_on(reference: str, split: SplitName) -> EvaluatedOn:
    """Read the data set where that can be: a known one that has a path may be named alone, and is then not read.

    Raises:
        UserError: an unknown name, a path that cannot be read, or a split without images.
    """
    from fbench.benchmark.data.catalogue import DATA_SETS, known_data
    from fbench.benchmark.data.load import load_dataset
    from fbench.benchmark.data.references import parse_reference
    from fbench.benchmark.data.units import clusters_of_rows

    if reference in DATA_SETS and known_data(reference).takes_path:
        return EvaluatedOn(ImportedData(name=reference, split=split), None)
    dataset = load_dataset(parse_reference(reference))
    rows = dataset.rows(split)
    if not rows.size:
        raise UserError(f"--split {split} was given, and {dataset.name} has no such images; give another split.")
    labels, clusters = dataset.labels[rows], clusters_of_rows(dataset, rows)
    data = ImportedData(
        name=dataset.name,
        split=split,
        fingerprint=dataset.fingerprint,
        class_names=dataset.class_names,
        images=int(rows.size),
        labels=tuple(labels.tolist()),
        unit=None if clusters is None else clusters.unit,
        clusters=() if clusters is None else tuple(clusters.numbers.tolist()),
    )
    return EvaluatedOn(data, EvaluatedImages(tuple(dataset.sample_ids[rows].tolist()), labels, dataset.class_names))
