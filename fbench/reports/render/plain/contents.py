"""From what a page shows to sentences and tables: the same numbers, rounded by the same functions."""

from __future__ import annotations

from collections.abc import Sequence

from fbench.reports.findings.claims.judge import JudgedPaper
from fbench.reports.findings.claims.section import ClaimsSection
from fbench.reports.findings.comparisons.budget import with_budget
from fbench.reports.findings.comparisons.comparison import Comparison
from fbench.reports.findings.comparisons.families import CORRECTION_WORDS
from fbench.reports.findings.comparisons.studies import StudyResult
from fbench.reports.findings.comparisons.units import heading_of
from fbench.reports.findings.costs.mac_words import missing_macs
from fbench.reports.findings.imported import IMPORTED_TITLE, IMPORTED_WORDS, ImportedRow
from fbench.reports.findings.measures.model import is_missing
from fbench.reports.findings.measures.table import shown_in
from fbench.reports.findings.model import DataFindings, Findings
from fbench.reports.findings.origin.tuning import Choice, TuningFindings
from fbench.reports.formatting import (
    count,
    margin,
    number,
    p_value,
    percent,
    plural,
    points,
    points_range,
    significant,
)
from fbench.reports.render.plain.model import Column, PlainReport, PlainSection, PlainTable

_CLAIM_COLUMNS = (Column("The paper says", kind="prose"), Column("Verdict", kind="text"), Column("Why", kind="prose"))


def plain_report(report: Findings) -> PlainReport:
    """The sentences and tables of a report: for each data set of each run, then the papers' claims."""
    sections = [_data_section(section) for section in report.data_sections]
    if report.claims is not None:
        sections.append(_claims_section(report.claims))
    if report.imported:
        sections.append(_imported_section(report.imported))
    return PlainReport(report.title, tuple(sections))


def _data_section(section: DataFindings) -> PlainSection:
    results = [item.result for item in section.studies]
    tables = [_summary_table(section)] if section.summary else []
    tables += [
        _study_table(result, section, f"{section.key}-study{index}")
        for index, result in enumerate(results, start=1)
        if result.comparisons
    ]
    if section.tuning is not None:
        tables.append(_settings_table(section.tuning, section))
    waiting = [f"{one.study.title}: {_absent(one)}" for one in results if one.absent and not one.comparisons]
    return PlainSection(
        heading=f"{section.data.name} in {section.run_name}",
        paragraphs=(
            *(f"{one.topic}: {one.text}" for one in section.answer),
            *waiting,
            *(one.sentence for one in section.left_out),
        ),
        cautions=section.cautions,
        tables=tuple(tables),
    )


def _summary_table(section: DataFindings) -> PlainTable:
    measures = [
        one
        for one in shown_in("table")
        if not one.if_measured or not all(is_missing(one.compute(row)) for row in section.summary)
    ]
    forms = [one.form("table") for one in measures]
    return PlainTable(
        caption=f"Top-1 on the {section.split_words} of {section.data.name}{_synthetic(section)}, means over seeds"
        f"{section.given}, and cost",
        label=f"{section.key}-summary",
        columns=(
            Column("Network", kind="text"),
            *(Column(heading_of(form.heading, section.unit), form.unit) for form in forms),
        ),
        rows=tuple((row.network, *(one.text(row, "table") for one in measures)) for row in section.summary),
        note=_cost_note(section),
    )


def _cost_note(section: DataFindings) -> str:
    """For which images cost holds, where that is another data set's; and what its times are."""
    notes = [text for row in section.summary if (text := missing_macs(row.network, row.cost.not_counted))]
    if section.cost_data != section.data.name:
        notes.append(f"Cost is for the image size and classes of {section.cost_data}.")
    if any(row.cost.latency_p50_ms is not None for row in section.summary):
        notes.append("Latency is the median of a batch of 1.")
    if any(row.train_time_s is not None for row in section.summary):
        most = max((row.concurrent_trials or 1 for row in section.summary), default=1)
        shared = f": up to {most} trials shared the machine" if most > 1 else ""
        notes.append(f"Training time is that of a trial and informative only{shared}.")
    return " ".join(notes)


