"""The parts of a page that are about time: each a figure with what its tables and sentences need, or none."""

from __future__ import annotations

from collections.abc import Mapping

from fbench.benchmark.store.run_table import RunTable
from fbench.reports.figures.batch import latency_by_batch
from fbench.reports.figures.drawing import illustrate
from fbench.reports.figures.roofline import cache_words, roofline_chart
from fbench.reports.figures.training_time import training_time_chart
from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.findings.costs.batches import batch_result
from fbench.reports.findings.costs.rooflines import roofline_result
from fbench.reports.findings.costs.training_words import fastest_sentence, fastest_training
from fbench.reports.findings.tradeoffs.cost_axes import common_measurement
from fbench.reports.findings.tradeoffs.training_time import exclusive_steps, training_time_result
from fbench.reports.formatting import plural
from fbench.reports.palette import Style
from fbench.reports.render.html.amounts import seeds_words
from fbench.reports.render.html.document import BatchSection, RooflineSection, TrainingTimeSection
from fbench.reports.render.html.drawn import ALL_UP_TO

Styles = Mapping[str, Style]


def batch_section(run: RunTable, styles: Styles, key: str) -> BatchSection | None:
    """The part on batch sizes; none where no network was called in two."""
    result = batch_result(run)
    if result is None:
        return None
    first = [name for study in run.config.suite.studies for name in (study.baseline, *study.levels)]
    title = "Inference by batch size: time of a call in ms, and images per second"
    return BatchSection(result, illustrate(f"{key}-batches", title, latency_by_batch, result.curves, styles, first))


def roofline_section(run: RunTable, styles: Styles, key: str) -> RooflineSection | None:
    """The part on the machine's roofline; none where no roofline or no floor was measured."""
    result = roofline_result(run)
    if result is None:
        return None
    calls, cache = plural(len(result.points), "call"), cache_words(result.roofline)
    title = f"Inference below the machine’s roofline, GFLOP/s; {calls}; dashed: {cache}"
    figure = illustrate(f"{key}-roofline", title, roofline_chart, result.roofline, result.points, styles)
    return RooflineSection(result, figure)


def training_time_section(evidence: Evidence, styles: Styles, key: str) -> TrainingTimeSection | None:
    """The part on training time; none where no trial recorded its time."""
    result = training_time_result(evidence)
    if result is None:
        return None
    fastest_rows = sorted(result.rows, key=lambda row: row.trial_s.estimate)[:ALL_UP_TO]
    rows = tuple(row for row in result.rows if row in fastest_rows)
    which = f" of the {len(rows)} fastest of {len(result.rows)}" if len(rows) < len(result.rows) else ""
    steps = exclusive_steps(common_measurement(evidence), [row.network for row in result.rows])
    fastest = fastest_training(steps)
    return TrainingTimeSection(
        result=result,
        sentence=fastest_sentence(fastest, result.baseline) if fastest else "",
        figure=illustrate(
            f"{key}-training-time",
            f"Training time of a trial{which}, s; {seeds_words(row.seeds for row in rows)}",
            training_time_chart,
            rows,
            styles,
        ),
    )
