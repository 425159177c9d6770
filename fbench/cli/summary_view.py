"""What ``fbench run`` prints at its end: one line a network, the most accurate first."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from fbench.reports.evidence import Evidence, gather
from fbench.reports.summary import NetworkSummary, by_accuracy, summarise_networks

if TYPE_CHECKING:
    from fbench.benchmark.table import RunTable
    from fbench.statistics.estimands import MeanEstimate

COLUMNS = ("network", "seeds", "top-1 (%)", "this test set", "new images", "parameters", "MACs", "latency (ms)")


def print_summary(run: RunTable) -> None:
    """Print accuracy with both 95 % intervals, and cost, for each data set that has a finished trial."""
    console = Console()
    for data in run.config.data:
        evidence = gather(run, data)
        if evidence.networks:
            console.print(_table(evidence))


def _table(evidence: Evidence) -> Table:
    kind = "synthetic faces" if evidence.data.synthetic else evidence.data.name
    table = Table(title=f"{kind}, {evidence.split_words}; 95 % intervals in %")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column == "network" else "right")
    for row in by_accuracy(summarise_networks(evidence)):
        table.add_row(*_cells(row))
    return table


def _cells(row: NetworkSummary) -> tuple[str, ...]:
    cost = row.cost
    return (
        row.network,
        str(row.seeds),
        f"{100 * row.accuracy.new_images.estimate:.2f}",
        _interval(row.accuracy.this_test_set),
        _interval(row.accuracy.new_images),
        "" if cost.total_params_keras is None else f"{cost.total_params_keras:,}",
        "" if cost.macs is None else f"{cost.macs:,}",
        "" if cost.latency_p50_ms is None else f"{cost.latency_p50_ms:.2f}",
    )


def _interval(estimate: MeanEstimate) -> str:
    """Low and high bound, or nothing where one seed says nothing about seeds."""
    if math.isnan(estimate.low):
        return "needs 2 seeds"
    return f"{100 * estimate.low:.1f} to {100 * estimate.high:.1f}"
