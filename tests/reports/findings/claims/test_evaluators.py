"""Every kind of test has its evaluator, and what decides a test is told by the test itself."""

from __future__ import annotations

from typing import get_args

import pytest

from fbench.ablations.claim_tests import AccuracyTest, CountTest, EpochTimeReduction, PrintedTest, TimeTest
from fbench.reports.findings.claims.evaluators import EVALUATORS
from fbench.reports.findings.claims.judge import judge_claim
from fbench.reports.findings.claims.parts import ClaimPart
from fbench.reports.findings.claims.pool import ClaimInputs
from tests.reports.findings.claims.runs import claim_of

NEEDS = {"counts": CountTest, "training": AccuracyTest | PrintedTest | EpochTimeReduction, "time": TimeTest}


def test_each_kind_has_one_evaluator() -> None:
    kinds = [
        get_args(model.model_fields["kind"].annotation)[0] for union in NEEDS.values() for model in get_args(union)
    ]
    assert sorted(EVALUATORS) == sorted(kinds)


@pytest.mark.parametrize("needs", NEEDS)
def test_a_test_says_what_decides_it(needs: str) -> None:
    assert {model.needs for model in get_args(NEEDS[needs])} == {needs}


def test_a_claim_is_judged_by_the_evaluator_of_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        EVALUATORS,  # type: ignore[arg-type]
        "fewer",
        lambda test, claim, inputs: [ClaimPart(f"{test.network} was asked of {claim.id}", "contradicted")],
    )
    claim = claim_of({"kind": "fewer", "network": "arch1", "than": "arch2"})
    judged = judge_claim(claim, ClaimInputs((), (), {}))
    assert (judged.verdict, judged.why) == ("contradicted", f"arch1 was asked of {claim.id}")
