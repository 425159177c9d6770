"""Imported results in a report: held against the network of their name, else against the baselines of studies."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest

from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.gate.change import MeasuredChange
from fbench.reports.findings.gate.imported_changes import imported_accuracy
from fbench.reports.findings.gate.subjects import ComparedPair, Side, load_side
from fbench.reports.findings.gather import gather_findings
from fbench.reports.render.csv.tables import tidy_tables
from fbench.reports.render.html.build import build_report
from fbench.reports.render.markdown.document import to_markdown
from fbench.reports.render.plain.contents import plain_report
from tests.reports.fabricated_import import imported_results
from tests.reports.fabricated_run import Recipe, fabricate_run

SMALL = Recipe(accuracy={"ires": 0.7, "ires_relu": 0.7}, images=400, seeds=range(4))


@pytest.fixture
def run(tmp_path: Path) -> RunTable:
    return fabricate_run(tmp_path / "run", SMALL)


def test_a_network_that_the_run_lacks_is_held_against_the_baseline(run: RunTable) -> None:
    given = imported_results(run)
    (row,) = gather_findings([run], imported=[given]).imported
    assert (row.network, row.against, row.trainings) == ("their_net", "ires", 3)
    assert row.top1 == sum(one.top1 for one in given.networks["their_net"]) / 3
    base = load_side(str(run.folder.path))
    ((_, change),) = imported_accuracy(
        ComparedPair(base, Side("", None, None, (), imported=given), "ires", "their_net"), 0.95
    )
    assert isinstance(change, MeasuredChange)
    assert (row.estimate, row.interval) == (change.estimate, (change.low, change.high))
    assert row.rests_on == change.how.replace("NEW is", "the import is")


def test_a_network_of_the_run_is_held_against_itself(run: RunTable) -> None:
    given = imported_results(run)
    given = given.model_copy(update={"networks": {"ires_relu": given.networks["their_net"]}})
    (row,) = gather_findings([run], imported=[given]).imported
    assert row.against == "ires_relu"


def test_the_preset_smoke_compares_nothing(run: RunTable) -> None:
    smoke = replace(run, config=run.config.model_copy(update={"preset": "smoke"}))
    (row,) = gather_findings([smoke], imported=[imported_results(run)]).imported
    assert row.estimate is None
    assert row.rests_on == "not compared: the preset smoke only shows that everything runs"


@pytest.mark.usefixtures("unpainted")
def test_every_form_of_a_report_has_the_row_and_says_what_it_is(run: RunTable) -> None:
    given = imported_results(run)
    findings = gather_findings([run], imported=[given])
    (cells,) = csv.DictReader(io.StringIO(tidy_tables(findings)["imported.csv"]))
    assert float(cells["top1_difference"]) == pytest.approx(findings.imported[0].estimate, rel=1e-5)
    for text in (build_report([run], imported=[given]), to_markdown(plain_report(findings)).replace("\\_", "_")):
        assert "their_net" in text
        assert "Imported results" in text
        assert "a difference may be one of training" in text


@pytest.mark.usefixtures("unpainted")
def test_a_report_without_imports_has_no_such_part(run: RunTable) -> None:
    findings = gather_findings([run])
    assert "imported.csv" not in tidy_tables(findings)
    assert "Imported results" not in build_report([run])
