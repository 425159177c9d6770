"""Crossed factors in words: the name of an effect, what was found of it, and what the residuals look like."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from fbench.reports.findings.comparisons.factors import FactorAnalysis
from fbench.reports.findings.comparisons.families import CORRECTION_WORDS
from fbench.reports.formatting import listing, margin, minus, number, p_equals, plural, points, points_range, statistic
from fbench.statistics.comparison.verdict import LEVEL, Verdict, is_testable
from fbench.statistics.factors.effects import Effect
from fbench.statistics.factors.residuals import LargestResidual, ResidualChecks, ResidualTest

_INTERACTION_WORDS: Final[dict[Verdict, str]] = {
    "better": "above zero",
    "worse": "below zero",
    "equivalent": "within the margin",
    "undecided": "undecided",
}


def factor_name(name: str) -> str:
    """A factor as a reader reads it: ``outer activation`` for ``outer_activation``."""
    return name.replace("_", " ")


def source_name(factors: Sequence[str]) -> str:
    """A row of the analysis of variance: a factor, an interaction, or the seed."""
    return " × ".join(factor_name(factor) for factor in factors) or "seed"


def effect_name(effect: Effect) -> str:
    """What an effect compares, such as ``dense against gap, within convolution full``."""
    changes = effect.contrast.changes
    ours = " × ".join(change.level for change in changes)
    theirs = " × ".join(change.against for change in changes)
    within = effect.contrast.within
    return f"{ours} against {theirs}" + (f", within {factor_name(within[0])} {within[1]}" if within else "")


def effect_factors(effect: Effect) -> str:
    """The factor or factors of an effect."""
    return source_name([change.factor for change in effect.contrast.changes])


def effect_verdict(effect: Effect) -> str:
    """The verdict in the words of its kind: an interaction is neither better nor worse."""
    verdict = effect.decision.verdict
    return _INTERACTION_WORDS[verdict] if effect.contrast.kind == "interaction" else verdict


def effect_sentences(analysis: FactorAnalysis) -> list[str]:
    """Main effects and interactions, each in a sentence without its full stop; verdicts are on new images."""
    return [_effect_sentence(one, analysis) for one in analysis.effects if one.contrast.kind != "simple"]


def _effect_sentence(effect: Effect, analysis: FactorAnalysis) -> str:
    involved = [change.factor for change in effect.contrast.changes]
    others = [factor_name(name) for name in analysis.design.factors if name not in involved]
    averaged = f", averaged over {listing(others)}" if others else ""
    find = _main_finding if effect.contrast.kind == "main" else _interaction_finding
    return f"{effect_factors(effect)} ({effect_name(effect)}){averaged}: {find(effect, analysis)}"


def _main_finding(effect: Effect, analysis: FactorAnalysis) -> str:
    new, verdict = effect.new_images, effect.decision.verdict
    if not is_testable(new):
        return f"{points(new.estimate)} points; one seed says nothing of the chance of a seed"
    if verdict == "undecided":
        return f"undecided ({points_range(*effect.interval)} points){_of_learned(effect)}"
    if verdict == "equivalent":
        return f"equivalent within {margin(analysis.margin)} ({points_range(*effect.equivalence_interval)} points)"
    return f"{number(100 * abs(new.estimate), 1)} points {verdict} ({_evidence(effect, analysis)})"


def _interaction_finding(effect: Effect, analysis: FactorAnalysis) -> str:
    new, verdict = effect.new_images, effect.decision.verdict
    factors = len(effect.contrast.changes)
    one, other = ("effect of one", "other") if factors == 2 else (f"interaction of {factors - 1} of them", "last")
    if not is_testable(new):
        return f"the {one} changes with the {other} by {points(new.estimate)} points; one seed cannot test that"
    if verdict == "undecided":
        found = f"({points_range(*effect.interval)} points){_of_learned(effect)}"
        return f"whether the {one} depends on the {other} is undecided {found}"
    if verdict == "equivalent":
        by = f"less than {margin(analysis.margin)} ({points_range(*effect.equivalence_interval)} points)"
    else:
        by = f"{points(new.estimate)} points ({_evidence(effect, analysis)})"
    return f"the {one} changes with the {other} by {by}"


def _evidence(effect: Effect, analysis: FactorAnalysis) -> str:
    corrected = f"{p_equals(effect.decision.p_adjusted)} after {CORRECTION_WORDS[analysis.family.correction]}"
    return f"{points_range(*effect.interval)}; {corrected}"


def _of_learned(effect: Effect) -> str:
    """What the trainings that learned say, where all of them do not."""
    said = effect.decision.learned_verdict
    if said in (None, "undecided"):
        return ""
    word = _INTERACTION_WORDS[said] if effect.contrast.kind == "interaction" else said
    return f": {word} of trainings that learned, of all trainings that is not so"


def left_out_sentences(analysis: FactorAnalysis) -> list[str]:
    """Which seeds were not used, and why; and which trainings collapsed and were."""
    unfinished = [
        f"Seed {left.seed} is left out, as it is not finished by {listing(list(left.lacking))}."
        for left in analysis.left_out
    ]
    collapsed = [
        f"Seed {left.seed} is left out, as its training of {listing(list(left.lacking))} collapsed."
        for left in analysis.collapsed
    ]
    if collapsed:
        collapsed.append("Effects are of trainings that learned, and decided only where all trainings say the same.")
    unsure = [
        f"Trainings of {listing(list(analysis.unsure))} collapsed, and fewer than two seeds are left without them: no "
        "effect that they are part of is decided."
    ]
    return [*unfinished, *collapsed, *(unsure if analysis.unsure else [])]


def residual_sentences(analysis: FactorAnalysis) -> list[str]:
    """What the residuals look like, and what that means for the tables."""
    checks, trainings = analysis.checks, analysis.variance.cells * analysis.variance.seeds
    if math.isnan(checks.standard_deviation):
        return ["One seed leaves no residual: there is no interval for this test set and no F, and nothing to check."]
    if checks.standard_deviation == 0:
        return ["Cells and seeds explain every training exactly: there is no residual, and nothing to check."]
    freedom = analysis.variance.residual_degrees_of_freedom
    first = (
        f"A training typically lies {number(100 * checks.standard_deviation, 2)} points from what its cell and its "
        f"seed suggest (residual standard deviation, {plural(freedom, 'degree')} of freedom)."
    )
    rest = [
        _normality(checks.normality, trainings) if checks.normality else "",
        _spread(checks, analysis.variance.seeds),
        _largest(checks.largest, trainings) if checks.largest else "",
    ]
    return [first, *(sentence for sentence in rest if sentence)]


def _normality(test: ResidualTest, trainings: int) -> str:
    found = f"Shapiro-Wilk W = {number(test.statistic, 3)}, {p_equals(test.p_value)}"
    if test.p_value < LEVEL:
        return (
            f"The residuals are not normally distributed ({found}): F, its p and the intervals are approximate; "
            "the sign-flip tests above assume no distribution."
        )
    return (
        f"The residuals show no departure from a normal distribution ({found}), and {trainings} would show a strong "
        "one only."
    )


def _spread(checks: ResidualChecks, seeds: int) -> str:
    if checks.equal_spread is None:
        return "Two seeds a cell cannot tell whether all cells vary alike." if seeds == 2 else ""
    if math.isnan(checks.equal_spread.p_value):
        return ""
    found = f"Brown-Forsythe F = {statistic(checks.equal_spread.statistic)}, {p_equals(checks.equal_spread.p_value)}"
    if checks.equal_spread.p_value < LEVEL:
        return (
            f"The cells do not vary alike ({found}): F, its p and the intervals of the plot pool all cells, and say "
            "too much of those that vary most; the intervals of effects do not pool them."
        )
    return (
        f"Cells differ no more in their spread than by chance ({found}), of which {seeds} seeds each say little; "
        "the intervals of effects do not assume equal variances."
    )


def _largest(largest: LargestResidual, trainings: int) -> str:
    side = "above" if largest.residual > 0 else "below"
    found = (
        f"studentised residual {minus(statistic(largest.studentised))}, {p_equals(largest.p_value)} among "
        f"{trainings} trainings"
    )
    start = f"The training furthest out is {largest.cell} with seed {largest.seed}"
    size = f"{number(100 * abs(largest.residual), 2)} points {side} what its cell and seed suggest"
    if largest.p_value < LEVEL:
        return f"{start}, {size} ({found}): look at how it trained, every effect with {largest.cell} leans on it."
    return f"{start}, {size} ({found}), no further than one of so many would be by chance."
