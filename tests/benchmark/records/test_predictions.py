"""Predictions on disk: which images belong together is kept, and need not be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fbench.benchmark.records.predictions import (
    SMALL_FILE,
    SplitClusters,
    SplitPredictions,
    prediction_files,
    read_classes,
)
from fbench.benchmark.store.hashes import write_with_hashes
from fbench.core.contained import ContainedPath


def test_clusters_come_back_with_what_they_are(tmp_path: Path) -> None:
    predicted = np.array([0, 1, 1])
    part = SplitPredictions(predicted, predicted, clusters=SplitClusters("subjects", np.array([0, 1, 0])))
    files = prediction_files({"test": part, "validation": SplitPredictions(predicted, predicted)})
    write_with_hashes(ContainedPath(tmp_path), files)
    back = read_classes(ContainedPath(tmp_path))
    found = back["test"].clusters
    assert found is not None
    assert (found.unit, found.numbers.tolist()) == ("subjects", [0, 1, 0])
    assert back["validation"].clusters is None


def test_clusters_of_other_images_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / SMALL_FILE, test_predicted=[0, 1], test_labels=[0, 1], test_copies=[0, 1, 2])
    with pytest.raises(ValueError, match="one whole number an image"):
        read_classes(ContainedPath(tmp_path))
