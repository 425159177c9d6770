"""Which networks may be the best: do all bounds of Hsu's comparison hold together, for crossed seeds and images?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from fbench.statistics.comparison.best import best_bounds
from fbench.statistics.estimands import MeanEstimate, new_images
from tests.calibration.inference.regimes import REGIMES, FloatArray, Regime, draw_study

TEST_IMAGES: Final = 1_000
TRUTHS: Final[dict[str, float]] = {"equal": 0.0, "a point apart": 0.01}
"""How far the means of the networks lie apart, one after another, fractions of 1."""
CASES: Final = [
    (regime, truth, networks, seeds)
    for regime in REGIMES
    for truth in TRUTHS
    for networks in (4, 10)
    for seeds in (5, 10)
]


@dataclass(frozen=True)
class BestRow:
    """Shares in per cent of ``repetitions``, of networks that are all trained with the same seeds.

    ``all_hold`` is how often each network's bounds hold its true distance from the best of the others, all at once;
    ``best_kept`` how often a truly best network is among those that may be the best; ``may_be_best`` the mean number of
    those.
    """

    regime: str
    truth: str
    networks: int
    seeds: int
    repetitions: int
    all_hold: float
    best_kept: float
    may_be_best: float


def best_of(regime: Regime, truth: str, networks: int, seeds: int, repetitions: int, random_seed: int) -> BestRow:
    """Simulate one case."""
    generator = np.random.default_rng([random_seed, networks, seeds, list(TRUTHS).index(truth)])
    means = -TRUTHS[truth] * np.arange(networks)
    true = np.array([means[place] - np.delete(means, place).max() for place in range(networks)])
    hold = kept = 0
    may_be = []
    for _ in range(repetitions):
        answers: FloatArray = draw_study(regime, networks - 1, seeds, generator, TEST_IMAGES).answers
        answers = answers + means[:, None, None]
        order = np.argsort(-answers.mean(axis=(1, 2)), kind="stable")
        found = best_bounds(_difference(answers[order]), networks)
        ends = np.array([(bound.low, bound.high) for bound in found])
        hold += bool(np.all((ends[:, 0] <= true[order]) & (true[order] <= ends[:, 1])))
        best = {place for place, network in enumerate(order) if means[network] == means.max()}
        kept += any(found[place].may_be_best for place in best)
        may_be.append(sum(bound.may_be_best for bound in found))
    return BestRow(
        regime.name,
        truth,
        networks,
        seeds,
        repetitions,
        100 * hold / repetitions,
        100 * kept / repetitions,
        float(np.mean(may_be)),
    )


def _difference(answers: FloatArray) -> Callable[[int, int], MeanEstimate]:
    return lambda ours, theirs: new_images(answers[ours] - answers[theirs])
