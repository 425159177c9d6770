"""What ``fbench run`` prints at its end: one line a network, the most accurate first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from fbench.benchmark.records.specs import DataUnit
from fbench.reports.findings.comparisons.evidence import Evidence, gather
from fbench.reports.findings.comparisons.factor_words import effect_sentences
from fbench.reports.findings.comparisons.factors import factor_section
from fbench.reports.findings.comparisons.headline import without_copies
from fbench.reports.findings.comparisons.studies import study_results
from fbench.reports.findings.comparisons.summary import NetworkSummary, by_accuracy, summarise_networks
from fbench.reports.findings.comparisons.units import heading_of
from fbench.reports.findings.comparisons.verdicts import verdict_sentence
from fbench.reports.findings.measures.table import shown_in
from fbench.reports.left_out import Omissions

if TYPE_CHECKING:
    from fbench.benchmark.store.run_table import RunTable

WIDE = 100  # columns; a narrower terminal leaves cost to the report


def print_summary(run: RunTable) -> None:
    """Print accuracy with both 95 % intervals, and cost, for each data set that has a finished trial."""
    console = Console()
    for data in run.config.data:
        omissions = Omissions(run.folder.path)
        evidence = gather(run, data, omissions)
        for one in omissions.found:
            console.print(one.sentence, highlight=False, markup=False, soft_wrap=True, style="yellow")
        if evidence.networks:
            kind = "synthetic faces" if data.synthetic else data.name
            marked = ", selected on the test set" if run.config.protocol.selection == "test" else ""
            title = f"\n{kind}, {evidence.split_words}{marked}: top-1 and 95 % intervals in %"
            console.print(title, highlight=False)
            summary = summarise_networks(evidence)
            console.print(_table(summary, evidence.unit, with_cost=console.width >= WIDE))
            if sentence := without_copies(evidence, summary):
                console.print(sentence, highlight=False)
            _print_verdicts(console, evidence)


def _print_verdicts(console: Console, evidence: Evidence) -> None:
    """A line for each comparison that could be tested, or of which too few images or no learning is all that can be
    said, and for each effect of crossed factors, below the title of its study."""
    for result in study_results(evidence):
        tested = any(row.is_tested for row in result.comparisons)
        told = [row for row in result.comparisons if row.is_tested or row.few_images or row.neither_learned]
        if told:
            console.print(f"\n{result.study.title}", highlight=False, markup=False, style="bold")
        for row in told:
            console.print(f"- {verdict_sentence(row, result)}.", highlight=False, markup=False)
        section = factor_section(evidence, result.study, result.correction) if tested else None
        for sentence in effect_sentences(section.analysis) if section and section.analysis else ():
            console.print(f"- {sentence}.", highlight=False, markup=False)


def _table(summary: Sequence[NetworkSummary], unit: DataUnit, *, with_cost: bool) -> Table:
    measures = [one for one in shown_in("terminal") if with_cost or one.about != "cost"]
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("network", no_wrap=True)
    for one in measures:
        table.add_column(heading_of(one.form("terminal").title, unit), justify="right")
    for row in by_accuracy(summary):
        table.add_row(row.network, *(one.text(row, "terminal") for one in measures))
    return table
