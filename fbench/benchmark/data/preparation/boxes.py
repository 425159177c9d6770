"""Boxes (left, top, right, bottom) in pixels: overlap, suppression of weaker ones, squares."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float64]


def overlap(box: Boxes, others: Boxes, by: Literal["union", "smaller"] = "union") -> Boxes:
    """The common area of ``box`` (4,) with each of ``others`` (N, 4), over their union or the smaller of the two."""
    width = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0])
    height = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1])
    common = np.clip(width, 0, None) * np.clip(height, 0, None)
    area = (box[2] - box[0]) * (box[3] - box[1])
    areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    whole = np.minimum(area, areas) if by == "smaller" else area + areas - common
    return np.asarray(np.divide(common, whole, out=np.zeros_like(common), where=whole > 0))


def suppress(
    boxes: Boxes, scores: Boxes, threshold: float, by: Literal["union", "smaller"] = "union"
) -> npt.NDArray[np.int64]:
    """Which of the boxes (N, 4) stay, the best first: each stays unless it overlaps a better one that stays."""
    order = np.argsort(-scores, kind="stable")
    kept = []
    while order.size:
        best, order = order[0], order[1:]
        kept.append(int(best))
        order = order[overlap(boxes[best], boxes[order], by) <= threshold]
    return np.array(kept, np.int64)


def squared(boxes: Boxes) -> Boxes:
    """Boxes (N, 4) grown to squares of their longer side around the same centre."""
    side = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.concatenate([centre - side[:, None] / 2, centre + side[:, None] / 2], axis=1)
