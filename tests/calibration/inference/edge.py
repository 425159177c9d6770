"""Near 100 %: how often two networks that differ by exactly the margin are called equivalent, and what intervals
hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from fbench.statistics.comparison.networks import new_images_difference
from fbench.statistics.estimands import new_images
from fbench.statistics.single import summarise
from tests.calibration.inference.coverage import covers, is_equivalent

ACCURACIES: Final = (0.995, 0.985)


@dataclass(frozen=True)
class Difficulty:
    """Shares of the variance of a latent normal variable, one for each answer; an answer is wrong where it is low.

    The crossed probit model of several readers and cases (Roe, Metz 1997, Academic Radiology 4, 298-303): the seed of a
    network, the image for all networks alike, the image for this network, and what is left.
    """

    name: str
    seed: float
    image: float
    image_of_network: float

    @property
    def rest(self) -> float:
        """Of the variance."""
        return 1 - self.seed - self.image - self.image_of_network


DIFFICULTIES: Final = (
    Difficulty("mixed", seed=0.02, image=0.30, image_of_network=0.20),
    Difficulty("same images", seed=0.0, image=0.95, image_of_network=0.0),
)

CASES: Final = tuple(
    (difficulty, images, seeds)
    for difficulty in DIFFICULTIES
    for images in (147, 200, 400)
    for seeds in (5, 10, 20)
    if images < 400 or seeds == 20
)
"""Kinds of difficulty, images, and seeds. 400 images are enough to certify a margin of one point."""


@dataclass(frozen=True)
class EdgeRow:
    """Per cent of ``repetitions`` with accuracies of 99.5 and 98.5 %, a margin of one point.

    ``equivalent`` is how often they are called equivalent, ``coverage`` that of their difference, ``ours`` and
    ``theirs`` of both accuracies. ``model_equivalent`` and ``model_coverage`` would be those of the crossed model
    alone.
    """

    difficulty: str
    images: int
    seeds: int
    repetitions: int
    equivalent: float
    coverage: float
    ours: float
    theirs: float
    model_equivalent: float
    model_coverage: float


def edge_of(difficulty: Difficulty, images: int, seeds: int, repetitions: int, random_seed: int) -> EdgeRow:
    """Simulate one kind of difficulty."""
    generator = np.random.default_rng([random_seed, images, seeds, len(difficulty.name)])
    numbers, truth = tuple(range(seeds)), ACCURACIES[0] - ACCURACIES[1]
    found = []
    for _ in range(repetitions):
        ours, theirs = _draw(difficulty, images, seeds, generator)
        difference = new_images_difference(ours, theirs, numbers, numbers)
        by_model = new_images(ours.astype(np.float64) - theirs)
        found.append(
            (
                is_equivalent(difference),
                covers(difference, truth),
                covers(summarise(ours).new_images, ACCURACIES[0]),
                covers(summarise(theirs).new_images, ACCURACIES[1]),
                is_equivalent(by_model),
                covers(by_model, truth),
            )
        )
    shares = 100 * np.mean(np.array(found, dtype=np.float64), axis=0)
    return EdgeRow(difficulty.name, images, seeds, repetitions, *(float(share) for share in shares))


def _draw(difficulty: Difficulty, images: int, seeds: int, generator: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Right answers of both networks, shape (2, seeds, images)."""
    latent = (
        np.sqrt(difficulty.seed) * generator.standard_normal((2, seeds, 1))
        + np.sqrt(difficulty.image) * generator.standard_normal((1, 1, images))
        + np.sqrt(difficulty.image_of_network) * generator.standard_normal((2, 1, images))
        + np.sqrt(difficulty.rest) * generator.standard_normal((2, seeds, images))
    )
    return np.asarray(latent > special.ndtri(1 - np.array(ACCURACIES))[:, None, None])
