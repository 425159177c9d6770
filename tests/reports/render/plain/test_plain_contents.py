"""The plain tables say what the page says, and the tables for programs what the statistics say."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fbench.benchmark.records.interim_analyses import InterimAnalysis
from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.reports.findings.comparisons.evidence import gather
from fbench.reports.findings.gather import gather_findings
from fbench.reports.render.csv.runs import write_tables
from fbench.reports.render.csv.tables import comparison_rows, tidy_tables
from fbench.reports.render.html.build import build_report, gather_report
from fbench.reports.render.html.document import Report
from fbench.reports.render.latex.document import to_latex
from fbench.reports.render.markdown.document import to_markdown
from fbench.reports.render.plain.contents import plain_report
from tests.reports.fabricated_run import Recipe, fabricate_run, latency_ms, static_cost
from tests.reports.read_page import Page
from tests.reports.render.plain.plain_tables import compile_latex, markdown_tables

RECIPE = Recipe(data=("fer2013", "ck48"), failed=(("ires_relu", 0),), missing=(("ires_no_se", 1), ("ires_no_se", 2)))


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> RunTable:
    return fabricate_run(tmp_path_factory.mktemp("plain") / "run", RECIPE)


@pytest.fixture(scope="module")
def report(table: RunTable) -> Report:
    return gather_report([table])


def test_summary_says_what_was_made_up(table: RunTable, report: Report) -> None:
    tables = markdown_tables(to_markdown(plain_report(report)))
    found = next(one for one in tables if "Top-1, %" in one[0])
    rows = {row[0]: dict(zip(found[0], row, strict=True)) for row in found[1:]}
    assert list(rows) == list(RECIPE.accuracy)
    for name, network in gather(table, table.config.data[0]).networks.items():
        assert rows[name]["Seeds"] == str(len(network.seeds))
        assert rows[name]["Top-1, %"] == f"{100 * network.correct.mean():.1f}"
        assert rows[name]["Parameters"] == f"{static_cost(name).trainable_params:,}"
        assert float(rows[name]["MACs, millions"]) == pytest.approx(static_cost(name).macs / 1e6, rel=5e-3)
        assert float(rows[name]["Latency, ms"]) == pytest.approx(1.055 * latency_ms(name), rel=0.01)


@pytest.mark.usefixtures("unpainted")
def test_every_number_stands_on_the_page_too(table: RunTable, report: Report) -> None:
    page = Page(build_report([table])).text
    flat = " ".join(page.split())
    for section in plain_report(report).sections:
        for one in (*section.tables, *section.folded):
            for row in one.rows:
                assert all(" ".join(cell.split()) in flat for cell in row[:-1] if "(" not in cell), row


def test_each_data_set_has_its_ablations_first_and_its_other_tables_folded(report: Report) -> None:
    sections = plain_report(report).sections
    assert [section.heading for section in sections[:2]] == ["fer2013", "ck48"]
    assert [[one.label for one in section.tables] for section in sections] == [
        ["run1-data1-ablations"],
        ["run1-data2-ablations"],
        ["over-data-sets-example"],
        [],
    ]
    assert [one.label for one in sections[0].folded] == ["run1-data1-summary"]
    labels = [one.label for section in sections for one in (*section.tables, *section.folded)]
    assert len(set(labels)) == len(labels)
    for section, found in zip(sections, report.data_sections, strict=False):
        assert section.paragraphs[0] == found.overview.recommendation.sentence
        assert "3 networks were trained" in section.words[0]
        assert "Trials: of 18, 2 failed and 4 not run yet." in section.cautions
        warnings = [line for line in found.overview.trust if line.is_warning]
        assert section.cautions[-len(warnings) :] == tuple(f"{line.topic}: {line.text}" for line in warnings)
        assert warnings


def test_two_claims_of_one_sentence_are_told_apart_by_the_split_that_they_read_it_with(tmp_path: Path) -> None:
    studies = (
        {
            "name": "a",
            "title": "A",
            "question": "?",
            "baseline": "arch1",
            "levels": ("arch1", "arch2", "arch3", "arch4"),
        },
    )
    recipe = Recipe(accuracy=dict.fromkeys(("arch1", "arch2", "arch3", "arch4"), 0.6), studies=studies, data=("ck48",))
    section = plain_report(gather_report([fabricate_run(tmp_path / "run", recipe)])).sections[-1]
    said = [row[0] for one in (*section.folded, *section.foldable) for row in one.rows]
    assert len(said) == len(set(said))
    assert any("split by subject" in one for one in said)
    assert any("split by frame" in one for one in said)


def test_failed_trainings_are_said_once(report: Report) -> None:
    cautions = plain_report(report).sections[0].cautions
    assert len([one for one in cautions if "failed" in one]) == 1


def test_ablations_say_what_the_findings_say(report: Report) -> None:
    (found,) = plain_report(report).sections[0].tables
    ablations = report.data_sections[0].overview.ablations
    assert found.groups == tuple(one.comparison.baseline for one in ablations) == ("ires", "ires")
    for row, one in zip(found.rows, ablations, strict=True):
        comparison, cost = one.comparison, one.comparison.cost
        network, difference, interval, verdict, params, macs, latency, latency_interval = row
        assert (network, verdict) == (comparison.network, comparison.verdict)
        assert float(difference.replace("−", "-")) == pytest.approx(100 * comparison.estimate, abs=0.05)
        if comparison.is_tested:
            ends = [float(end) for end in interval.replace("−", "-").split(" to ")]
            assert ends == pytest.approx([100 * end for end in comparison.interval], abs=0.05)
        else:
            assert (network, interval) == ("ires_no_se", "–")  # of which one training is left
        names = static_cost(network), static_cost(comparison.baseline)
        assert float(params) == pytest.approx(names[0].trainable_params / names[1].trainable_params, rel=5e-3)
        assert float(macs) == pytest.approx(names[0].macs / names[1].macs, rel=5e-3)
        assert float(latency) == pytest.approx(latency_ms(network) / latency_ms(comparison.baseline), rel=5e-3)
        assert cost.latency is not None
        assert [float(end) for end in latency_interval.split(" to ")] == pytest.approx(
            [cost.latency.low, cost.latency.high], rel=5e-3
        )


def test_the_note_of_the_ablations_says_what_they_rest_on(tmp_path: Path) -> None:
    studies = (
        {"name": "a", "title": "A", "question": "?", "baseline": "ires", "levels": ("ires", "ires_no_se")},
        {"name": "b", "title": "B", "question": "?", "baseline": "ires", "levels": ("ires", "ires_relu"),
         "margin_points": 0.5},
    )  # fmt: skip
    run = fabricate_run(tmp_path / "run", Recipe(studies=studies))
    note = plain_report(gather_report([run])).sections[0].tables[0].note
    assert "The margin that matters is 0.5 points in B and 1 point in A." in note
    assert "for new images and new seeds, corrected after Holm over 2 comparisons." in note
    assert "3 seeds a comparison; protocol fbench, preset standard: 4 epochs, batch size 128." in note
    assert "At this budget: a training sees " in note
    fdr = plain_report(gather_report([run], correction="false_discovery_rate")).sections[0].tables[0].note
    assert "corrected after Benjamini and Hochberg over 2 comparisons" in fdr
    alone = fabricate_run(tmp_path / "alone", Recipe(studies=studies[:1]))
    assert "of 95 % for each comparison alone" in plain_report(gather_report([alone])).sections[0].tables[0].note


def test_without_a_study_the_summary_is_the_table(tmp_path: Path) -> None:
    single = ({"name": "a", "title": "A", "question": "?", "baseline": "ires", "levels": ("ires",)},)
    run = fabricate_run(tmp_path / "run", Recipe(studies=single, images=60))
    section = plain_report(gather_report([run])).sections[0]
    assert [one.label for one in section.tables] == ["run1-data1-summary"]
    assert section.folded == ()


def test_claims_come_last_with_their_verdicts(report: Report) -> None:
    assert report.claims is not None
    last = plain_report(report).sections[-1]
    assert last.paragraphs[0] == report.claims.summary
    verdicts = [row[1] for one in (*last.folded, *last.foldable) for row in one.rows]
    told = [one for paper in report.claims.papers for one in paper.claims]
    assert sorted(verdicts) == sorted(one.verdict_words for one in told)
    decided = [one.verdict_words for one in told if one.verdict in ("supported", "contradicted")]
    assert [row[1] for one in last.folded for row in one.rows] == decided


def test_runs_that_cannot_be_judged_together_say_so(report: Report) -> None:
    assert report.claims is not None
    refused = replace(report, claims=replace(report.claims, papers=(), summary="", refusal="They differ."))
    assert plain_report(refused).sections[-1].cautions == ("The papers’ claims are not judged: They differ.",)


def test_synthetic_data_and_what_was_not_measured_are_told(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(synthetic=True, with_cost=False, images=60, seeds=(0, 1)))
    report = plain_report(gather_report([run], correction="false_discovery_rate"))
    (ablations,), (summary,) = report.sections[0].tables, report.sections[0].folded
    assert all("(synthetic data)" in one.caption for one in (ablations, summary))
    assert "Latency" not in [column.heading for column in summary.columns]
    assert "Latency" not in [column.heading for column in ablations.columns]
    assert "Latency" not in ablations.note
    assert any(text.startswith("Synthetic data") for text in report.sections[0].cautions)


def test_a_study_that_waits_is_a_sentence(tmp_path: Path) -> None:
    run = fabricate_run(
        tmp_path / "run", Recipe(images=60, seeds=(0, 1), missing=[("ires_no_se", 0), ("ires_no_se", 1)])
    )
    section = plain_report(gather_report([run])).sections[0]
    waits = "Squeeze and excitation: No comparison yet, as no training has finished of it or of ires: ires_no_se."
    assert waits in section.words
    assert [row[0] for row in section.tables[0].rows] == ["ires_relu"]


def test_one_seed_leaves_dashes(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(images=60, seeds=(0,)))
    report = gather_report([run])
    ablations = plain_report(report).sections[0].tables[0]
    assert ablations.rows[0][2:4] == ("–", "undecided")
    (first, *_) = csv.DictReader(io.StringIO(tidy_tables(report)["comparisons.csv"]))
    assert (first["p"], first["p_corrected"], first["verdict"]) == ("", "", "undecided")


def test_a_look_that_decides_brings_its_own_interval(report: Report) -> None:
    section = report.data_sections[0]
    row = section.studies[1].result.comparisons[0]
    analysis = InterimAnalysis(
        study="activation", network=row.network, baseline=row.baseline, data="fer2013", seeds=5, pairs=2,
        different_level=0.0123, equivalent_level=0.01, estimate=0.02, low=0.01, high=0.03, p_value=0.0041,
        verdict="better", state="decided",
    )  # fmt: skip
    result = replace(section.studies[1].result, comparisons=(replace(row, analysis=analysis),))
    ablation = replace(section.overview.ablations[1], comparison=result.comparisons[0])
    overview = replace(section.overview, ablations=(ablation,))
    changed = replace(section, overview=overview, studies=(replace(section.studies[1], result=result),))
    decided = replace(report, data_sections=(changed,))
    (ablations,) = plain_report(decided).sections[0].tables
    assert ablations.rows[0][1:4] == ("+2.0", "+1.0 to +3.0", "better")
    assert "they are the repeated ones of the interim analysis" in ablations.note
    (found,) = comparison_rows(decided)
    assert (found["p"], found["p_corrected"], found["p_allowed"]) == (0.0041, None, 0.0123)
    assert (found["top1_difference_corrected_low"], found["verdict"]) == (0.01, "better")


@pytest.mark.slow
def test_a_whole_report_is_set_by_latex(report: Report, tmp_path: Path) -> None:
    log = compile_latex(to_latex(plain_report(report)), tmp_path)
    assert "Overfull" not in log
    assert "multiply defined" not in log


def test_comparisons_for_programs_are_those_of_the_statistics(table: RunTable, report: Report, tmp_path: Path) -> None:
    texts = tidy_tables(report)
    rows = list(csv.DictReader(io.StringIO(texts["comparisons.csv"])))
    assert [(row["data"], row["network"], row["baseline"]) for row in rows] == [
        (data, network, "ires") for data in RECIPE.data for network in ("ires_no_se", "ires_relu")
    ]
    networks = gather(table, table.config.data[0]).networks
    ours, theirs = networks["ires_relu"], networks["ires"]
    shared = [seed for seed in ours.seeds if seed in theirs.seeds]
    difference = np.mean(
        [ours.correct[ours.seeds.index(s)].mean() - theirs.correct[theirs.seeds.index(s)].mean() for s in shared]
    )
    assert float(rows[1]["top1_difference"]) == pytest.approx(difference, abs=1e-6)
    assert int(rows[1]["seeds"]) == len(shared)
    assert float(rows[1]["margin"]) == report.data_sections[0].studies[1].result.margin
    low, high = (float(rows[1][f"top1_difference_new_units_{end}"]) for end in ("low", "high"))
    assert low < difference < high
    written = write_tables(gather_findings([load_run(table.folder.path)]), tmp_path)
    assert [texts[path.name] for path in written] == [path.read_text(encoding="utf-8") for path in written]
