"""The training images as a PyTorch user reads them: one by one, changed by PIL, turned into tensors."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch.utils.data import Dataset

from fbench.benchmark.records.protocol import Augmentation


@dataclass(frozen=True)
class Faces:
    """Training images uint8 (N, 48, 48), their labels, and the mean and deviation of all pixels."""

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    mean: float
    deviation: float


class AugmentedFaces(Dataset[tuple[torch.Tensor, int]]):
    """Each access draws flip, rotation, zoom and shift anew and resamples once, bilinearly."""

    def __init__(self, faces: Faces, settings: Augmentation) -> None:
        self._faces = faces
        self._settings = settings

    def __len__(self) -> int:
        return len(self._faces.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        image = Image.fromarray(self._faces.images[index])
        if random.random() < self._settings.flip_probability:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        image = image.transform(image.size, Image.Transform.AFFINE, self._matrix(image.size), Image.Resampling.BILINEAR)
        values = torch.from_numpy(np.asarray(image, np.float32)).unsqueeze(0)
        return (values - self._faces.mean) / self._faces.deviation, int(self._faces.labels[index])

    def _matrix(self, size: tuple[int, int]) -> tuple[float, float, float, float, float, float]:
        """PIL's map from places of the changed image to places of the image, about the centre."""
        drawn = self._settings
        angle = math.radians(random.uniform(-drawn.rotation_degrees, drawn.rotation_degrees))
        scale = random.uniform(1 - drawn.zoom_fraction, 1 + drawn.zoom_fraction)
        cosine, sine = math.cos(angle) * scale, math.sin(angle) * scale
        x, y = size[0] / 2, size[1] / 2
        shift_x = x + random.uniform(-drawn.shift_fraction, drawn.shift_fraction) * size[0]
        shift_y = y + random.uniform(-drawn.shift_fraction, drawn.shift_fraction) * size[1]
        return cosine, -sine, shift_x - cosine * x + sine * y, sine, cosine, shift_y - sine * x - cosine * y
