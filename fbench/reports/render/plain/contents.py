"""From what a page shows to sentences and tables: the same numbers, rounded by the same functions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from fbench.ablations.claim import Claim
from fbench.reports.findings.claims.judge import JudgedPaper
from fbench.reports.findings.claims.section import ClaimsSection
from fbench.reports.findings.comparisons.studies import StudyResult
from fbench.reports.findings.comparisons.units import heading_of
from fbench.reports.findings.costs.mac_words import missing_macs
from fbench.reports.findings.imported import IMPORTED_TITLE, IMPORTED_WORDS, ImportedRow
from fbench.reports.findings.measures.model import Range, is_missing
from fbench.reports.findings.measures.table import shown_in
from fbench.reports.findings.model import DataFindings, Findings
from fbench.reports.findings.origin.tuning import Choice, TuningFindings
from fbench.reports.formatting import (
    count,
    number,
    percent,
    points,
    points_range,
)
from fbench.reports.render.plain.ablations import ablation_table
from fbench.reports.render.plain.data_sets import data_sets_section
from fbench.reports.render.plain.model import Column, PlainReport, PlainSection, PlainTable

_DECIDED = ("supported", "contradicted")
_CLAIM_COLUMNS = (Column("The paper says", kind="prose"), Column("Verdict", kind="text"), Column("Why", kind="prose"))


def plain_report(report: Findings) -> PlainReport:
    """The sentences and tables of a report: for each data set of each run, then the papers' claims."""
    runs = {section.run_name for section in report.data_sections}
    sections = [_data_section(section, names_run=len(runs) > 1) for section in report.data_sections]
    sections += [data_sets_section(found, names_run=len(runs) > 1) for found in report.over_data_sets.values()]
    if report.claims is not None:
        sections.append(_claims_section(report.claims))
    if report.imported:
        sections.append(_imported_section(report.imported))
    return PlainReport(report.title, tuple(sections))


def _data_section(section: DataFindings, *, names_run: bool) -> PlainSection:
    """The recommendation and what limits it, then every ablation; in a run of none the summary stands in its place."""
    found = section.overview
    synthetic = _synthetic(section)
    ablations = [ablation_table(section, synthetic)] if found.ablations else []
    others = [_summary_table(section)] if section.summary else []
    if section.tuning is not None:
        others.append(_settings_table(section.tuning, section))
    shown = 0 if ablations else 1
    waiting = [f"{one.result.study.title}: {_absent(one.result)}" for one in section.studies if one.result.absent]
    return PlainSection(
        heading=f"{section.data.name} in {section.run_name}" if names_run else section.data.name,
        paragraphs=tuple(text for text in (found.recommendation.sentence, found.recommendation.reason) if text),
        cautions=(
            *section.cautions,
            *(f"{line.topic}: {line.text}" for line in found.trust if line.is_warning),
            *(one.sentence for one in section.left_out),
        ),
        tables=(*ablations, *others[:shown]),
        words=(
            *(f"{one.topic}: {one.text}" for one in section.answer),
            *waiting,
        ),
        folded=tuple(others[shown:]),
    )


def _summary_table(section: DataFindings) -> PlainTable:
    measures = [
        one
        for one in shown_in("table")
        if not one.if_measured or not all(is_missing(one.compute(row)) for row in section.summary)
    ]
    forms = [one.form("table") for one in measures]
    ranges = [any(isinstance(one.compute(row), Range) for row in section.summary) for one in measures]
    return PlainTable(
        caption=f"Top-1 on the {section.split_words} of {section.data.name}{_synthetic(section)}, means over seeds"
        f"{section.given}, and cost",
        label=f"{section.key}-summary",
        columns=(
            Column("Network", kind="name"),
            *(
                Column(heading_of(form.heading, section.unit), form.unit, "range" if is_range else "number")
                for form, is_range in zip(forms, ranges, strict=True)
            ),
        ),
        rows=tuple((row.network, *(one.text(row, "table") for one in measures)) for row in section.summary),
        note=_cost_note(section),
        title="Summary of the networks",
    )


def _cost_note(section: DataFindings) -> str:
    """For which images cost holds, where that is another data set's; and what its times are."""
    notes = [text for row in section.summary if (text := missing_macs(row.network, row.cost.not_counted))]
    if section.timed_for:
        notes.append(f"Times were measured for the image size and classes of {section.timed_for} alone.")
    if any(row.cost.latency_p50_ms is not None for row in section.summary):
        notes.append("Latency is the median of a batch of 1.")
    notes += section.times_apart.sentences
    if any(row.train_time_s is not None for row in section.summary):
        most = max((row.concurrent_trials or 1 for row in section.summary), default=1)
        shared = f": up to {most} trials shared the machine" if most > 1 else ""
        notes.append(f"Training time is that of a trial and informative only{shared}.")
    return " ".join(notes)


def _settings_table(tuning: TuningFindings, section: DataFindings) -> PlainTable:
    return PlainTable(
        caption=f"Settings that a search on the validation split of {section.data.name}{_synthetic(section)} chose for "
        "each network, and what it cost",
        label=f"{section.key}-settings",
        columns=(
            Column("Network", kind="name"),
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
        title="Settings",
    )


def _choice(one: Choice, searches: int) -> str:
    share = f" ({one.searches} of {searches})" if searches > 1 else ""
    return f"{one.rate:g} × the rate, {one.strength}{share}"


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
    rests = (f"The verdicts rest on: {'; '.join(claims.remarks)}.",) if claims.remarks else ()
    decided, still_open = _claims_tables(claims.papers, "decided"), _claims_tables(claims.papers, "open")
    return PlainSection("Claims", (claims.summary,), (), (), rests, folded=decided, foldable=still_open)


def _claims_tables(papers: Sequence[JudgedPaper], which: Literal["decided", "open"]) -> tuple[PlainTable, ...]:
    """A table for each paper that has such claims."""
    return tuple(
        PlainTable(
            caption=f"Claims of {paper.paper}, {which}",
            label=f"claims{index}-{which}",
            columns=_CLAIM_COLUMNS,
            rows=tuple((_claim_words(one.claim, paper), one.verdict_words, one.line) for one in found),
        )
        for index, paper in enumerate(papers, start=1)
        if (found := [one for one in paper.claims if (one.verdict in _DECIDED) == (which == "decided")])
    )


def _claim_words(claim: Claim, paper: JudgedPaper) -> str:
    """The sentence and its place; where two claims share a sentence, also how each reads it, such as by which split."""
    is_alone = sum(one.claim.sentence == claim.sentence for one in paper.claims) == 1
    reading = claim.note.partition(":")[0]
    place = claim.section if is_alone or not reading else f"{claim.section}; {reading[:1].lower()}{reading[1:]}"
    return f"{claim.sentence} ({place})"


def _imported_section(rows: Sequence[ImportedRow]) -> PlainSection:
    table = PlainTable(
        caption="Top-1 of networks that were imported, not trained here, minus that of a run's, in percentage points, "
        "each with a 95 % interval of its own",
        label="imported",
        columns=(
            Column("Network", kind="name"),
            Column("Data", kind="text"),
            Column("Top-1", "%"),
            Column("Against", kind="text"),
            Column("Difference", "points"),
            Column("95 % interval", kind="range"),
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
    return PlainSection(IMPORTED_TITLE, (IMPORTED_WORDS,), (), (), folded=(table,))


def _synthetic(section: DataFindings) -> str:
    return " (synthetic data)" if section.data.synthetic else ""
