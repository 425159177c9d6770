"""The comparisons of a run over all of its data sets, as sentences and a table."""

from __future__ import annotations

import re

from fbench.reports.findings.comparisons.over_data_sets import DataSetsFindings, PooledComparison, pooled_sentence
from fbench.reports.formatting import MISSING, number, points, points_range
from fbench.reports.render.plain.model import Column, PlainSection, PlainTable


def data_sets_section(found: DataSetsFindings, *, names_run: bool) -> PlainSection:
    """What the data sets of one run say together."""
    of_run = f" of {found.run_name}" if names_run else ""
    synthetic = " (synthetic data)" if found.synthetic else ""
    table = PlainTable(
        caption=f"Differences in top-1 over {len(found.data)} data sets{of_run}{synthetic}, corrected intervals",
        label=f"over-data-sets-{re.sub('[^A-Za-z0-9]+', '-', found.run_name)}",
        columns=(
            Column("Network", kind="name"),
            *(Column(name, "points") for name in found.data),
            Column("On these", "points", kind="range"),
            Column("Verdict", kind="text"),
            Column("In general", "points", kind="range"),
            Column("Verdict in general", kind="text"),
            Column("Between data sets", "points"),
            Column("Next data set", "points", kind="range"),
        ),
        rows=tuple(_cells(row, found.data) for row in found.rows),
        note=found.statement,
        group_heading="Against",
        groups=tuple(row.baseline for row in found.rows),
    )
    return PlainSection(
        heading=f"Over all data sets{of_run}",
        paragraphs=tuple(f"{sentence}." for sentence in (*map(pooled_sentence, found.rows), *found.left_out)),
        cautions=(),
        tables=(table,),
    )


def _cells(row: PooledComparison, data: tuple[str, ...]) -> tuple[str, ...]:
    return (
        row.network,
        *(points(row.by_data[name].estimate) if name in row.by_data else MISSING for name in data),
        points_range(*row.these_interval),
        row.on_these.verdict,
        points_range(*row.new_interval),
        row.on_new.verdict,
        number(100 * row.pooled.between_sd),
        points_range(*row.pooled.prediction),
    )
