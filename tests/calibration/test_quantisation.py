from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fbench.statistics.comparison.paired import compare
from tests.calibration.quantisation import REFERENCE, difference_of, keep_predictions, summarise

INT8 = "onnxruntime_int8"


def keep(folder: Path, trial_id: str, seed: int) -> dict[str, np.ndarray[Any, Any]]:
    """Random classes of 40 images; int8 changes every tenth."""
    generator = np.random.default_rng(seed)
    labels, plain = generator.integers(0, 3, (2, 40)).astype(np.uint8)
    int8 = plain.copy()
    int8[::10] = (int8[::10] + 1) % 3
    keep_predictions(folder, trial_id, "test", labels, {REFERENCE: plain, INT8: int8})
    return {"labels": labels, REFERENCE: plain, INT8: int8}


def test_the_cost_of_int8_is_compared_over_seeds_and_images(tmp_path: Path) -> None:
    rows, expected = [], []
    for seed, trial_id in enumerate(("a", "b", "c")):
        found = keep(tmp_path, trial_id, seed)
        right = {name: (found[name] == found["labels"]).astype(int) for name in (REFERENCE, INT8)}
        expected.append(right[INT8] - right[REFERENCE])
        np.testing.assert_array_equal(difference_of(tmp_path / f"{trial_id}-test.npz", INT8), expected[-1])
        about = {"trial_id": trial_id, "network": "ires", "split": "test", "agreement": 0.9, "size_bytes": 7}
        rows += [about | {"backend": backend, "top1": right[backend].mean()} for backend in (REFERENCE, INT8)]
    (line,) = summarise(rows, tmp_path)
    wanted = compare(np.array(expected))
    assert line["difference_points"] == pytest.approx(100 * wanted.new_images.estimate, abs=1e-3)
    assert line["new_images_low"] == pytest.approx(100 * wanted.new_images.low, abs=1e-3)
    assert line["this_test_set_high"] == pytest.approx(100 * wanted.this_test_set.high, abs=1e-3)
    assert (line["backend"], line["seeds"], line["size_bytes"]) == (INT8, 3, 7)
