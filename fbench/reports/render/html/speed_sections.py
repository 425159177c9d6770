"""The parts of a page that are about time: each a figure with what its tables and sentences need, or none."""

from __future__ import annotations

from collections.abc import Mapping

from fbench.benchmark.store.run_table import RunTable
from fbench.reports.figures.batch import latency_by_batch
from fbench.reports.figures.drawing import illustrate
from fbench.reports.figures.roofline import roofline_chart
from fbench.reports.figures.training_time import training_time_chart
from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.findings.costs.batches import batch_result
from fbench.reports.findings.costs.roofs import roofline_result
from fbench.reports.findings.costs.training_words import fastest_sentence, fastest_training
from fbench.reports.findings.tradeoffs.cost_axes import common_measurement
from fbench.reports.findings.tradeoffs.training_time import exclusive_steps, training_time_result
from fbench.reports.palette import Appearance
from fbench.reports.render.html.document import BatchSection, RooflineSection, TrainingTimeSection

Looks = Mapping[str, Appearance]


def batch_section(run: RunTable, looks: Looks, key: str) -> BatchSection | None:
    """The part on batch sizes; none where no network was called in two."""
    result = batch_result(run)
    if result is None:
        return None
    title = "Inference by batch size"
    return BatchSection(result, illustrate(f"{key}-batches", title, latency_by_batch, result.curves, looks))


def roofline_section(run: RunTable, looks: Looks, key: str) -> RooflineSection | None:
    """The part on the machine's roof; none where no roof or no floor was measured."""
    result = roofline_result(run)
    if result is None:
        return None
    title = "Inference below the machine’s roof"
    figure = illustrate(f"{key}-roofline", title, roofline_chart, result.roof, result.points, looks)
    return RooflineSection(result, figure)


def training_time_section(evidence: Evidence, looks: Looks, key: str) -> TrainingTimeSection | None:
    """The part on training time; none where no trial recorded its time."""
    result = training_time_result(evidence)
    if result is None:
        return None
    steps = exclusive_steps(common_measurement(evidence), [row.network for row in result.rows])
    fastest = fastest_training(steps)
    return TrainingTimeSection(
        result=result,
        sentence=fastest_sentence(fastest, result.baseline) if fastest else "",
        figure=illustrate(
            f"{key}-training-time", "Training time of a trial, s", training_time_chart, result.rows, looks
        ),
    )
