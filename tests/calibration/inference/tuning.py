"""A network against itself, each side with settings from a search of its own: how often do they seem to differ?

Every candidate of ``fbench_tuned`` has a true accuracy, a parabola over the logarithm of the rate plus a step for each
strength of regularisation; short trainings of the first rounds have other optima, as they have in FER2013 at 6 and 20
epochs. A search sees accuracies with the chance of its own seeds and of the validation images, and chooses by
:mod:`fbench.statistics.halving`. Trials then have answers of shape (seeds, images) as in
:mod:`tests.calibration.inference.regimes`, to which settings add what they make easier of each image. Both sides are
one network: whatever the validation images do to a candidate they do to both. In ``its equal`` they are two networks
with the same accuracies, to which the same validation images do different things.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.records.tuning import Tuning
from fbench.statistics.comparison.paired import new_images_difference
from fbench.statistics.comparison.verdict import FamilyMember, decide
from fbench.statistics.halving import DEFAULT, beats_default, ranked, survivors
from tests.calibration.inference.regimes import IMAGES

FloatArray = npt.NDArray[np.float64]
Mode = Literal["shared", "once", "per_seed"]
Sides = Literal["itself", "its equal"]

SEED: Final = 0.007
"""Standard deviation of an accuracy over seeds, at the full budget; twice as much in shorter trainings."""
RESIDUAL: Final = 0.3
"""Of what a training makes of an image."""
OF_SETTINGS: Final = 0.15
"""Of what settings make of an image."""
STRENGTH_STEP: Final = 0.003
"""Of what a strength of regularisation adds to the accuracy."""
SHORT_SHIFT: Final = 0.5
"""How much lower the best rate is in the shortest trainings, in factors of two."""
MARGIN: Final = 0.01


@dataclass(frozen=True)
class Landscape:
    """How accuracy depends on the rate: the best one, in factors of two from the default, and what one factor of two
    beside it costs, as a fraction of 1."""

    name: str
    best: float
    loss: float


LANDSCAPES: Final = (
    Landscape("flat", 0.0, 0.001),
    Landscape("usual", -0.5, 0.008),
    Landscape("steep", -1.0, 0.025),
)
"""``usual`` is IRes and ARCH-1 with half and double the rate, ``steep`` lenet_count_matched (``results/recipe``)."""


@dataclass(frozen=True)
class TuningRow:
    """Per cent of ``repetitions`` in which one side is called better or worse.

    ``chosen_alike`` is how often both sides chose the same settings, over all searches; ``difference_points`` the root
    mean square of the true difference between the settings of both, averaged over seeds.
    """

    sides: str
    landscape: str
    mode: str
    seeds: int
    repetitions: int
    different: float
    chosen_alike: float
    difference_points: float


CASES: Final = tuple(
    (sides, landscape, mode, seeds)
    for sides in ("itself", "its equal")
    for landscape in LANDSCAPES
    for mode in ("shared", "once", "per_seed")
    for seeds in (5, 10, 20)
    if sides == "itself" or mode != "shared"
)


def tuning_of(
    sides: Sides, landscape: Landscape, mode: Mode, seeds: int, repetitions: int, random_seed: int
) -> TuningRow:
    """Simulate both sides of a comparison with so many seeds."""
    tuning = load_protocol("fbench_tuned").tuning
    assert tuning is not None
    place = [one.name for one in LANDSCAPES].index(landscape.name)
    generator = np.random.default_rng([random_seed, seeds, place, len(mode), len(sides)])
    different, alike, gaps = [], [], []
    for _ in range(repetitions):
        ours, theirs, qualities = _settings(sides, landscape, mode, seeds, tuning, generator)
        differences = _answers(ours, qualities, generator) - _answers(theirs, qualities, generator)
        if sides == "itself":
            differences += _of_settings(ours, theirs, len(qualities), generator)
        else:
            differences += _of_settings(ours, theirs + len(qualities), 2 * len(qualities), generator)
        verdict = decide([FamilyMember(new_images_difference(differences), MARGIN)])[0].verdict
        different.append(verdict in ("better", "worse"))
        alike.append(np.mean(ours == theirs))
        gaps.append(np.mean(qualities[ours] - qualities[theirs]))
    return TuningRow(
        sides,
        landscape.name,
        mode,
        seeds,
        repetitions,
        100 * float(np.mean(different)),
        100 * float(np.mean(alike)),
        100 * float(np.sqrt(np.mean(np.square(gaps)))),
    )


def _settings(
    sides: Sides, landscape: Landscape, mode: Mode, seeds: int, tuning: Tuning, generator: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], FloatArray]:
    """The candidates that both sides chose, by seed, and the true accuracy of each candidate."""
    steps = {one.name: generator.normal(0, STRENGTH_STEP) for one in tuning.strengths}
    qualities = [_qualities(landscape, rung.share, tuning, steps) for rung in tuning.rungs]
    error = np.sqrt((RESIDUAL**2 + OF_SETTINGS**2) / IMAGES)
    images = generator.normal(0, OF_SETTINGS / np.sqrt(IMAGES), (2, len(tuning.rungs), len(tuning.candidates)))
    of_sides = (images[0], images[0] if sides == "itself" else images[1])

    def search(of_images: FloatArray) -> int:
        return _search(tuning, [row + more for row, more in zip(qualities, of_images, strict=True)], error, generator)

    if mode == "per_seed":
        ours, theirs = (np.array([search(one) for _ in range(seeds)]) for one in of_sides)
    else:
        first = search(of_sides[0])
        second = first if mode == "shared" else search(of_sides[1])
        ours, theirs = np.full(seeds, first), np.full(seeds, second)
    return ours, theirs, qualities[-1]


def _qualities(landscape: Landscape, share: float, tuning: Tuning, steps: Mapping[str, float]) -> FloatArray:
    """The true accuracy of each candidate in trainings of this share of the budget, but for a constant."""
    best = landscape.best - SHORT_SHIFT * (1 - share)
    distances = np.array([np.log2(one.rate) - best for one in tuning.candidates])
    return -landscape.loss * distances**2 + np.array([steps[one.strength] for one in tuning.candidates])


def _search(tuning: Tuning, qualities: list[FloatArray], error: float, generator: np.random.Generator) -> int:
    """The candidate that one search chooses, by place; ``error`` is that of an accuracy over images."""
    entering = tuple(range(len(tuning.candidates)))
    for number, rung in enumerate(tuning.rungs):
        of_seed = SEED * (2 if rung.share < 1 else 1)
        chance = generator.normal(0, np.hypot(of_seed, RESIDUAL / np.sqrt(IMAGES)), (rung.seeds, len(entering)))
        accuracies = (qualities[number][list(entering)] + chance.mean(axis=0)).tolist()
        scores = {place: (accuracy,) for place, accuracy in zip(entering, accuracies, strict=True)}
        if number < len(tuning.rungs) - 1:
            entering = survivors(scores, rung.keep)
    challenger = ranked(scores)[0]
    ahead = scores[challenger][0] - scores[DEFAULT][0]
    return challenger if beats_default(ahead, np.sqrt(2 / tuning.rungs[-1].seeds) * error) else DEFAULT


def _answers(chosen: npt.NDArray[np.int64], qualities: FloatArray, generator: np.random.Generator) -> FloatArray:
    """Answers (seeds, images) but for what both sides share."""
    seeds = len(chosen)
    means = qualities[chosen] + generator.normal(0, SEED, seeds)
    return np.asarray(means[:, None] + RESIDUAL * generator.standard_normal((seeds, IMAGES)))


def _of_settings(
    ours: npt.NDArray[np.int64], theirs: npt.NDArray[np.int64], kinds: int, generator: np.random.Generator
) -> FloatArray:
    """What the settings of both sides make of each image (seeds, images); equal settings cancel."""
    used = {int(kind): generator.normal(0, OF_SETTINGS, IMAGES) for kind in {*ours.tolist(), *theirs.tolist()}}
    assert max(used) < kinds
    return np.array([used[int(a)] - used[int(b)] for a, b in zip(ours, theirs, strict=True)])
