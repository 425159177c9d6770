from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

from fbench.statistics.estimands import MeanEstimate
from fbench.statistics.statements import (
    Outcome,
    StatementAnswer,
    both_say,
    conclude,
    judge_parts,
    outcome_in_family,
    over_seeds,
    p_of_statement,
    says_better,
    says_no_worse,
    says_ratio_within,
    says_shorter,
)
from fbench.statistics.timing import LogTimes

MARGIN = 0.01


def estimate(middle: float, error: float, freedom: float = 20.0) -> MeanEstimate:
    half = float(stats.t.ppf(0.975, freedom)) * error
    return MeanEstimate(middle, middle - half, middle + half, error, freedom, 0.95, "crossed")


@pytest.mark.parametrize(
    ("middle", "error", "outcome"),
    [
        (0.030, 0.005, "supported"),
        (0.004, 0.001, "supported"),  # certainly above 0, if by less than the margin
        (-0.030, 0.005, "contradicted"),
        (0.001, 0.002, "contradicted"),  # within the margin, and 0 is possible
        (0.010, 0.010, "undecided"),
        (-0.005, 0.008, "undecided"),
    ],
)
def test_better_is_supported_by_a_gain_and_contradicted_by_a_loss_or_by_equivalence(
    middle: float, error: float, outcome: str
) -> None:
    assert judge_parts([says_better(estimate(middle, error), MARGIN)]) == (outcome,)


@pytest.mark.parametrize(
    ("middle", "error", "outcome"),
    [
        (0.030, 0.005, "supported"),
        (0.000, 0.003, "supported"),
        (-0.004, 0.001, "supported"),  # a loss, but one that is certainly below the margin
        (-0.030, 0.005, "contradicted"),
        (-0.005, 0.008, "undecided"),
        (-0.009, 0.004, "undecided"),  # a certain loss, which may be smaller than the margin
        (-0.018, 0.004, "contradicted"),  # a loss that is certainly above it
    ],
)
def test_no_worse_is_supported_where_a_loss_of_the_margin_is_ruled_out(
    middle: float, error: float, outcome: str
) -> None:
    assert judge_parts([says_no_worse(estimate(middle, error), MARGIN)]) == (outcome,)


@given(st.floats(-0.1, 0.1), st.floats(1e-4, 0.05), st.floats(1, 40))
def test_what_speaks_against_better_is_a_p_value_of_a_gain_of_the_margin(
    middle: float, error: float, freedom: float
) -> None:
    """It is never below that of the one-sided t test, so it errs no more often."""
    found = says_better(estimate(middle, error, freedom), MARGIN)
    assert found.p_against >= stats.t.cdf((middle - MARGIN) / error, freedom) - 1e-9


@given(st.floats(-0.1, 0.1), st.floats(1e-4, 0.05), st.floats(1, 40))
def test_what_supports_no_worse_is_a_test_at_the_margin(middle: float, error: float, freedom: float) -> None:
    found = says_no_worse(estimate(middle, error, freedom), MARGIN)
    p_of_loss = stats.t.sf((middle + MARGIN) / error, freedom)
    if abs(p_of_loss - 0.05) > 1e-9:
        assert found.supports == (p_of_loss < 0.05)


@pytest.mark.parametrize("middle", [0.0, 0.02, -0.02])
def test_without_any_chance_the_value_decides(middle: float) -> None:
    found = says_better(estimate(middle, 0.0), MARGIN)
    assert judge_parts([found]) == ("supported" if middle > 0 else "contradicted",)
    assert judge_parts([says_no_worse(estimate(middle, 0.0), MARGIN)]) == (
        "contradicted" if middle < 0 else "supported",
    )


def test_a_margin_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="above 0"):
        says_better(estimate(0.0, 0.01), 0.0)


def test_a_statement_holds_only_with_all_its_parts_each_at_the_level_itself() -> None:
    holds = StatementAnswer(supports=True, p_against=1.0)
    assert conclude(judge_parts([holds] * 9)) == "supported"
    assert conclude(judge_parts([*[holds] * 8, StatementAnswer(supports=False, p_against=0.4)])) == "undecided"
    assert conclude(judge_parts([holds, None])) == "undecided"
    assert conclude([]) == "undecided"


