"""The report shows the claims of which its runs hold two networks, near the top, and counts their verdicts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fbench.reports.render.csv.tables import claim_rows
from fbench.reports.render.html.build import build_report, gather_report
from tests.reports.fabricated_run import fabricate_run
from tests.reports.findings.claims.runs import run_of
from tests.reports.read_page import Page
from tests.unpainted import unpainted_report

pytestmark = pytest.mark.usefixtures("unpainted")

IRES = {"ires": 0.62, "ires_no_se": 0.48, "ires_relu": 0.61}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    return Page(unpainted_report([run_of(tmp_path_factory.mktemp("runs") / "ten", IRES)]))


def test_claims_that_the_run_bears_on_are_shown_with_place_verdict_and_why(page: Page) -> None:
    table = page.table("Claims of Xu et al. 2021")
    assert len(table.rows) == 9  # a heading; squeeze-and-excitation, h_swish, five of IRes alone, one of none
    sentence, verdict, why = next(row for row in table.rows if row[0].startswith("Squeeze-and-excitation"))
    assert "Section 2.3; Conclusion." in sentence
    assert verdict == "not yet"
    assert why.startswith("at this budget ires is ")
    assert "points more accurate than ires_no_se on FER2013" in why
    assert not [table for table in page.tables if table.caption == "Claims of Chowanda 2021"]


def test_the_headline_counts_the_verdicts(page: Page) -> None:
    assert (
        "Of the 7 claims of the papers that this run bears on, 0 are supported, 0 contradicted, 0 undecided and 7"
        in page.text
    )


def test_a_claim_that_can_never_be_decided_says_so_and_why(page: Page, tmp_path: Path) -> None:
    (row,) = [row for row in page.table("Claims of Xu et al. 2021").rows if "gradient disappearance" in row[0]]
    assert row[1] == "can never be decided"
    assert row[2] == "The paper measures no gradient and gives no number."
    assert "as the budget is too short; 1 more can never be decided." in page.text
    report = gather_report([run_of(tmp_path / "run", IRES, seeds=(0,), images=40)])
    rows = {str(row["claim"]): row for row in claim_rows(report)}
    assert rows["prevents_gradient_disappearance"]["never_decided"] == "true"
    assert rows["prevents_gradient_disappearance"]["missing"] == ""
    assert rows["sad_is_poor"]["never_decided"] == "false"


def test_a_claim_that_waits_says_what_is_missing(page: Page) -> None:
    row = page.table("Claims of Xu et al. 2021").rows[1]
    assert row[1] == "not yet"
    assert "Missing: on FER2013 2,870,900 image passes, as in the paper (" in row[2]


def test_counts_are_called_arithmetic(tmp_path: Path) -> None:
    names = ("arch1", "arch2", "arch3", "arch4")
    page = Page(build_report([run_of(tmp_path / "arch", dict.fromkeys(names, 0.5), seeds=(0,), images=40)]))
    table = page.table("Claims of Chowanda 2021, decided")
    row = next(row for row in table.rows if row[0].startswith('ARCH-1 is "four times smaller'))
    assert row[1] == "contradicted by arithmetic"


def test_where_no_claim_waits_for_a_budget_none_is_spoken_of(tmp_path: Path) -> None:
    rendered = run_of(tmp_path / "rendered", IRES, seeds=(0,), images=40, synthetic=True, data=("synthetic",))
    text = Page(build_report([rendered])).text
    assert re.search(r"0 are supported, 0 contradicted and 7 undecided; 1 more can never be decided\.", text)
    assert "as the budget is too short" not in text


def test_programs_get_the_verdicts_of_the_page(tmp_path: Path) -> None:
    names = ("arch1", "arch2", "arch3", "arch4")
    run = run_of(tmp_path / "arch", dict.fromkeys(names, 0.5), seeds=(0,), images=40)
    rows = claim_rows(gather_report([run]))
    page = Page(build_report([run]))
    parts = [page.table(f"Claims of Chowanda 2021, {part}").rows[1:] for part in ("decided", "open")]
    shown = [row for part in parts for row in part]
    assert [row["paper"] for row in rows] == ["Chowanda 2021"] * len(shown)
    assert {verdict.partition(" ")[0] for _, verdict, _ in parts[0]} <= {"supported", "contradicted"}
    for row in rows:
        _, verdict, why = next(one for one in shown if one[0].startswith(str(row["sentence"])))
        arithmetic = " by arithmetic" if row["by_arithmetic"] == "true" else ""
        never = row["never_decided"] == "true"
        assert verdict == ("can never be decided" if never else f"{row['verdict']}{arithmetic}")
        assert why.lower().startswith(str(row["why"]).lower())


def test_networks_of_no_claim_make_no_part(tmp_path: Path) -> None:
    page = Page(build_report([run_of(tmp_path / "own", {"my_net": 0.5}, seeds=(0,), images=40)]))
    assert "claims of the papers" not in page.text
    assert "claims" not in [attributes.get("id") for _, attributes in page.elements]


def test_runs_that_cannot_be_pooled_still_make_a_report_that_says_why(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / "a", IRES, seeds=(0,)), run_of(tmp_path / "b", IRES, seeds=(1,), epochs=7)]
    page = Page(build_report(runs))
    assert "claims are not judged: The trials on fer2013 in" in page.text
    assert "budget.epochs is 6 in the first and 7 in the second" in page.text


def test_two_runs_are_judged_together(tmp_path: Path) -> None:
    runs = [run_of(tmp_path / "a", IRES, seeds=range(5)), run_of(tmp_path / "b", IRES, seeds=range(5, 10))]
    page = Page(build_report(runs))
    assert "Of the 7 claims of the papers that these runs bear on, 0 are supported" in page.text
    assert "10 seeds; p " in page.text


def test_a_run_of_which_every_trial_failed_still_has_its_part(tmp_path: Path) -> None:
    from tests.reports.fabricated_run import Recipe

    failed = tuple((name, 0) for name in IRES)
    run = fabricate_run(tmp_path / "failed", Recipe(accuracy=IRES, seeds=(0,), failed=failed, with_cost=False))
    assert "ires_no_se (all that ended failed: the loss became NaN at step 17)" in Page(build_report([run])).text
