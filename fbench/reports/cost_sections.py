"""The parts of a report about time: training, batches, the roofline; each with its figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fbench.reports.batches import batch_curves
from fbench.reports.document import (
    BatchSection,
    RooflineSection,
    TrainingTimeSection,
)
from fbench.reports.evidence import Evidence
from fbench.reports.figures.batches import latency_by_batch, throughput_by_batch
from fbench.reports.figures.drawing import Illustration
from fbench.reports.figures.roofline import roofline_chart
from fbench.reports.figures.training_time import training_time_chart
from fbench.reports.palette import Appearance
from fbench.reports.roofs import roofline
from fbench.reports.studies import StudyResult
from fbench.reports.training_time import training_times

MOST_BATCH_CURVES: Final = 16
"""Networks in the figures by batch size, which have a line for each."""


def training_time_section(
    evidence: Evidence, studies: Sequence[StudyResult], looks: dict[str, Appearance], key: str
) -> TrainingTimeSection | None:
    """How long networks train; none where no trial recorded it."""
    baseline = studies[0].study.baseline if studies else next(iter(evidence.networks), "")
    times = training_times(evidence, baseline)
    if times is None:
        return None
    chart = training_time_chart(times.rows, looks)
    return TrainingTimeSection(times, Illustration(f"{key}-training-time", "Training time of a trial", chart))


def batch_section(evidence: Evidence, looks: dict[str, Appearance], key: str) -> BatchSection | None:
    """Latency and throughput by batch size; none where fewer than two sizes are known."""
    curves = batch_curves(evidence)
    shown = curves[:MOST_BATCH_CURVES]
    if not shown:
        return None
    return BatchSection(
        curves=curves,
        latency=Illustration(f"{key}-latency-by-batch", "Time of a call by batch size", latency_by_batch(shown, looks)),
        throughput=Illustration(
            f"{key}-throughput-by-batch", "Images a second by batch size", throughput_by_batch(shown, looks)
        ),
        left_out=len(curves) - len(shown),
    )


def roofline_section(evidence: Evidence, looks: dict[str, Appearance], key: str) -> RooflineSection | None:
    """The roofline; none where no roof was measured."""
    found = roofline(evidence)
    if found is None:
        return None
    return RooflineSection(found, Illustration(f"{key}-roofline", "Roofline", roofline_chart(found, looks)))
