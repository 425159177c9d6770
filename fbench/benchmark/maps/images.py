"""Which faces maps are made of: a data set's own where they may be shown, else rendered ones, else none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.layouts.class_names import expression
from fbench.benchmark.data.synthetic.drawing import IMAGE_SIZE
from fbench.benchmark.data.synthetic.expressions import CLASS_NAMES
from fbench.benchmark.data.synthetic.render import render
from fbench.benchmark.data.synthetic.sampling import sample_noise, sample_parameters
from fbench.benchmark.records.specs import DataSpec
from fbench.core.array_text import AS_TEXT

MOST_IMAGES: Final = 8
RENDERED: Final = "rendered faces"
FACES_SEED: Final = 1102
"""Of the rendered faces. With it every face lies within its image, and the generator's own posterior gives each its
class with a probability above 0.95: what a network takes for another expression is its mistake, not the drawing's."""


@dataclass(frozen=True)
class ShownImages:
    """Images uint8 (N, C, H, W) with the class name that each shows, N at most ``MOST_IMAGES``.

    ``source`` says what they are; ``may_be_kept`` whether they may be written to a file.
    """

    images: Annotated[npt.NDArray[np.uint8], *AS_TEXT]
    labels: tuple[str, ...]
    source: str
    may_be_kept: bool


def images_to_keep(data: DataSpec, load: Callable[[], ImageDataset]) -> ShownImages | None:
    """The images of a run on ``data`` that may lie beside its records; ``load`` is called only if they are its own.

    None where images of the data may not be shown and no face can be rendered in their place.
    """
    if not data.may_show_images:
        return rendered_faces(data.class_names, data.image_shape)
    return images_of(load())


def images_of(dataset: ImageDataset) -> ShownImages | None:
    """The first image of each class in the validation split, or in the test split where that has none; at most 8."""
    rows = dataset.rows("validation")
    rows = rows if rows.size else dataset.rows("test")
    labels = dataset.labels[rows]
    present = [label for label in range(len(dataset.class_names)) if (labels == label).any()][:MOST_IMAGES]
    if not present:
        return None
    return ShownImages(
        images=dataset.images[[int(rows[labels == label][0]) for label in present]],
        labels=tuple(dataset.class_names[label] for label in present),
        source=f"images of {dataset.name}",
        may_be_kept=dataset.may_show_images,
    )


def rendered_faces(class_names: tuple[str, ...], image_shape: tuple[int, int, int]) -> ShownImages | None:
    """A synthetic face of each class, called as in ``class_names``; the same ones every time.

    None where a class is no expression, or images have another size than rendered ones. Contempt is not rendered, so
    that a data set which has it gets the other faces.
    """
    meant = {name: expression(name) for name in class_names}
    known = {name: meaning for name, meaning in meant.items() if meaning in CLASS_NAMES}
    if not known or None in meant.values() or image_shape != (1, IMAGE_SIZE, IMAGE_SIZE):
        return None
    labels = np.arange(len(CLASS_NAMES))
    parameters = sample_parameters(labels, seed=FACES_SEED, split="validation")
    faces = render(parameters, sample_noise(len(labels), seed=FACES_SEED, split="validation"))
    indices = [CLASS_NAMES.index(meaning) for meaning in known.values()]
    return ShownImages(faces[indices][:MOST_IMAGES], tuple(known)[:MOST_IMAGES], RENDERED, may_be_kept=True)
