"""Claims and fabricated runs to judge them on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fbench.ablations.claim import Claim
from fbench.benchmark.store.run_table import RunTable
from fbench.core.schema import parse
from fbench.reports.findings.claims.judge import JudgedClaim, judge_claim
from fbench.reports.findings.claims.pool import gather_claim_inputs
from tests.reports.fabricated_run import Recipe, fabricate_run

STUDIES = ({"name": "one", "title": "One", "question": "?", "baseline": "ires", "levels": ("ires", "ires_no_se")},)


def claim_of(*tests: dict[str, Any], **changes: Any) -> Claim:
    """A claim that ten seeds and six epochs can decide."""
    return parse(Claim, {"id": "claim", "sentence": "s", "place": "p", "tests": tests, **changes}, "test")


def run_of(folder: Path, accuracy: dict[str, float], **changes: Any) -> RunTable:
    """A run of ten seeds and six epochs on 500 test images of FER2013, without cost."""
    usual: dict[str, Any] = {"seeds": range(10), "images": 500, "epochs": 6, "with_cost": False, "studies": STUDIES}
    return fabricate_run(folder, Recipe(accuracy=accuracy, **{**usual, **changes}))


def judged(claim: Claim, runs: Sequence[RunTable] = ()) -> JudgedClaim:
    return judge_claim(claim, gather_claim_inputs(runs))
