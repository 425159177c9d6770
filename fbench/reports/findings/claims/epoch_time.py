"""Claims about the time until the chosen epoch: the time of a step, as measured alone, times the steps until then.

The papers' times are of whole trainings, so that a network that needs fewer epochs is faster. Steps until the chosen
epoch are a matter of the seed, times of a step of the block; the logarithm of the ratio of their products has the
chance of both, with degrees of freedom after Satterthwaite.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from scipy import special

from fbench.ablations.claim import Claim
from fbench.ablations.claim_tests import EpochTimeReduction, data_words
from fbench.reports.findings.claims.accuracy import at_this_budget, lack_of_seeds, remarks_on, what_is_absent
from fbench.reports.findings.claims.budget import lack_of_budget
from fbench.reports.findings.claims.parts import ClaimPart, MissingEvidence
from fbench.reports.findings.claims.pool import ClaimInputs, pool
from fbench.reports.findings.claims.training_time import measured_ratio
from fbench.reports.findings.comparisons.evidence import NetworkEvidence
from fbench.reports.formatting import minus, number, plural
from fbench.statistics.comparison.verdict import LEVEL
from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.intervals import t_quantile
from fbench.statistics.statements import StatementAnswer, over_seeds
from fbench.statistics.timing import TimeRatio

_MARGIN: Final = 0.01
"""What doubling a budget may gain in accuracy, as a fraction of 1."""


def epoch_time_parts(test: EpochTimeReduction, claim: Claim, inputs: ClaimInputs) -> list[ClaimPart]:
    """One part for each other network and data set.

    Raises:
        UserError: two runs cannot be pooled.
    """
    return [_part(test, other, data, claim, inputs) for data in test.data for other in test.than]


def _part(test: EpochTimeReduction, other: str, data: str, claim: Claim, inputs: ClaimInputs) -> ClaimPart:
    evidence = pool(inputs, data, claim.networks)
    absent = what_is_absent(claim, data, (test.network, other), evidence, inputs)
    if absent is not None or evidence is None:
        return absent or ClaimPart()
    steps = _log_steps(evidence.networks[test.network], evidence.networks[other])
    ratio = measured_ratio(test.network, other, claim, inputs)
    lacks = lack_of_seeds(claim, data, len(steps))
    if ratio is None:
        lacks.append(MissingEvidence("cost", networks=(test.network, other)))
    short = lack_of_budget(claim, data, (test.network, other), evidence, _MARGIN)
    remarks = remarks_on(evidence, data)
    if lacks or ratio is None or len(steps) < 2:
        lacks += [short] if short else []
        return ClaimPart("", None, None, tuple(lacks), remarks, not_yet=short is not None)
    found = _together(over_seeds(steps, step=_least_step(evidence.networks[other])), ratio)
    half = test.precision / 2
    low, high = math.log(1 - (test.high_percent + half) / 100), math.log(1 - (test.low_percent - half) / 100)
    p_for = max(found.p_at_most(low), found.p_at_least(high))
    p_against = min(1.0, 2 * min(found.p_at_least(low), found.p_at_most(high)))
    text = (
        f"{test.network} takes {_change(found)} until its chosen epoch than {other} on {data_words(data)}, "
        f"{plural(len(steps), 'seed')}"
    )
    part = ClaimPart(
        text, None, StatementAnswer(p_for < LEVEL, 1.0 if p_for < LEVEL else p_against, p_for), (), remarks
    )
    return at_this_budget(part, short) if short else part


def _log_steps(ours: NetworkEvidence, theirs: NetworkEvidence) -> list[float]:
    """Logarithms of the ratio of steps until the chosen epoch, for each seed that both have."""
    chosen = [
        {seed: record.chosen_step for seed, record in zip(side.seeds, side.records, strict=True) if record.chosen_step}
        for side in (ours, theirs)
    ]
    common = sorted(chosen[0].keys() & chosen[1].keys())
    return [math.log(chosen[0][seed] / chosen[1][seed]) for seed in common]


def _least_step(network: NetworkEvidence) -> float:
    """The least by which the logarithm can differ: one evaluation of all of them."""
    return 1 / max(1, max((len(history) for history in network.histories), default=1))


def _together(steps: MeanEstimate, time: TimeRatio) -> MeanEstimate:
    """The sum of two independent estimates of logarithms."""
    middle = math.log(time.ratio)
    freedom = max(1.0, time.blocks - 1.0)
    half = max(math.log(time.high) - middle, middle - math.log(time.low)) if math.isfinite(time.high) else math.inf
    error = half / float(special.stdtrit(freedom, (1 + time.confidence) / 2))
    variances = np.array([steps.standard_error**2, error**2])
    total = float(variances.sum())
    together = total**2 / float((variances**2 / [steps.degrees_of_freedom, freedom]).sum()) if total else freedom
    estimate, deviation = steps.estimate + middle, math.sqrt(total)
    reach = t_quantile(steps.confidence, together) * deviation
    return MeanEstimate(estimate, estimate - reach, estimate + reach, deviation, together, steps.confidence, "seeds")


def _change(found: MeanEstimate) -> str:
    percents = [100 * (1 - math.exp(value)) for value in (found.estimate, found.high, found.low)]
    word = "less" if percents[0] >= 0 else "more"
    low, high = number(percents[1], 1), number(percents[2], 1)
    return minus(f"{number(abs(percents[0]), 1)} % {word} time ({low} to {high} % less)")


EVALUATORS: Final = {"epoch_time_reduction": epoch_time_parts}
