"""Counts worked by hand from the layer tables: ARCH-1 has 293,951 parameters with running statistics, 292,863 without;
ARCH-2 1,142,463 and 1,141,375, ARCH-3 306,831 and 305,807, ARCH-4 1,155,343 and 1,154,319; IRes 54,919."""

from __future__ import annotations

from typing import Any

import pytest

from fbench.ablations.claim import shipped_claims
from fbench.ablations.claim_tests import CountTest
from fbench.architectures.contract import Counts
from fbench.reports.findings.claims.counted import count_part
from fbench.reports.findings.claims.judge import judge_claim
from fbench.reports.findings.claims.pool import gather_claim_inputs
from tests.reports.findings.claims.runs import claim_of

COUNTS = {
    "arch1": Counts(292_863, 1_088, 27_025_920),
    "arch2": Counts(1_141_375, 1_088, 27_591_168),
    "arch3": Counts(305_807, 1_024, 38_942_208),
    "arch4": Counts(1_154_319, 1_024, 39_507_456),
    "ires": Counts(52_663, 2_256, 2_877_632),
}
OTHERS = ["arch2", "arch3", "arch4"]


def part(**test: Any) -> Any:
    (only,) = claim_of(test).tests
    assert isinstance(only, CountTest)
    return count_part(only, COUNTS)


@pytest.mark.parametrize(
    ("test", "outcome", "text"),
    [
        (
            {"kind": "fewer", "network": "arch1", "than": OTHERS},
            "supported",
            "arch1 has 293,951 parameters; the smallest of the others, arch3, has 306,831",
        ),
        (
            {"kind": "fewer", "network": "arch3", "than": ["arch1"]},
            "contradicted",
            "arch3 has 306,831 parameters; arch1 has 293,951",
        ),
        ({"kind": "fewer", "network": "ires", "than": "arch1", "count": "macs"}, "supported", "2,877,632 MACs"),
        ({"kind": "count_is", "network": "ires", "value": 54_900, "precision": 100}, "supported", "54,919 parameters"),
        ({"kind": "count_is", "network": "ires", "value": 54_900}, "contradicted", "54,919 parameters"),
        (
            {"kind": "count_is", "network": "arch1", "count": "trainable_params", "value": 292_862},
            "contradicted",
            "292,863 trainable parameters",
        ),
        # 1,142,463 / 293,951 = 3.887, 306,831 / 293,951 = 1.044, 1,155,343 / 293,951 = 3.930
        (
            {"kind": "count_ratio", "network": "arch1", "than": OTHERS, "times": 4},
            "contradicted",
            "arch2 has 3.89 times, arch3 has 1.04 times and arch4 has 3.93 times the parameters of arch1",
        ),
        (
            {"kind": "count_ratio", "network": "arch1", "than": OTHERS, "times": 4, "reading": "up_to"},
            "supported",
            "arch4, the largest, has 3.93 times the parameters of arch1",
        ),
        (
            {"kind": "count_ratio", "network": "arch1", "than": ["arch2", "arch4"], "times": 4},
            "supported",
            "arch2 has 3.89 times and arch4 has 3.93 times",
        ),
        # 1 - 293,951 / 1,142,463 = 74.27 %, 1 - 293,951 / 306,831 = 4.20 %, 1 - 293,951 / 1,155,343 = 74.56 %
        (
            {"kind": "count_reduction", "network": "arch1", "than": OTHERS, "low_percent": 6, "high_percent": 71},
            "contradicted",
            "arch1 has 74.3 % fewer parameters than arch2, 4.2 % fewer than arch3 and 74.6 % fewer than arch4",
        ),
        (
            {"kind": "count_reduction", "network": "arch1", "than": OTHERS, "low_percent": 4, "high_percent": 75},
            "supported",
            "4.2 % fewer",
        ),
        (
            {"kind": "count_reduction", "network": "arch3", "than": "arch1", "low_percent": 0, "high_percent": 9},
            "contradicted",
            "arch3 has 4.4 % more parameters than arch1",
        ),
    ],
)
def test_counts_settle_it(test: dict[str, Any], outcome: str, text: str) -> None:
    found = part(**test)
    assert found.settled == outcome
    assert text in found.text


def test_a_count_that_nobody_knows_leaves_it_undecided() -> None:
    found = part(kind="fewer", network="arch1", than=["arch2", "my_net"])
    assert found.settled is None
    assert [lack.networks for lack in found.lacks] == [("my_net",)]


def test_a_known_count_contradicts_whatever_the_others_are() -> None:
    assert part(kind="fewer", network="arch3", than=["arch1", "my_net"]).settled == "contradicted"


def test_without_runs_the_papers_have_four_verdicts_of_arithmetic() -> None:
    inputs = gather_claim_inputs([])
    verdicts = {
        one.claim.id: one.verdict_words
        for paper in shipped_claims()
        for claim in paper.claims
        if (one := judge_claim(claim, inputs)).verdict != "undecided"
    }
    assert verdicts == {
        "up_to_4_times_fewer_parameters": "supported by arithmetic",
        "4_times_smaller": "contradicted by arithmetic",
        "6_to_71_percent_smaller": "contradicted by arithmetic",
        "fewest_parameters": "supported by arithmetic",
    }


def test_arithmetic_alone_contradicts_a_claim_that_trainings_could_not_save() -> None:
    claim = claim_of(
        {"kind": "count_is", "network": "ires", "value": 54_900},
        {"kind": "reaches", "network": "ires", "data": "fer2013", "percent": 66.29},
    )
    found = judge_claim(claim, gather_claim_inputs([]))
    assert (found.verdict_words, found.missing) == ("contradicted by arithmetic", "")