@pytest.mark.parametrize("seed", range(8))
def test_parts_are_contradicted_as_holm_has_it(seed: int) -> None:
    p_values = np.random.default_rng(seed).beta(0.2, 3, size=6).tolist()
    outcomes = judge_parts([StatementAnswer(supports=False, p_against=p) for p in p_values])
    adjusted = multipletests(p_values, method="holm")[1].tolist()
    for outcome, p_value in zip(outcomes, adjusted, strict=True):
        assert (outcome == "contradicted") == (p_value < 0.05)


def test_one_contradicted_part_contradicts_the_statement() -> None:
    parts = [StatementAnswer(supports=True, p_against=1.0), StatementAnswer(supports=False, p_against=0.001), None]
    assert judge_parts(parts) == ("supported", "contradicted", "undecided")
    assert conclude(judge_parts(parts)) == "contradicted"


def test_parts_without_data_are_no_members_of_the_family() -> None:
    assert judge_parts([StatementAnswer(supports=False, p_against=0.04), None, None])[0] == "contradicted"
    other = StatementAnswer(supports=False, p_against=0.9)
    assert judge_parts([StatementAnswer(supports=False, p_against=0.04), other])[0] == "undecided"


def test_false_statements_are_rarely_supported_however_many_parts_they_have() -> None:
    """All of nine parts true but one, which is exactly 0: the statement is passed in at most 2.5 % of tries."""
    rng, passed, tries = np.random.default_rng(5), 0, 1_500
    for _ in range(tries):
        middles = np.array([0.05] * 8 + [0.0]) + rng.normal(0, 0.01, 9)
        parts = [says_better(estimate(float(middle), 0.01, 1e6), MARGIN) for middle in middles]
        passed += conclude(judge_parts(parts)) == "supported"
    assert passed / tries <= 0.025 + 3 * math.sqrt(0.025 * 0.975 / tries)


@pytest.mark.slow
def test_true_statements_are_rarely_contradicted_however_many_parts_they_have() -> None:
    """Nine gains of exactly the margin, the least that matters: contradicted in at most 5 % of tries."""
    rng, hit, tries = np.random.default_rng(6), 0, 1_500
    for _ in range(tries):
        middles = MARGIN + rng.normal(0, 0.004, 9)
        parts = [says_better(estimate(float(middle), 0.004, 1e6), MARGIN) for middle in middles]
        hit += conclude(judge_parts(parts)) == "contradicted"
    assert hit / tries <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / tries)


def test_the_mean_over_seeds_is_that_of_a_t_test() -> None:
    values = [0.01, 0.03, 0.02, -0.01, 0.015]
    found = over_seeds(values, step=0.001)
    reference = DescrStatsW(values)
    assert (found.low, found.high) == pytest.approx(reference.tconfint_mean(), abs=1e-12)
    assert found.p_value == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=1e-12)


def test_equal_seeds_are_no_certainty() -> None:
    """Two gaps of half a point on 100 images: had one differed by an image, the error would be 1 / 200."""
    found = over_seeds([0.005, 0.005], step=0.01)
    assert found.standard_error == pytest.approx(0.01 / 2)
    assert not says_better(found, MARGIN).supports
    assert says_better(found, MARGIN).p_against > 0.05


def log_times(ratio: float, noise: float, blocks: int = 20, seed: int = 1) -> tuple[LogTimes, LogTimes]:
    rng = np.random.default_rng(seed)
    theirs = {(block, 0): float(rng.normal()) for block in range(blocks)}
    ours = {key: value + math.log(ratio) + float(rng.normal(0, noise)) for key, value in theirs.items()}
    return ours, theirs


