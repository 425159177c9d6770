"""Maps and small data sets of faces for tests; no torch, no training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from support import make_stripes

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.maps.face_maps import FaceMaps

EXPRESSIONS = ("anger", "happiness", "contempt")


def secret_faces(class_names: Sequence[str] = EXPRESSIONS) -> ImageDataset:
    """Stripes of 48x48 pixels that take the part of photographs of people, which may not be shown."""
    stripes = make_stripes((36, 12, 12), size=48)
    return replace(stripes, name="people", class_names=tuple(class_names), may_show_images=False, synthetic=False)


def made_up_maps(predicted: Sequence[int] = (0, 1), channels: int = 3, **changes: object) -> FaceMaps:
    """Two images of 6x6 pixels; the first is hot in its last row and middle, the second nowhere."""
    heat = np.zeros((2, 6, 6), np.uint8)
    heat[0, 5, 2:4] = 255
    ramp = np.tile(np.arange(9, dtype=np.uint8).reshape(3, 3) * 28, (channels, 1, 1))
    maps = FaceMaps(
        seed=4,
        source="images of stripes",
        images=np.arange(72, dtype=np.uint8).reshape(2, 1, 6, 6),
        labels=("sad", "happy"),
        predicted=np.array(predicted, np.int64),
        class_names=("sad", "happy"),
        grad_cam=heat,
        cam_layer="last",
        feature_maps=ramp,
        layer="first.convolution",
        may_be_kept=True,
    )
    return replace(maps, **changes)  # type: ignore[arg-type] # the tests give fields of the right types
