"""What chance is made of: seeds, images, both with a residual, or the residual alone; and answers of trained
networks."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

IMAGES: Final = 3_589
"""Of the test split of FER2013."""


@dataclass(frozen=True)
class Regime:
    """Standard deviations of one network's answer: over seeds, over images, and the rest; fractions of 1.

    A difference of two networks has variances twice as large.
    """

    name: str
    seed: float
    image: float
    residual: float


REGIMES: Final = (
    Regime("seeds only", 0.007, 0.0, 0.0),
    Regime("images only", 0.0, 0.2, 0.0),
    Regime("mixed", 0.007, 0.2, 0.3),
    Regime("residual only", 0.0, 0.0, 0.3),
)


@dataclass(frozen=True)
class Study:
    """Answers of shape (1 + comparisons, seeds, images), the baseline's first, of true means 0 for new images.

    ``difficulties`` are the true means for the images drawn, shape (1 + comparisons,).
    """

    answers: FloatArray
    difficulties: FloatArray

    @property
    def differences(self) -> FloatArray:
        """All networks minus the baseline, shape (comparisons, seeds, images)."""
        return self.answers[1:] - self.answers[:1]

    @property
    def on_these_images(self) -> FloatArray:
        """The true differences for the images drawn, shape (comparisons,)."""
        return self.difficulties[1:] - self.difficulties[0]


def draw_study(
    regime: Regime, comparisons: int, seeds: int, generator: np.random.Generator, images: int = IMAGES
) -> Study:
    """Answers of networks of one kind, each with its own training noise and difficulties."""
    networks = comparisons + 1
    of_seed = generator.normal(0, regime.seed, (networks, seeds, 1)) if regime.seed else np.zeros((networks, seeds, 1))
    of_image = (
        generator.normal(0, regime.image, (networks, 1, images)) if regime.image else np.zeros((networks, 1, images))
    )
    answers = of_seed + of_image
    if regime.residual:
        answers = answers + regime.residual * generator.standard_normal((networks, seeds, images))
    return Study(answers, of_image[:, 0].mean(axis=1))


@dataclass(frozen=True)
class Population:
    """Correct answers of every training of some networks on the same images: name to bool (trainings, images)."""

    answers: dict[str, BoolArray]

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Every network against every other that was trained alike, the last word of their names, as often."""
        for ours, theirs in itertools.combinations(self.answers, 2):
            alike = ours.split()[-1] == theirs.split()[-1]
            if alike and self.answers[ours].shape == self.answers[theirs].shape:
                yield ours, theirs


def read_population(file: Path) -> Population:
    """Read what :func:`write_population` wrote."""
    with np.load(io.BytesIO(file.read_bytes())) as kept:
        images = int(kept["images"])
        names = [name for name in kept.files if name != "images"]
        return Population(
            {name: np.unpackbits(kept[name], axis=1, count=images).astype(np.bool_) for name in sorted(names)}
        )


def write_population(file: Path, population: Population) -> None:
    """Keep answers, eight to a byte."""
    images = next(iter(population.answers.values())).shape[1]
    packed = {name: np.packbits(rows, axis=1) for name, rows in population.answers.items()}
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, images=np.array(images), **packed)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(stream.getvalue())
