"""Claims about accuracy wait for the paper's budget, or for proof that more training would change little."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fbench.ablations.claim import PaperClaims
from fbench.benchmark.store.run_table import RunTable
from fbench.core.errors import UserError
from fbench.core.schema import parse
from fbench.reports.findings.claims.budget import gain_of_doubling
from fbench.reports.findings.claims.judge import judge_claims
from fbench.reports.findings.claims.pool import gather_claim_inputs, pool
from fbench.statistics.estimands import new_images
from tests.reports.findings.claims.runs import claim_of, judged, run_of

BETTER: dict[str, Any] = {"kind": "more_accurate", "network": "ires", "than": "ires_no_se", "data": "fer2013"}
FAR = {"ires": 0.62, "ires_no_se": 0.48}
SIX_EPOCHS = 6 * 15 * 128  # image passes of the made-up runs: 2,000 training images in batches of 128


def test_a_claim_is_decided_at_the_papers_image_passes_and_not_below_them(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", FAR)
    assert judged(claim_of(BETTER, image_passes={"fer2013": SIX_EPOCHS}), [run]).verdict == "supported"
    found = judged(claim_of(BETTER, image_passes={"fer2013": SIX_EPOCHS + 1}), [run])
    assert found.verdict == "not yet"
    assert found.why.startswith("at this budget ires is ")
    assert found.missing.startswith(
        f"on FER2013 {SIX_EPOCHS + 1:,} image passes, as in the paper ({SIX_EPOCHS:,} so far;"
    )


def test_the_passes_of_a_paper_hold_for_claims_that_state_none() -> None:
    tests = {"id": "a", "sentence": "s", "section": "p", "tests": [BETTER]}
    own = {**tests, "id": "b", "image_passes": {"fer2013": 7}}
    paper = parse(PaperClaims, {"paper": "P", "image_passes": {"fer2013": 9}, "claims": [tests, own]}, "test")
    assert [claim.image_passes for claim in paper.claims] == [{"fer2013": 9}, {"fer2013": 7}]


def with_half(folder: Path, half: dict[str, float], full: dict[str, float]) -> list[RunTable]:
    """Runs of three and of six epochs."""
    usual: dict[str, Any] = {"images": 3_000}
    return [run_of(folder / "half", half, epochs=3, **usual), run_of(folder / "full", full, **usual)]


def test_where_doubling_gained_less_than_the_margin_a_shorter_budget_decides(tmp_path: Path) -> None:
    claim = claim_of({**BETTER, "margin_points": 3.0}, image_passes={"fer2013": 10**9})
    assert judged(claim, with_half(tmp_path / "flat", FAR, FAR)).verdict == "supported"
    rising = with_half(tmp_path / "rising", {"ires": 0.50, "ires_no_se": 0.48}, FAR)
    found = judged(claim, rising)
    assert found.verdict == "not yet"
    assert "doubling may still gain ires up to " in found.missing


def test_the_gain_of_doubling_is_the_upper_bound_for_new_images(tmp_path: Path) -> None:
    half, full = with_half(tmp_path, {"ires": 0.57, "ires_no_se": 0.48}, FAR)
    evidence = pool(gather_claim_inputs([half, full]), "fer2013", ("ires",))
    assert evidence is not None
    differences = [
        full.classes(ours)["test"].correct.astype(float) - half.classes(theirs)["test"].correct
        for ours, theirs in zip(full.records("ires", "fer2013"), half.records("ires", "fer2013"), strict=True)
    ]
    expected = new_images(np.array(differences)).interval(0.90)[1]
    assert gain_of_doubling("ires", evidence) == pytest.approx(expected)
    assert gain_of_doubling("ires_no_se", evidence) is None


def test_a_run_between_half_and_whole_is_refused(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / "a", FAR, epochs=5), run_of(tmp_path / "b", FAR)]
    with pytest.raises(UserError, match=r"budget\.epochs is 5 in the first and 6"):
        judged(claim_of(BETTER), runs)


def test_claims_of_a_file_on_one_data_set_are_corrected_together(tmp_path: Path) -> None:
    """The p-values of two of five claims, as the run has them alone, are multiplied as Holm has it."""
    run = run_of(tmp_path / "run", {"ires": 0.60, "ires_no_se": 0.575, "ires_relu": 0.48}, images=3_000)
    near, far = claim_of(BETTER, id="near"), claim_of({**BETTER, "than": "ires_relu"}, id="far")
    unknown = [claim_of({**BETTER, "network": f"arch{k}", "than": "resnet50"}, id=f"none{k}") for k in (1, 2, 3)]
    other = claim_of({**BETTER, "data": "imed"}, id="other")
    alone = [judged(claim, [run]) for claim in (near, far)]
    assert [one.verdict for one in alone] == ["supported", "supported"]
    found = judge_claims([near, far, *unknown, other], gather_claim_inputs([run]))
    assert [one.family for one in found] == [5, 5, 5, 5, 5, 1]
    p_values = [one.p_value for one in alone]
    assert p_values[0] is not None
    assert p_values[1] is not None
    assert found[1].p_value == pytest.approx(min(1.0, 5 * p_values[1]))
    assert found[0].p_value == pytest.approx(min(1.0, 4 * p_values[0]))
    assert found[0].verdict == ("supported" if 4 * p_values[0] < 0.05 else "undecided")


def test_a_verdict_that_its_family_takes_away_says_why(tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", {"ires": 0.60, "ires_no_se": 0.591}, images=3_000)
    claim = claim_of(BETTER, id="near")
    p_value = judged(claim, [run]).p_value
    assert p_value is not None
    assert 0.05 / 40 < p_value < 0.05
    many = [claim_of({**BETTER, "network": "arch1", "than": "resnet50"}, id=f"none{k}") for k in range(39)]
    found = judge_claims([claim, *many], gather_claim_inputs([run]))[0]
    assert (found.verdict, found.missing) == (
        "undecided",
        "more seeds, as 40 claims on one data set are corrected together",
    )