@pytest.mark.parametrize(
    ("ratio", "noise", "outcome"),
    [
        (0.7, 0.01, "supported"),
        (1.3, 0.01, "contradicted"),
        (1.0, 0.002, "contradicted"),  # as fast, within 1 %
        (0.99, 0.3, "undecided"),
    ],
)
def test_shorter_is_decided_by_the_paired_ratio(ratio: float, noise: float, outcome: str) -> None:
    assert judge_parts([says_shorter(*log_times(ratio, noise), margin=0.01)]) == (outcome,)


@pytest.mark.parametrize(
    ("ratio", "noise", "outcome"),
    [(0.7, 0.01, "supported"), (0.95, 0.01, "contradicted"), (0.4, 0.01, "contradicted"), (0.86, 0.2, "undecided")],
)
def test_a_range_of_times_holds_where_the_interval_lies_within_it(ratio: float, noise: float, outcome: str) -> None:
    assert judge_parts([says_ratio_within(*log_times(ratio, noise), low=0.54, high=0.87)]) == (outcome,)


def test_what_speaks_against_a_range_is_the_signed_rank_test_at_its_nearest_end() -> None:
    ours, theirs = log_times(0.90, 0.03, blocks=12)
    differences = [ours[key] - theirs[key] - math.log(0.87) for key in ours]
    reference = stats.wilcoxon(differences, method="exact").pvalue
    found = says_ratio_within(ours, theirs, low=0.54, high=0.87)
    assert found.p_against == pytest.approx(reference, abs=1e-9)


def test_a_few_blocks_decide_nothing_about_times() -> None:
    assert judge_parts([says_shorter(*log_times(0.5, 0.01, blocks=3), margin=0.01)]) == ("undecided",)
    assert judge_parts([says_ratio_within(*log_times(0.7, 0.01, blocks=3), low=0.5, high=0.9)]) == ("undecided",)


def test_what_speaks_for_shorter_is_the_signed_rank_test_where_the_ratio_is_below_one() -> None:
    ours, theirs = log_times(0.95, 0.3, blocks=12)
    reference = stats.wilcoxon([ours[key] - theirs[key] for key in ours], method="exact").pvalue
    assert reference > 0.05
    assert says_shorter(ours, theirs, margin=0.01).p_for == pytest.approx(reference, abs=1e-9)
    assert says_shorter(theirs, ours, margin=0.01).p_for == 1.0


def test_the_p_values_of_a_statement_are_the_largest_for_and_holms_smallest_against_it() -> None:
    parts = [StatementAnswer(False, 0.02, 0.5), StatementAnswer(True, 1.0, 0.01), StatementAnswer(True, 0.9)]
    assert p_of_statement(parts) == (pytest.approx(0.06), 0.5)
    assert p_of_statement([*parts, None]) == (pytest.approx(0.06), 1.0)
    assert p_of_statement([]) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("outcome", "p_against", "p_for", "expected"),
    [
        ("supported", 1.0, 0.049, "supported"),
        ("supported", 1.0, 0.051, "undecided"),
        ("contradicted", 0.049, 1.0, "contradicted"),
        ("contradicted", 0.051, 1.0, "undecided"),
        ("not yet", 0.001, 0.001, "not yet"),
    ],
)
def test_a_family_may_take_the_certainty_from_a_statement(
    outcome: Outcome, p_against: float, p_for: float, expected: Outcome
) -> None:
    assert outcome_in_family(outcome, p_against, p_for) == expected


def test_a_part_that_waits_for_more_training_makes_the_statement_wait_unless_another_contradicts_it() -> None:
    assert conclude(["supported", "not yet"]) == "not yet"
    assert conclude(["undecided", "not yet"]) == "not yet"
    assert conclude(["contradicted", "not yet"]) == "contradicted"


def test_two_estimates_say_what_both_of_them_say() -> None:
    for_it, against = StatementAnswer(supports=True, p_against=1.0), StatementAnswer(supports=False, p_against=0.01)
    assert both_say(for_it, for_it) == for_it
    assert both_say(against, against) == against
    assert both_say(for_it, against) == StatementAnswer(supports=False, p_against=1.0)
