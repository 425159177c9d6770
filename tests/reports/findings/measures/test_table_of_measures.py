"""A measure that is added to the table stands in every form of a report and can be held by a gate."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from scipy import stats

from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.comparisons.evidence import NetworkEvidence, gather
from fbench.reports.findings.gate.conditions import parse_condition
from fbench.reports.findings.gate.judge import Judged, judge_gate
from fbench.reports.findings.gate.subjects import load_side, pairs
from fbench.reports.findings.gather import gather_findings
from fbench.reports.findings.measures import table
from fbench.reports.findings.measures.kinds import counted, quality
from fbench.reports.render.csv.tables import summary_csv
from fbench.reports.render.html.build import build_report
from fbench.reports.render.markdown.document import to_markdown
from fbench.reports.render.plain.contents import plain_report
from fbench.reports.render.terminal.summary import print_summary
from tests.reports.fabricated_run import Recipe, fabricate_run, static_cost
from tests.reports.read_page import Page
from tests.reports.render.plain.plain_tables import markdown_tables

KAPPA = "cohen_kappa"


def kappas(trials: NetworkEvidence) -> list[float]:
    """Agreement of predicted and true classes beyond that of their margins (Cohen 1960), for each trial."""
    found = []
    for counts in trials.confusion:
        share = counts / counts.sum()
        by_chance = float(share.sum(axis=1) @ share.sum(axis=0))
        found.append((float(np.trace(share)) - by_chance) / (1 - by_chance))
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunTable:
    return fabricate_run(tmp_path_factory.mktemp("measures") / "run", Recipe())


@pytest.fixture
def expected(run: RunTable) -> dict[str, list[float]]:
    evidence = gather(run, run.config.data[0])
    return {name: kappas(trials) for name, trials in evidence.networks.items()}


@pytest.fixture(autouse=True)
def _added(monkeypatch: pytest.MonkeyPatch) -> None:
    more = (
        quality(KAPPA, "Cohen’s kappa", "more", kappas),
        counted(
            "macs_per_call", "MACs of a call", lambda cost: cost.record and cost.record.static["ires"].macs_per_call
        ),
    )
    monkeypatch.setattr(table, "MEASURES", (*table.MEASURES, *more))


def percents(values: dict[str, list[float]]) -> dict[str, str]:
    return {name: f"{100 * np.mean(found):.1f}" for name, found in values.items()}


def judged(run: RunTable, condition: str) -> Judged:
    sides = (load_side(f"{run.folder.path}:{name}") for name in ("ires_no_se", "ires"))
    (found,) = judge_gate(pairs(*sides), [parse_condition(condition)]).judged
    return found


def test_it_is_a_column_of_the_summary_for_programs(run: RunTable, expected: dict[str, list[float]]) -> None:
    rows = {row["network"]: row for row in csv.DictReader(io.StringIO(summary_csv(gather_findings([run]))))}
    assert {name: float(row[KAPPA]) for name, row in rows.items()} == pytest.approx(
        {name: np.mean(found) for name, found in expected.items()}, rel=1e-5
    )
    assert {row["macs_per_call"] for row in rows.values()} == {str(static_cost("ires").macs_per_call)}


def test_it_is_a_column_of_markdown(run: RunTable, expected: dict[str, list[float]]) -> None:
    tables = markdown_tables(to_markdown(plain_report(gather_findings([run]))))
    headings, *rows = next(table for table in tables if "Cohen’s kappa, %" in table[0])
    index = headings.index("Cohen’s kappa, %")
    assert {row[0]: row[index] for row in rows} == percents(expected)
    assert "MACs of a call" in headings


@pytest.mark.usefixtures("unpainted")
def test_it_is_a_column_of_the_page(run: RunTable, expected: dict[str, list[float]]) -> None:
    text = " ".join(Page(build_report([run])).text.split())
    assert "calibration error cohen’s kappa" in text
    assert "MACs of a call" in text
    for value in percents(expected).values():
        assert value in text


def test_it_is_a_column_of_what_a_run_prints(
    run: RunTable, expected: dict[str, list[float]], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    print_summary(gather_findings([run]))
    lines = capsys.readouterr().out.splitlines()
    (heading,) = [line for line in lines if "cohen’s kappa %" in line]
    assert "MACs of a call" in heading
    for name, value in percents(expected).items():
        assert any(line.split()[:1] == [name] and value in line.split() for line in lines)


def test_a_gate_holds_it_by_the_differences_of_pairs_of_seeds(run: RunTable, expected: dict[str, list[float]]) -> None:
    found = judged(run, f"{KAPPA}:-1pt")
    differences = np.subtract(expected["ires"], expected["ires_no_se"])
    interval = stats.t(2, differences.mean(), stats.sem(differences)).interval(0.95)
    assert found.change is not None
    assert (found.change.low, found.change.high) == pytest.approx(interval)
    assert (found.verdict, found.data) == ("held", "fer2013")


def test_a_gate_holds_a_count_exactly(run: RunTable) -> None:
    found = judged(run, "macs_per_call:+0%")
    assert found.change is not None
    assert (found.verdict, found.change.exact) == ("held", True)


def test_equal_trials_differ_in_nothing(run: RunTable) -> None:
    side = load_side(f"{run.folder.path}:ires")
    (found,) = judge_gate(pairs(side, side), [parse_condition(f"{KAPPA}:-0pt")]).judged
    assert found.change is not None
    assert (found.change.estimate, found.change.exact, found.verdict) == (0.0, True, "held")


def test_names_are_used_once() -> None:
    names = [one.name for one in table.MEASURES]
    held = [metric.name for one in table.MEASURES for metric in one.metrics]
    assert (len(set(names)), len(set(held))) == (len(names), len(held))
