"""Families of null comparisons: how often anything false is found, at once and with interim analyses on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from fbench.statistics.comparison.verdict import LEVEL, FamilyMember, decide
from fbench.statistics.estimands import MeanEstimate, new_images, this_test_set
from fbench.statistics.seeds.power import variance_components
from fbench.statistics.seeds.sequential import analysis_levels, judge_analysis
from tests.calibration.inference.coverage import MARGIN
from tests.calibration.inference.regimes import IMAGES, FloatArray, Regime, draw_study

COMPARISONS: Final = 12
MAX_SEEDS: Final = 20


@dataclass(frozen=True)
class FamilyRow:
    """Per cent of ``repetitions`` in which anything false is found among 12 null comparisons with one baseline.

    ``new_images`` is what fbench does at 10 seeds, and at 3 and 5; ``seeds_alone`` would be the same on the test over
    10 seeds. ``interim analyses`` adds seeds until decided, up to 20, with interim analyses at 5, 10, 15 and 20.
    ``futile`` of its comparisons stopped early without a verdict, and ``seeds_used`` were trained on average.
    """

    regime: str
    repetitions: int
    new_images: float
    new_images_3_seeds: float
    new_images_5_seeds: float
    seeds_alone: float
    analyses: float
    analyses_without_stopping_for_futility: float
    futile: float
    seeds_used: float


@dataclass(frozen=True)
class AnalysesOutcome:
    """One comparison with interim analyses: whether a difference was found, or that or equivalence decided, whether it
    was futile, and seeds used."""

    found: bool
    decided: bool
    futile: bool
    seeds: int


def family_of(regime: Regime, repetitions: int, random_seed: int) -> FamilyRow:
    """Simulate one regime."""
    generator = np.random.default_rng([random_seed, COMPARISONS])
    at_once: dict[int, list[bool]] = {10: [], 3: [], 5: []}
    alone, analyses, patient = [], [], []
    outcomes: list[AnalysesOutcome] = []
    for _ in range(repetitions):
        differences = draw_study(regime, COMPARISONS, MAX_SEEDS, generator).differences
        for seeds, found in at_once.items():
            found.append(_any_found([new_images(one[:seeds]) for one in differences]))
        alone.append(_any_found([this_test_set(one[:10]) for one in differences]))
        stopping = [with_analyses(one, stop_if_futile=True) for one in differences]
        going_on = [
            with_analyses(one, stop_if_futile=False) if outcome.futile else outcome
            for one, outcome in zip(differences, stopping, strict=True)
        ]
        outcomes += stopping
        analyses.append(any(one.found for one in stopping))
        patient.append(any(one.found for one in going_on))
    return FamilyRow(
        regime=regime.name,
        repetitions=repetitions,
        new_images=100 * float(np.mean(at_once[10])),
        new_images_3_seeds=100 * float(np.mean(at_once[3])),
        new_images_5_seeds=100 * float(np.mean(at_once[5])),
        seeds_alone=100 * float(np.mean(alone)),
        analyses=100 * float(np.mean(analyses)),
        analyses_without_stopping_for_futility=100 * float(np.mean(patient)),
        futile=100 * float(np.mean([one.futile for one in outcomes])),
        seeds_used=float(np.mean([one.seeds for one in outcomes])),
    )


def with_analyses(differences: FloatArray, *, stop_if_futile: bool, family: int = COMPARISONS) -> AnalysesOutcome:
    """Follow one comparison, shape (20 seeds, images), as ``fbench run --until-decided`` would."""
    analyses = analysis_levels(MAX_SEEDS, LEVEL / family)
    for place, levels in enumerate(analyses):
        seen = differences[: levels.seeds]
        found = judge_analysis(new_images(seen), variance_components(seen), IMAGES, MARGIN, analyses, place)
        if found.verdict != "undecided":
            return AnalysesOutcome(found.verdict in ("better", "worse"), decided=True, futile=False, seeds=levels.seeds)
        if found.futile and stop_if_futile:
            return AnalysesOutcome(found=False, decided=False, futile=True, seeds=levels.seeds)
    return AnalysesOutcome(found=False, decided=False, futile=False, seeds=MAX_SEEDS)


def _any_found(estimates: Sequence[MeanEstimate]) -> bool:
    return any(one.verdict in ("better", "worse") for one in decide([FamilyMember(one, MARGIN) for one in estimates]))
