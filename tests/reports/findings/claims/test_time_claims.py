from __future__ import annotations

import re
from typing import Any

import pytest

from fbench.benchmark.records.cost_records import CostRecord
from fbench.core.errors import UserError
from fbench.reports.findings.claims.judge import JudgedClaim, judge_claim
from fbench.reports.findings.claims.pool import ClaimInputs
from tests.reports.fabricated_cost import TRAIN, cost, series
from tests.reports.findings.claims.runs import claim_of

FASTER: dict[str, Any] = {"kind": "trains_faster", "network": "arch1", "than": ["arch3"]}
RANGE: dict[str, Any] = {"kind": "training_time_reduction", "network": "arch1", "than": ["arch3", "arch4"]}


def measured(**factors: float) -> CostRecord:
    """Training steps that take so many times as long as each other."""
    timed = [series(name, factor, TRAIN, 64, seed=place) for place, (name, factor) in enumerate(factors.items())]
    return cost(*timed, settings=(TRAIN,))


def judged(test: dict[str, Any], *costs: CostRecord) -> JudgedClaim:
    inputs = ClaimInputs((), tuple((f"results/{place}", one) for place, one in enumerate(costs)), {})
    return judge_claim(claim_of(test), inputs)


@pytest.mark.parametrize(
    ("ours", "verdict"), [(0.9, "supported"), (1.1, "contradicted"), (1.0, "contradicted"), (0.9905, "supported")]
)
def test_faster_is_decided_by_the_ratio_of_training_steps(ours: float, verdict: str) -> None:
    assert judged(FASTER, measured(arch1=ours, arch3=1.0)).verdict == verdict


def test_faster_is_undecided_where_the_interval_reaches_over_equality_and_the_margin() -> None:
    found = judged({**FASTER, "margin_percent": 0.1}, measured(arch1=1.0, arch3=1.0))
    assert found.verdict == "undecided"
    assert found.missing.startswith("about ")
    assert found.missing.endswith("blocks of the measurement of cost")


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(13, 46, "supported"), (6, 15, "contradicted"), (25, 46, "contradicted"), (20, 46, "undecided")],
)
def test_a_range_of_reductions_holds_where_every_interval_lies_within(low: int, high: int, verdict: str) -> None:
    """ARCH-1 takes 0.8 and 0.6 of the others' time: 20 and 40 % less."""
    test = {**RANGE, "low_percent": low, "high_percent": high, "precision": 0.01}
    found = judged(test, measured(arch1=0.6, arch3=0.75, arch4=1.0))
    assert found.verdict == verdict


def test_an_interval_on_both_sides_of_zero_has_a_true_minus_sign() -> None:
    found = judged(FASTER, measured(arch1=1.0, arch3=1.0))
    assert re.search(r"% (less|more) time \(−\d+\.\d to \d+\.\d %\)", found.why)


def test_why_names_the_reduction_with_its_interval_and_what_it_rests_on() -> None:
    found = judged(FASTER, measured(arch1=0.8, arch3=1.0))
    assert found.why.startswith("arch1 takes ")
    assert "% less time (" in found.why
    assert found.remarks == ("training steps on Example CPU @ 2.00GHz, batch 64, fp32",)


def test_without_a_measurement_of_both_together_it_says_which_are_missing() -> None:
    assert judged(FASTER).missing == "a run that measures the cost of arch1 and arch3 together"
    apart = (measured(arch1=0.8, arch2=1.0), measured(arch3=1.0, arch2=1.0))
    assert judged(FASTER, *apart).missing == "a run that measures the cost of arch1 and arch3 together"
    inference = cost(series("arch1", 0.8), series("arch3", 1.0))
    assert judged(FASTER, inference).verdict == "undecided"


def test_measurements_of_two_machines_do_not_stand_in_one_claim() -> None:
    test = {**RANGE, "low_percent": 13, "high_percent": 46}
    first, second = measured(arch1=0.8, arch3=1.0), measured(arch1=0.6, arch4=1.0)
    other = second.model_copy(update={"machine": second.machine.model_copy(update={"processor": "Another CPU"})})
    assert judged(test, first, second).verdict == "supported"
    with pytest.raises(UserError, match=r"results/0 and results/1 .* machine.processor is Example CPU .* Another CPU"):
        judged(test, first, other)


def test_the_measurement_with_most_networks_of_the_claim_is_taken() -> None:
    test = {**RANGE, "low_percent": 13, "high_percent": 46}
    whole, newer = measured(arch1=0.6, arch3=0.75, arch4=1.0), measured(arch1=2.0, arch3=1.0)
    assert judged(test, whole, newer).verdict == "supported"


def test_three_blocks_have_no_interval() -> None:
    record = measured(arch1=0.5, arch3=1.0)
    few = tuple(
        one.model_copy(update={name: getattr(one, name)[:3] for name in ("blocks", "turns", "orders", "times_s")})
        for one in record.series
    )
    found = judged(FASTER, record.model_copy(update={"series": few}))
    assert found.verdict == "undecided"
    assert "too few blocks for an interval" in found.why
