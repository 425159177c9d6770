"""How often the intervals of crossed factors' effects hold what they claim to hold, and how often one that is not there
is found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, get_args

import numpy as np

from fbench.statistics.factors.anova import AnalysisOfVariance, analysis_of_variance
from fbench.statistics.factors.design import CrossedCorrectness, crossed_design
from fbench.statistics.factors.effects import Effect, Kind, estimate_effects
from fbench.statistics.factors.pooled import pooled_estimate
from tests.calibration.inference.coverage import MARGIN, covers
from tests.calibration.inference.regimes import FloatArray, Regime, draw_study

DESIGN: Final = crossed_design(
    {
        f"{convolution} {head}": {"convolution": convolution, "head": head}
        for convolution in ("separable", "full")
        for head in ("gap", "dense")
    }
)
"""The crossing of ARCH-1 to ARCH-4: four cells; two main effects, one interaction, four simple effects."""

UNEQUAL: Final = 3.0
"""In the rows of unequal cells, the last cell's spread over seeds, as a multiple of that of the others."""


@dataclass(frozen=True)
class EffectsRow:
    """Coverages in per cent of ``repetitions``, each of the least covered effect of its kind; no effect is there.

    ``this_test_set`` and ``new_images`` are fbench's; ``pooled`` is what the residual of the analysis of variance would
    give for this test set. ``found`` is how often any of the seven effects is called better or worse.
    """

    regime: str
    cells: str
    seeds: int
    repetitions: int
    main_this_test_set: float
    main_pooled: float
    main_new_images: float
    interaction_this_test_set: float
    interaction_pooled: float
    interaction_new_images: float
    simple_this_test_set: float
    simple_pooled: float
    simple_new_images: float
    found: float


def effects_of(regime: Regime, cells: str, seeds: int, repetitions: int, random_seed: int) -> EffectsRow:
    """Simulate one regime with so many seeds; ``cells`` are ``equal``, or ``unequal``: the last one is noisier."""
    generator = np.random.default_rng([random_seed, seeds, len(cells)])
    kinds: list[str] = []
    covered, found = [], []
    for _ in range(repetitions):
        answers, difficulties = _draw(regime, cells, seeds, generator)
        data = CrossedCorrectness(DESIGN, tuple(range(seeds)), answers.reshape(*DESIGN.shape, seeds, -1), ())
        effects = estimate_effects(data, MARGIN)
        model = analysis_of_variance(data.accuracy, DESIGN.factors)
        kinds = [effect.contrast.kind for effect in effects]
        covered.append([_covered(effect, data, model, difficulties) for effect in effects])
        found.append(any(effect.decision.verdict in ("better", "worse") for effect in effects))
    shares = 100 * np.mean(np.array(covered, dtype=np.float64), axis=0)
    by_kind = [shares[[one == kind for one in kinds]].min(axis=0) for kind in get_args(Kind)]
    return EffectsRow(
        regime.name,
        cells,
        seeds,
        repetitions,
        *(float(share) for three in by_kind for share in three),
        found=100 * float(np.mean(found)),
    )


def _covered(
    effect: Effect, data: CrossedCorrectness, model: AnalysisOfVariance, difficulties: FloatArray
) -> tuple[bool, bool, bool]:
    weights = effect.contrast.weights
    truth = float(np.dot(weights, difficulties))
    pooled = pooled_estimate(data.accuracy, model, weights)
    return covers(effect.this_test_set, truth), covers(pooled, truth), covers(effect.new_images, 0.0)


def _draw(regime: Regime, cells: str, seeds: int, generator: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Answers of shape (cells, seeds, images) and the cells' true means for the images drawn."""
    study = draw_study(regime, len(DESIGN.cells) - 1, seeds, generator)
    answers = study.answers
    if cells == "unequal":
        more = float(np.sqrt(UNEQUAL**2 - 1))  # variances add up
        added = replace(regime, seed=more * regime.seed, image=0.0, residual=more * regime.residual)
        answers[-1] += draw_study(added, 0, seeds, generator).answers[0]
    return answers, study.difficulties
