"""A whole page of the suite ``ablations`` in which nothing is true: how often anything false stands on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from fbench.ablations.family import families
from fbench.ablations.library import load_suite
from fbench.ablations.study import Study, comparisons
from fbench.statistics.comparison.paired import new_images_difference
from fbench.statistics.comparison.verdict import Decision, FamilyMember, decide
from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.factors.design import CrossedCorrectness, crossed_design
from fbench.statistics.factors.effects import estimate_effects
from tests.calibration.inference.coverage import MARGIN
from tests.calibration.inference.few_seeds import IMAGES, regime_of
from tests.calibration.inference.regimes import FloatArray, Regime, draw_study

SUITE: Final = load_suite("ablations")

CASES: Final = tuple((share, seeds) for share in (0.0, 0.1, 0.2, 0.5, 0.9) for seeds in (5, 10))
"""The share of the images in the variance of a difference, and the number of seeds."""

Pair = tuple[str, str]


@dataclass(frozen=True)
class PageRow:
    """Per cent of ``repetitions`` in which anything is called better or worse on a page of ``ablations``.

    ``comparisons`` of its studies as one family, ``effects`` of its crossed factors as another, ``page`` either of
    them. ``each_study`` would be the comparisons with each study a family, ``uncorrected`` without any correction.
    ``interval`` is how often any interval drawn at the level of its test leaves out the truth.
    """

    image_share: float
    seeds: int
    repetitions: int
    comparisons: float
    effects: float
    page: float
    each_study: float
    uncorrected: float
    interval: float


def page_of(image_share: float, seeds: int, repetitions: int, random_seed: int) -> PageRow:
    """Simulate pages of equal networks: all of the suite's, each with its own training noise and difficulties."""
    generator = np.random.default_rng([random_seed, seeds, round(100 * image_share), len(SUITE.architectures)])
    regime = regime_of(image_share, seeds)
    found = [_one_page(regime, seeds, generator) for _ in range(repetitions)]
    shares = 100 * np.mean(np.array(found, dtype=np.float64), axis=0)
    return PageRow(image_share, seeds, repetitions, *(float(share) for share in shares))


def _one_page(regime: Regime, seeds: int, generator: np.random.Generator) -> tuple[bool, ...]:
    networks = SUITE.architectures
    study = draw_study(regime, len(networks) - 1, seeds, generator, IMAGES)
    answers = dict(zip(networks, study.answers, strict=True))
    numbers = tuple(range(seeds))
    pairs = dict.fromkeys(pair for one in SUITE.studies for pair in comparisons(one))
    estimates = {pair: new_images_difference(answers[pair[0]] - answers[pair[1]]) for pair in pairs}
    (family,) = families(SUITE, networks)
    together = decide([FamilyMember(one, MARGIN) for one in estimates.values()], planned=family.size)
    alone = [decision for one in SUITE.studies for decision in _decided_alone(one, estimates)]
    in_comparisons = _is_any(together)
    in_effects = any(_is_any(_decided_effects(one, answers, numbers)) for one in SUITE.studies if one.factors)
    misses = [
        _leaves_out_zero(estimate, decision.level)
        for estimate, decision in zip(estimates.values(), together, strict=True)
    ]
    return (
        in_comparisons,
        in_effects,
        in_comparisons or in_effects,
        _is_any(alone),
        any(one.p_value < 0.05 for one in estimates.values()),
        any(misses),
    )


def _decided_alone(study: Study, estimates: dict[Pair, MeanEstimate]) -> list[Decision]:
    return decide([FamilyMember(estimates[pair], MARGIN) for pair in comparisons(study)])


def _decided_effects(study: Study, answers: dict[str, FloatArray], seeds: tuple[int, ...]) -> list[Decision]:
    design = crossed_design(study.factors, first=study.baseline)
    cells = np.array([answers[cell] for cell in design.cells])
    data = CrossedCorrectness(design, seeds, cells.reshape(*design.shape, len(seeds), -1), ())
    return [effect.decision for effect in estimate_effects(data, MARGIN)]


def _is_any(decisions: list[Decision]) -> bool:
    return any(one.verdict in ("better", "worse") for one in decisions)


def _leaves_out_zero(estimate: MeanEstimate, level: float) -> bool:
    low, high = estimate.interval(1 - level)
    return low >= 0 or high <= 0
