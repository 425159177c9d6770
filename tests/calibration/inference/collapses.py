"""One network whose trainings collapse now and then, of the same accuracy as its baseline where it learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.statistics.collapse import Collapses, collapse_p_value
from fbench.statistics.comparison.networks import new_images_difference
from fbench.statistics.comparison.verdict import FamilyMember, decide
from tests.calibration.inference.coverage import MARGIN, covers

IMAGES: Final = 500
CHANCE_TO_COLLAPSE: Final = 0.1
LEARNED: Final = 0.7
COLLAPSED: Final = 0.25
"""Accuracies: of trainings that learned, and the share of the largest class of FER2013."""
SEED: Final = 0.02
"""Deviation of the accuracy over seeds."""
CASES: Final = ((5,), (10,), (20,))


@dataclass(frozen=True)
class CollapsesRow:
    """Per cent of ``repetitions``, of a network of which one in ten trainings collapses against one that always learns.

    ``coverage`` is that of the difference of those that learned, which is 0; ``wrong`` how often it is called better or
    worse, ``equivalent`` how often equivalent. ``all_trainings_coverage`` would be how often an interval over all
    trainings holds their true mean, 4.5 points lower, which it misses where none collapsed. ``rates_differ`` is how
    often Fisher's test finds the rates, which do differ, at 5 %, and ``rate_coverage`` how often the exact interval
    holds the rate.
    """

    seeds: int
    repetitions: int
    coverage: float
    wrong: float
    equivalent: float
    all_trainings_coverage: float
    rates_differ: float
    rate_coverage: float


def collapses_of(seeds: int, repetitions: int, random_seed: int) -> CollapsesRow:
    """Simulate right answers: the chance of each is the accuracy of its training, and an image's difficulty."""
    generator = np.random.default_rng([random_seed, seeds, IMAGES])
    numbers = np.arange(seeds)
    found = []
    for _ in range(repetitions):
        collapsed = generator.random(seeds) < CHANCE_TO_COLLAPSE
        ours, theirs = _draw(collapsed, generator), _draw(np.zeros(seeds, np.bool_), generator)
        every = new_images_difference(ours, theirs, tuple(numbers.tolist()), tuple(numbers.tolist()))
        kept = tuple(numbers[~collapsed].tolist())
        learned = new_images_difference(ours[~collapsed], theirs, kept, tuple(numbers.tolist())) if kept else every
        decision = decide([FamilyMember(learned, MARGIN, with_collapsed=every if collapsed.any() else None)])[0]
        rates = Collapses(int(collapsed.sum()), seeds), Collapses(0, seeds)
        rate = rates[0].rate()
        found.append(
            (
                covers(learned, 0.0),
                decision.verdict in ("better", "worse"),
                decision.verdict == "equivalent",
                covers(every, -CHANCE_TO_COLLAPSE * (LEARNED - COLLAPSED)),
                collapse_p_value(*rates) < 0.05,
                rate.low <= CHANCE_TO_COLLAPSE <= rate.high,
            )
        )
    shares = 100 * np.mean(np.array(found, dtype=np.float64), axis=0)
    return CollapsesRow(seeds, repetitions, *(float(share) for share in shares))


def _draw(collapsed: npt.NDArray[np.bool_], generator: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Right answers of shape (seeds, IMAGES). A training that collapsed is right on the images of one class."""
    difficulty = generator.beta(2, 2, IMAGES) - 0.5
    accuracy = LEARNED + SEED * generator.standard_normal((collapsed.size, 1))
    answers = generator.random((collapsed.size, IMAGES)) < np.clip(accuracy + 0.5 * difficulty, 0, 1)
    of_largest = np.arange(IMAGES) < COLLAPSED * IMAGES
    return np.where(collapsed[:, None], of_largest, answers)
