"""What a run holds as tidy pandas frames: a row for each thing, a column for each quantity, its unit in the name.

The columns of trials, networks, comparisons and claims are those of the CSV files of a report, with all digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from fbench.benchmark.data.dataset import SplitName
from fbench.benchmark.records.cost_records import TimingSeries
from fbench.benchmark.records.trial_records import HistoryRow, PlannedTrial, TrialRecord
from fbench.benchmark.store.run_table import RunTable
from fbench.core.errors import UserError
from fbench.reports.findings.model import Findings
from fbench.reports.render.csv.runs import Cell, summary_rows, trial_cells
from fbench.reports.render.csv.tables import claim_rows, comparison_rows

_PLACE = ["data", "network", "seed"]


def trials_frame(run: RunTable) -> pd.DataFrame:
    """One row per planned trial, finished, failed or ``missing``; qualities are fractions of 1."""
    return _frame([trial_cells(run.config.name, row, run.trials.get(row.trial_id)) for row in run.plan])


def history_frame(run: RunTable) -> pd.DataFrame:
    """One row per finished trial and evaluation point, as :class:`HistoryRow` has it."""
    rows = [
        {**_place(planned), **point.model_dump()} for planned, record in _finished(run) for point in run.history(record)
    ]
    return pd.DataFrame(rows, columns=[*_PLACE, *HistoryRow.model_fields])


def predictions_frame(run: RunTable, split: SplitName | None = None) -> pd.DataFrame:
    """One row per finished trial and image of a split, by default the one that headlines rest on.

    ``image`` is its place in the split, ``label`` and ``predicted`` are names of classes, ``correct`` whether they are
    the same; ``cluster`` numbers the images that belong together, such as those of a subject, where that is known.

    Raises:
        UserError: a split that no trial read.
    """
    split = split or run.headline_split
    names = {data.name: np.array(data.class_names) for data in run.config.data}
    parts = []
    for planned, record in _finished(run):
        kept = run.classes(record)
        if split not in kept:
            raise UserError(
                f"No trial of {run.folder.path} has predictions of the split {split}; give {_either(kept)}."
            )
        found, classes = kept[split], names[planned.data]
        parts.append(
            pd.DataFrame(
                {
                    **_place(planned),
                    "image": np.arange(len(found.labels)),
                    "label": pd.Categorical.from_codes(found.labels.astype(int).tolist(), classes.tolist()),
                    "predicted": pd.Categorical.from_codes(found.predicted.astype(int).tolist(), classes.tolist()),
                    "correct": found.correct,
                    "cluster": found.clusters.numbers if found.clusters else pd.NA,
                }
            )
        )
    columns = [*_PLACE, "image", "label", "predicted", "correct", "cluster"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def costs_frame(run: RunTable) -> pd.DataFrame:
    """One row per timed call of every measurement of cost, in time order; the reference load is a network of its own
    name."""
    parts = [
        pd.DataFrame({"measured_at": cost.finished_at, **_calls(series)})
        for cost in run.costs
        for series in cost.series
    ]
    columns = ["measured_at", "network", "instance", "mode", "backend", "batch_size", "threads"]
    columns += ["block", "turn", "order", "time_s"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def summary_frame(findings: Findings) -> pd.DataFrame:
    """One row per data set and network with a finished trial: quality with both 95 % intervals, and cost."""
    return _frame(summary_rows(findings))


def comparisons_frame(findings: Findings) -> pd.DataFrame:
    """One row per comparison of each study, with intervals, p-values and verdict; differences are fractions of 1."""
    return _frame(comparison_rows(findings))


def claims_frame(findings: Findings) -> pd.DataFrame:
    """One row per claim of the papers that the run bears on."""
    return _frame(claim_rows(findings))


def _frame(rows: Sequence[Mapping[str, Cell]]) -> pd.DataFrame:
    return pd.DataFrame(list(rows))


def _finished(run: RunTable) -> list[tuple[PlannedTrial, TrialRecord]]:
    pairs = [(row, run.trials[row.trial_id]) for row in run.plan if row.trial_id in run.trials]
    return [(row, record) for row, record in pairs if record.status == "finished"]


def _place(planned: PlannedTrial) -> dict[str, str | int]:
    return {"data": planned.data, "network": planned.network, "seed": planned.seed}


def _calls(series: TimingSeries) -> dict[str, object]:
    return {
        "network": series.network,
        "instance": series.instance,
        "mode": series.setting.mode,
        "backend": series.setting.backend,
        "batch_size": series.batch_size,
        "threads": series.threads,
        "block": series.blocks,
        "turn": series.turns,
        "order": series.orders,
        "time_s": series.times_s,
    }


def _either(splits: Mapping[SplitName, object]) -> str:
    return " or ".join(splits)
