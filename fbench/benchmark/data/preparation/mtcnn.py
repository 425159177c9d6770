"""MTCNN's cascade: proposals on an image pyramid, refined twice, with five landmarks at the end.

Zhang et al. 2016, section II.A. Thresholds and the pyramid's step are those of the authors' published demonstration.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows

from fbench.benchmark.data.preparation.boxes import Boxes, squared, suppress
from fbench.benchmark.data.preparation.faces import Face
from fbench.benchmark.data.preparation.mtcnn_networks import load_networks

SMALLEST_FACE_PX: Final = 30
LARGEST_SIDE_PX: Final = 1600
"""Larger photos are looked at smaller: a face that fills a hundredth of the side still has 16 pixels there."""
_WINDOW, _STRIDE, _STEP = 12, 2, 0.709
_THRESHOLDS: Final = (0.6, 0.7, 0.7)
_MOST_PROPOSALS: Final = 500


class MtcnnDetector:
    """Faces with landmarks by P-Net, R-Net and O-Net on the CPU.

    Raises:
        UserError: see :func:`load_networks`.
    """

    name = "mtcnn"

    def __init__(self) -> None:
        self._proposal, self._refinement, self._output, self.version = load_networks()

    def detect(self, photo: npt.NDArray[np.uint8]) -> list[Face]:
        """The faces of an RGB photo uint8 (H, W, 3), the most confident first."""
        pixels = torch.from_numpy(photo.astype(np.float32)).permute(2, 0, 1)[None]
        shrink = min(1.0, LARGEST_SIDE_PX / max(photo.shape[:2]))
        if shrink < 1.0:
            pixels = F.interpolate(pixels, scale_factor=shrink, mode="area", recompute_scale_factor=True)
        with torch.inference_mode():
            faces = self._cascade((pixels - 127.5) / 128)
        return [_scaled(face, 1 / shrink) for face in faces]

    def _cascade(self, image: torch.Tensor) -> list[Face]:
        boxes = self._propose(image)
        if not len(boxes):
            return []
        offsets, scores = self._refinement(_windows(image, boxes, 24))
        boxes, kept_scores = _kept(boxes, offsets, scores, _THRESHOLDS[1])
        stay = suppress(boxes, kept_scores, 0.7)
        boxes = squared(boxes[stay])
        if not len(boxes):
            return []
        offsets, landmarks, scores = self._output(_windows(image, boxes, 48))
        sure = (scores > _THRESHOLDS[2]).numpy()
        points = _points(boxes[sure], landmarks.double().numpy()[sure])
        boxes, kept_scores = _kept(boxes, offsets, scores, _THRESHOLDS[2])
        stay = suppress(boxes, kept_scores, 0.7, by="smaller")
        return [_face(boxes[row], float(kept_scores[row]), points[row]) for row in stay]

    def _propose(self, image: torch.Tensor) -> Boxes:
        """Square boxes (N, 4) from all levels of the pyramid."""
        found, scores = [np.zeros((0, 4))], [np.zeros(0)]
        scale = _WINDOW / SMALLEST_FACE_PX
        while min(image.shape[2:]) * scale >= _WINDOW:
            size = [max(_WINDOW, round(side * scale)) for side in image.shape[2:]]
            offsets, probabilities = self._proposal(F.interpolate(image, size=size, mode="area"))
            rows, columns = torch.nonzero(probabilities[0] > _THRESHOLDS[0], as_tuple=True)
            if len(rows):
                cells = torch.stack([columns, rows], 1).double().numpy() * _STRIDE
                stretch = np.array([image.shape[3] / size[1], image.shape[2] / size[0]])
                boxes = np.concatenate([cells * stretch, (cells + _WINDOW) * stretch], axis=1)
                boxes = _moved(boxes, offsets[0, :, rows, columns].T.double().numpy())
                score = probabilities[0, rows, columns].double().numpy()
                stay = suppress(boxes, score, 0.5)
                found.append(boxes[stay])
                scores.append(score[stay])
            scale *= _STEP
        boxes, score = np.concatenate(found), np.concatenate(scores)
        return squared(boxes[suppress(boxes, score, 0.7)[:_MOST_PROPOSALS]])


def _windows(image: torch.Tensor, boxes: Boxes, side: int) -> torch.Tensor:
    """The boxes (N, 4) of an image (1, 3, H, W), resampled to (N, 3, side, side); outside of it is middle gray."""
    _, _, height, width = image.shape
    corners = torch.from_numpy(boxes).float()
    steps = (torch.arange(side) + 0.5) / side
    x = corners[:, :1] + steps * (corners[:, 2:3] - corners[:, :1])
    y = corners[:, 1:2] + steps * (corners[:, 3:4] - corners[:, 1:2])
    grid = torch.stack(
        [(2 * x / width - 1)[:, None, :].expand(-1, side, -1), (2 * y / height - 1)[:, :, None].expand(-1, -1, side)],
        -1,
    )
    return F.grid_sample(image.expand(len(boxes), -1, -1, -1), grid, mode="bilinear", align_corners=False)


def _kept(boxes: Boxes, offsets: torch.Tensor, scores: torch.Tensor, threshold: float) -> tuple[Boxes, Boxes]:
    sure = (scores > threshold).numpy()
    return _moved(boxes[sure], offsets.double().numpy()[sure]), scores.double().numpy()[sure]


def _moved(boxes: Boxes, offsets: Boxes) -> Boxes:
    """Boxes moved by offsets that are fractions of their sides."""
    sides = (boxes[:, 2:] - boxes[:, :2])[:, [0, 1, 0, 1]]
    return boxes + offsets * sides


def _points(boxes: Boxes, landmarks: Boxes) -> Boxes:
    """Landmarks (N, 5, 2) in pixels from fractions (N, 10: five x, five y) of square boxes."""
    x = boxes[:, :1] + landmarks[:, :5] * (boxes[:, 2:3] - boxes[:, :1])
    y = boxes[:, 1:2] + landmarks[:, 5:] * (boxes[:, 3:4] - boxes[:, 1:2])
    return np.stack([x, y], axis=2)


def _face(box: Boxes, score: float, points: Boxes) -> Face:
    left, top, right, bottom = box.tolist()
    first, second = ((float(x), float(y)) for x, y in points[:2].tolist())
    return Face((left, top, right, bottom), score, first, second)


def _scaled(face: Face, factor: float) -> Face:
    def point(position: tuple[float, float] | None) -> tuple[float, float] | None:
        return None if position is None else (position[0] * factor, position[1] * factor)

    left, top, right, bottom = (value * factor for value in face.box)
    return Face((left, top, right, bottom), face.confidence, point(face.left_eye), point(face.right_eye))
