"""The same with answers of trained networks: trainings and images drawn anew from all that were trained and tested."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fbench.statistics.estimands import new_images, this_test_set
from tests.calibration.inference.coverage import Bootstrap, covers
from tests.calibration.inference.regimes import BoolArray, Population


@dataclass(frozen=True)
class AnswersRow:
    """Coverages in per cent of ``repetitions``, of the difference between all trainings of two networks.

    Seeds and images are drawn with replacement, so that this difference is the truth. For this test set seeds alone are
    drawn. ``seeds_alone`` and ``bootstrap`` are what fails for new images.
    """

    networks: str
    difference_points: float
    seeds: int
    repetitions: int
    this_test_set: float
    new_images: float
    seeds_alone: float
    bootstrap: float


@dataclass(frozen=True)
class NullRow:
    """Per cent of ``repetitions`` in which a network is found to differ from itself at 5 %, trained with other
    seeds."""

    network: str
    seeds: int
    repetitions: int
    new_images: float
    this_test_set: float


def answers_rows(population: Population, seeds: int, repetitions: int, random_seed: int) -> list[AnswersRow]:
    """One row for each pair of networks."""
    return [
        _pair_row(f"{ours} - {theirs}", population.answers[ours], population.answers[theirs], seeds, repetitions, place)
        for place, (ours, theirs) in enumerate(population.pairs(), start=random_seed)
    ]


def _pair_row(
    name: str, ours: BoolArray, theirs: BoolArray, seeds: int, repetitions: int, random_seed: int
) -> AnswersRow:
    generator = np.random.default_rng([random_seed, seeds])
    differences = ours.astype(np.float64) - theirs
    truth = float(differences.mean())
    trainings, images = differences.shape
    bootstrap = Bootstrap(seeds, images, generator)
    found = []
    for _ in range(repetitions):
        drawn = differences[generator.integers(0, trainings, seeds)]
        resampled = drawn[:, generator.integers(0, images, images)]
        found.append(
            (
                covers(this_test_set(drawn), truth),
                covers(new_images(resampled), truth),
                covers(this_test_set(resampled), truth),
                bootstrap.covers_zero(resampled - truth),
            )
        )
    shares = 100 * np.mean(np.array(found, dtype=np.float64), axis=0)
    return AnswersRow(name, 100 * truth, seeds, repetitions, *(float(share) for share in shares))


def null_rows(population: Population, seeds: int, repetitions: int, random_seed: int) -> list[NullRow]:
    """One row for each network of at least twice as many trainings: one half of those drawn against the other."""
    return [
        _null_row(name, answers, seeds, repetitions, random_seed)
        for name, answers in population.answers.items()
        if len(answers) >= 2 * seeds
    ]


def _null_row(name: str, answers: BoolArray, seeds: int, repetitions: int, random_seed: int) -> NullRow:
    generator = np.random.default_rng([random_seed, seeds, len(name)])
    found = []
    for _ in range(repetitions):
        order = generator.permutation(len(answers))
        drawn = answers[:, generator.integers(0, answers.shape[1], answers.shape[1])].astype(np.float64)
        differences = drawn[order[:seeds]] - drawn[order[seeds : 2 * seeds]]
        fixed = answers[order[:seeds]].astype(np.float64) - answers[order[seeds : 2 * seeds]]
        found.append((new_images(differences).p_value < 0.05, this_test_set(fixed).p_value < 0.05))
    shares = 100 * np.mean(np.array(found, dtype=np.float64), axis=0)
    return NullRow(name, seeds, repetitions, float(shares[0]), float(shares[1]))
