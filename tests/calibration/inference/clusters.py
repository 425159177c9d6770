"""Do intervals hold for new subjects, where several frames show each of them?

A test split with the sizes of CK+: 162 frames of 18 subjects, 3 to 15 of each. A network has a frame right where

    level + subject + frame + (network: subject + frame + training + training on a subject + training on a frame) > 0,

all but the level normal with mean 0. The subject and the frame outside the brackets are shared by both networks; those
inside are each network's own, and of these the subject makes the frames of one subject alike in the *difference* of two
networks: the strength of clustering is its standard deviation. Means over all of it are known: the level divided by the
root of the sum of all variances, through the normal distribution function.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from fbench.statistics.clusters import Clusters
from fbench.statistics.comparison.paired import new_images_difference
from fbench.statistics.comparison.unpaired import unpaired_new_images
from fbench.statistics.estimands import new_images
from fbench.statistics.single import summarise
from tests.calibration.inference.coverage import covers

FloatArray = npt.NDArray[np.float64]

FRAMES: Final = (15, 12, 12, 12, 12, 12, 9, 9, 9, 9, 9, 9, 9, 9, 6, 3, 3, 3)
"""Of each subject in the test split of CK+48 as fbench splits it."""

STRENGTHS: Final = {"weak": 0.25, "moderate": 0.42, "strong": 0.55}
"""Standard deviations of a network's own ease with a subject: images as units cover 88, 80 and 73 % with 10 seeds."""

LEVELS: Final = {"equal": (1.5, 1.5), "different": (2.2, 1.6)}
"""Of both networks: accuracies of 87 and 87 %, and of 95 and 89 %."""

SUBJECT: Final = 0.7
FRAME: Final = 0.6
OWN_FRAME: Final = 0.5
TRAINING: Final = 0.15
TRAINING_ON_SUBJECT: Final = 0.3
TRAINING_ON_FRAME: Final = 0.6

CLUSTERS: Final = Clusters(np.repeat(np.arange(len(FRAMES)), FRAMES))


@dataclass(frozen=True)
class ClustersRow:
    """Coverages in per cent of ``repetitions``, of what is true of new subjects and new seeds.

    ``images`` is the interval that takes each frame for independent, ``subjects`` fbench's, and ``without_score`` the
    same with the standard error of the data at both ends. ``unpaired`` is fbench's where the networks have no seed in
    common, ``accuracy`` that of the first network alone. ``found`` is how often a difference from 0 is found at 5 %, in
    favour of the first network where that is better; ``width_points`` is the mean width of ``subjects``.
    """

    networks: str
    clustering: str
    seeds: int
    repetitions: int
    difference_points: float
    width_points: float
    images: float
    subjects: float
    without_score: float
    unpaired: float
    accuracy: float
    found: float


def clusters_of_ckplus(networks: str, clustering: str, seeds: int, repetitions: int, random_seed: int) -> ClustersRow:
    """Simulate two networks of these levels, this strength of clustering and so many seeds."""
    own_subject, levels = STRENGTHS[clustering], LEVELS[networks]
    generator = np.random.default_rng([random_seed, seeds, round(100 * own_subject), round(10 * levels[0])])
    ours, theirs = (expected_accuracy(level, own_subject) for level in levels)
    truth = ours - theirs
    found, widths = [], []
    for _ in range(repetitions):
        a, b = draw_answers(levels, own_subject, seeds, generator)
        of_subjects = new_images_difference(a - b, clusters=CLUSTERS)
        widths.append(of_subjects.high - of_subjects.low)
        found.append(
            (
                covers(new_images(a - b), truth),
                covers(of_subjects, truth),
                covers(new_images(a - b, clusters=CLUSTERS), truth),
                covers(unpaired_new_images(a, b, clusters=CLUSTERS), truth),
                covers(summarise(a, clusters=CLUSTERS).new_images, ours),
                of_subjects.p_value < 0.05 and (truth == 0 or of_subjects.estimate > 0),
            )
        )
    shares = 100 * np.mean(np.array(found, dtype=np.float64), axis=0)
    width = 100 * float(np.mean(widths))
    return ClustersRow(
        networks, clustering, seeds, repetitions, 100 * truth, width, *(float(share) for share in shares)
    )


def draw_answers(
    levels: tuple[float, float], own_subject: float, seeds: int, generator: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Right (1) and wrong (0) answers of two networks, each of shape (seeds, 162 frames)."""
    subjects, frames, of_frame = len(FRAMES), sum(FRAMES), CLUSTERS.numbers

    def network(level: float) -> FloatArray:
        ease = shared + generator.normal(0, own_subject, subjects)[of_frame] + generator.normal(0, OWN_FRAME, frames)
        training = (
            generator.normal(0, TRAINING, (seeds, 1))
            + generator.normal(0, TRAINING_ON_SUBJECT, (seeds, subjects))[:, of_frame]
            + generator.normal(0, TRAINING_ON_FRAME, (seeds, frames))
        )
        return np.asarray(level + ease + training > 0, dtype=np.float64)

    shared = generator.normal(0, SUBJECT, subjects)[of_frame] + generator.normal(0, FRAME, frames)
    return network(levels[0]), network(levels[1])


def expected_accuracy(level: float, own_subject: float) -> float:
    """The accuracy over all subjects, frames and trainings that might be drawn."""
    deviations = (SUBJECT, FRAME, own_subject, OWN_FRAME, TRAINING, TRAINING_ON_SUBJECT, TRAINING_ON_FRAME)
    return float(special.ndtr(level / np.linalg.norm(deviations)))