def _study_table(result: StudyResult, section: DataFindings, label: str) -> PlainTable:
    family = result.family
    corrected = (
        f"; corrected after {CORRECTION_WORDS[family.correction]} over {plural(family.size, 'comparison')}"
        if family.is_corrected
        else ""
    )
    return PlainTable(
        caption=f"{result.study.title}: top-1 on {section.data.name}{_synthetic(section)} minus that of "
        f"{with_budget(result.study.baseline, section.budget)}, in percentage points; the margin that matters is "
        f"{margin(result.margin)}{corrected}{section.given}",
        label=label,
        columns=(
            Column("Network", kind="text"),
            Column("Difference", "points"),
            Column(heading_of("New images", section.unit), "95 % interval"),
            Column("Corrected interval"),
            Column("p"),
            Column("p", "corrected"),
            Column("Verdict", kind="text"),
        ),
        rows=tuple(_comparison_row(row) for row in result.comparisons),
        note=_absent(result),
    )


def _settings_table(tuning: TuningFindings, section: DataFindings) -> PlainTable:
    return PlainTable(
        caption=f"Settings that a search on the validation split of {section.data.name}{_synthetic(section)} chose for "
        "each network, and what it cost",
        label=f"{section.key}-settings",
        columns=(
            Column("Network", kind="text"),
            Column("Chosen", kind="prose"),
            Column("Best beside the default", "points ahead ± one standard error", kind="prose"),
            Column("Image passes"),
            Column("In trials"),
        ),
        rows=tuple(
            (
                row.network,
                "; ".join(_choice(one, row.searches) for one in row.choices),
                row.lead or "–",
                count(row.image_passes),
                number(row.trials_worth),
            )
            for row in tuning.networks
        ),
        note=tuning.summary,
    )


def _choice(one: Choice, searches: int) -> str:
    share = f" ({one.searches} of {searches})" if searches > 1 else ""
    return f"{one.rate:g} × the rate, {one.strength}{share}"


def _comparison_row(row: Comparison) -> tuple[str, ...]:
    return (
        row.network,
        points(row.difference.new_images.estimate),
        points_range(*row.plain_interval),
        points_range(*row.interval) if row.is_tested else "–",
        p_value(row.difference.new_images.p_value if row.is_tested else None),
        _corrected_p(row),
        row.verdict,
    )


def _corrected_p(row: Comparison) -> str:
    """Where an interim analysis decides, its own p and what it had to reach."""
    if row.analysis is not None and row.analysis.low is not None:
        return f"{p_value(row.analysis.p_value)} (≤ {significant(row.analysis.different_level, 2)} allowed)"
    return p_value(row.decision.p_adjusted)


def _absent(result: StudyResult) -> str:
    if not result.absent:
        return ""
    return (
        f"No comparison yet, as no training has finished of it or of {result.study.baseline}: "
        f"{', '.join(result.absent)}."
    )


def _claims_section(claims: ClaimsSection) -> PlainSection:
    if claims.refusal:
        return PlainSection("Claims", (), (f"The papers’ claims are not judged: {claims.refusal}",), ())
    tables = [_claims_table(paper, f"claims{index}") for index, paper in enumerate(claims.papers, start=1)]
    rests = (f"The verdicts rest on: {'; '.join(claims.remarks)}.",) if claims.remarks else ()
    return PlainSection("Claims", (claims.summary, *rests), (), tuple(tables))


def _claims_table(paper: JudgedPaper, label: str) -> PlainTable:
    return PlainTable(
        caption=f"Claims of {paper.paper}",
        label=label,
        columns=_CLAIM_COLUMNS,
        rows=tuple(
            (f"{one.claim.sentence} ({one.claim.section})", one.verdict_words, one.line) for one in paper.claims
        ),
    )


def _imported_section(rows: Sequence[ImportedRow]) -> PlainSection:
    table = PlainTable(
        caption="Top-1 of networks that were imported, not trained here, minus that of a run's, in percentage points, "
        "each with a 95 % interval of its own",
        label="imported",
        columns=(
            Column("Network", kind="text"),
            Column("Data", kind="text"),
            Column("Top-1", "%"),
            Column("Against", kind="text"),
            Column("Difference", "points"),
            Column("95 % interval"),
            Column("Rests on", kind="prose"),
        ),
        rows=tuple(
            (
                row.network,
                f"{row.data}, {row.split_words}",
                percent(row.top1),
                f"{row.against} of {row.run_name}",
                points(row.estimate),
                points_range(*row.interval),
                row.rests_on,
            )
            for row in rows
        ),
    )
    return PlainSection(IMPORTED_TITLE, (IMPORTED_WORDS,), (), (table,))


def _synthetic(section: DataFindings) -> str:
    return " (synthetic data)" if section.data.synthetic else ""
