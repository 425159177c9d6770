"""Results of trainings that fbench did not make: accuracies, and where they are known the answers to each image."""

from __future__ import annotations

from operator import eq
from typing import Final, Literal, Self

from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from fbench.benchmark.data.dataset import SplitName
from fbench.benchmark.records.predictions import ClusterUnit
from fbench.core.schema import FrozenModel

IMPORTED_SCHEMA_VERSION: Final = 1
NOT_TRAINED_HERE: Final = "imported, not trained here"


class ImportedTraining(FrozenModel):
    """One training; ``top1`` is a fraction, ``predicted`` the classes of all images of the split in its order."""

    seed: NonNegativeInt
    top1: float = Field(ge=0.0, le=1.0)
    predicted: tuple[NonNegativeInt, ...] = ()


class ImportedData(FrozenModel):
    """What the trainings were tested on.

    ``fingerprint`` is none where the data set was only named, and nothing of it was read. ``labels`` are the true
    classes of the split's images in its order, and ``clusters`` their independent units; both are kept with predictions
    alone.
    """

    name: str
    split: SplitName
    fingerprint: str | None = None
    class_names: tuple[str, ...] = ()
    images: PositiveInt | None = None
    labels: tuple[NonNegativeInt, ...] = ()
    unit: ClusterUnit | None = None
    clusters: tuple[NonNegativeInt, ...] = ()


class ImportedResults(FrozenModel):
    """Trainings by network, of one split of one data set. How they were trained is not known, so that they are no
    trials and enter no run; ``kind`` says so in the file."""

    schema_version: int = IMPORTED_SCHEMA_VERSION
    kind: Literal["imported, not trained here"] = NOT_TRAINED_HERE
    source: str
    imported_at: str
    data: ImportedData
    networks: dict[str, tuple[ImportedTraining, ...]]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        images = len(self.data.labels)
        if images not in (0, self.data.images) or len(self.data.clusters) not in (0, images):
            raise ValueError("labels and clusters are not one for each image")
        for name, trainings in self.networks.items():
            if not trainings or len({one.seed for one in trainings}) != len(trainings):
                raise ValueError(f"the trainings of '{name}' need a seed of their own each")
            if any(len(one.predicted) not in (0, images) for one in trainings):
                raise ValueError(f"the predictions of '{name}' are not one for each label")
            for one in trainings:
                right = sum(map(eq, one.predicted, self.data.labels))
                if one.predicted and one.top1 != right / images:
                    raise ValueError(f"the accuracy of '{name}' with seed {one.seed} is not that of its predictions")
        return self

    def has_predictions(self, network: str) -> bool:
        """Whether the answers of all its trainings are known."""
        return all(one.predicted for one in self.networks[network])
