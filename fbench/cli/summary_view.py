"""What ``fbench run`` prints at its end: one line a network, the most accurate first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from fbench.reports.comparisons.evidence import Evidence, gather
from fbench.reports.comparisons.factor_words import effect_sentences
from fbench.reports.comparisons.factors import factor_section
from fbench.reports.comparisons.headline import without_copies
from fbench.reports.comparisons.studies import study_results
from fbench.reports.comparisons.summary import NetworkSummary, by_accuracy, summarise_networks
from fbench.reports.comparisons.verdicts import verdict_sentence
from fbench.reports.left_out import Omissions

if TYPE_CHECKING:
    from fbench.benchmark.store.run_table import RunTable
    from fbench.statistics.estimands import MeanEstimate

WIDE = 100  # columns; a narrower terminal leaves cost to the report
QUALITY = ("network", "seeds", "top-1", "this test set", "new images")
COST = ("parameters", "million MACs", "latency ms")


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
            console.print(_table(summary, QUALITY + (COST if console.width >= WIDE else ())))
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


def _table(summary: Sequence[NetworkSummary], columns: tuple[str, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, justify="left" if column == "network" else "right", no_wrap=column == "network")
    for row in by_accuracy(summary):
        table.add_row(*_cells(row)[: len(columns)])
    return table


def _cells(row: NetworkSummary) -> tuple[str, ...]:
    """One cell for each column of ``QUALITY`` and ``COST``."""
    cost = row.cost
    return (
        row.network,
        str(row.seeds),
        f"{100 * row.accuracy.new_images.estimate:.2f}",
        _interval(row.accuracy.this_test_set),
        _interval(row.accuracy.new_images),
        "" if cost.total_params_keras is None else f"{cost.total_params_keras:,}",
        "" if cost.macs is None else f"{cost.macs / 1e6:.2f}",
        "" if cost.latency_p50_ms is None else f"{cost.latency_p50_ms:.2f}",
    )


def _interval(estimate: MeanEstimate) -> str:
    """Low and high bound; one seed says nothing about seeds."""
    if math.isnan(estimate.low):
        return "1 seed"
    return f"{100 * estimate.low:.1f}-{100 * estimate.high:.1f}"
