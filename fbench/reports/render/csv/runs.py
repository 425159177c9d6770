"""``summary.csv`` and ``trials.csv``: what a report's tables show, for other programs. Units are in the names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from fbench.benchmark.records.trial_records import PlannedTrial, SplitMeasures, TrialRecord
from fbench.core.contained import ContainedPath
from fbench.core.csv_cells import harmless
from fbench.reports.findings.comparisons.summary import NetworkSummary
from fbench.reports.findings.measures.model import Range
from fbench.reports.findings.measures.table import shown_in
from fbench.reports.findings.model import Findings

Cell = str | int | float | None

TABLE_SCHEMA: Final = 3
"""The last column of every table, raised where a heading changes its name or meaning. 2: ``validation_*`` for
``selection_*``. 3: ``new_units`` for ``new_images``, with a column ``unit`` that says what these are."""


def write_tables(findings: Findings, folder: Path | ContainedPath) -> tuple[Path, Path]:
    """Write ``summary.csv`` (a row per run, data set and network) and ``trials.csv`` (a row per planned trial).

    Qualities are fractions of 1 on the split that the row names; an empty cell was not measured. Returns the two paths.
    """
    around = folder if isinstance(folder, ContainedPath) else ContainedPath(folder)
    summary, trials = (around / name for name in ("summary.csv", "trials.csv"))
    _write(summary, summary_rows(findings))
    _write(trials, trial_rows(findings))
    return summary.path, trials.path


def summary_rows(findings: Findings) -> list[dict[str, Cell]]:
    """One row per run, data set and network with a finished trial."""
    return [
        {
            "run": section.recorded_name,
            "data": section.data.name,
            "split": section.split_words.removesuffix(" split"),
            "unit": section.unit,
            **_summary_cells(row),
        }
        for section in findings.data_sections
        for row in section.summary
    ]


def trial_rows(findings: Findings) -> list[dict[str, Cell]]:
    """One row per run and planned trial: finished, failed or ``missing``."""
    return [
        trial_cells(run.recorded_name, planned, record) for run in findings.run_trials for planned, record in run.trials
    ]


def _summary_cells(row: NetworkSummary) -> dict[str, Cell]:
    cells: dict[str, Cell] = {"network": row.network}
    for measure in shown_in("csv"):
        value = measure.compute(row)
        if isinstance(value, Range):
            cells |= {f"{measure.name}_low": _known(value.low), f"{measure.name}_high": _known(value.high)}
        else:
            cells[measure.name] = value
    return cells


def _known(value: float) -> float | None:
    """The end of an interval; none where it is not defined."""
    return None if math.isnan(value) else value


def trial_cells(run: str, planned: PlannedTrial, record: TrialRecord | None) -> dict[str, Cell]:
    """What is kept of a planned trial; none where it has not ended."""
    cells: dict[str, Cell] = {
        "run": run,
        "data": planned.data,
        "network": planned.network,
        "seed": planned.seed,
        "trial_id": planned.trial_id,
        "status": record.status if record else "missing",
        "failure_reason": record.failure_reason if record else None,
        "selected_on": record.selected_on if record else None,
        "chosen_epoch": record.chosen_epoch if record else None,
        "steps": record.steps_done if record else None,
        "images_seen": record.images_seen if record else None,
    }
    for split in ("validation", "test"):
        cells |= _measure_cells(split, getattr(record, split, None))
    times = record.times.model_dump() if record and record.times else {}
    names = ("train_time_s", "data_time_s", "step_time_s", "evaluation_time_s", "total_time_s")
    cells |= {name: times.get(name) for name in (*names, "train_time_per_epoch_s", "concurrent_trials")}
    cells |= {
        "trainable_params": record.trainable_params if record else None,
        "total_params_keras": record.total_params_keras if record else None,
        "macs": record.macs if record else None,
    }
    return cells


def _measure_cells(split: str, measures: SplitMeasures | None) -> dict[str, Cell]:
    """Every number of a split that records hold."""
    names = [name for name, field in SplitMeasures.model_fields.items() if field.annotation in (int, float)]
    units = {"loss": "loss_nats"}
    return {f"{split}_{units.get(name, name)}": getattr(measures, name, None) for name in names}


def table_text(rows: Sequence[Mapping[str, Cell]]) -> str:
    """A table for other programs as CSV, each row with the schema of its headings."""
    return csv_text([{**row, "schema": TABLE_SCHEMA} for row in rows])


def csv_text(rows: Sequence[Mapping[str, Cell]], columns: Sequence[str] = ()) -> str:
    """Rows of the same columns as CSV with a heading; without a row the heading of ``columns``, or nothing."""
    if not rows and not columns:
        return ""
    import pandas as pd  # half a second, which a report on the terminal need not wait

    cells = [{name: _text(cell) for name, cell in row.items()} for row in rows]
    frame = pd.DataFrame(cells, columns=list(columns) or None, dtype=object)
    return frame.to_csv(index=False, lineterminator="\n")


def _write(file: ContainedPath, rows: Sequence[Mapping[str, Cell]]) -> None:
    with file.replacing() as stream:
        stream.write(table_text(rows).encode())


def _text(cell: Cell) -> Cell:
    """Six digits of a measurement: enough for every comparison, and few lines change when it is repeated. Text that a
    spreadsheet would run is made harmless."""
    if isinstance(cell, str):
        return harmless(cell)
    return f"{cell:.6g}" if isinstance(cell, float) else cell
