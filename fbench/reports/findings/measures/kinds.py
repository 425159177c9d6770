"""The usual kinds of measures: a quality of each trial, and a count of the network itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fbench.reports.findings.comparisons.evidence import NetworkEvidence
from fbench.reports.findings.comparisons.summary import NetworkSummary
from fbench.reports.findings.costs.cost import NetworkCost
from fbench.reports.findings.gate.metrics import Better, GateMetric
from fbench.reports.findings.gate.read_changes import count_of, quality_of
from fbench.reports.findings.measures.model import Measure
from fbench.reports.formatting import percent

PerSeed = Callable[[NetworkEvidence], Sequence[float]]


def quality(name: str, heading: str, better: Better, per_seed: PerSeed) -> Measure:
    """A quality of single trials, a fraction of 1 for each seed: its mean stands in every place, and a gate can hold
    it."""
    return Measure(
        name,
        "%",
        heading,
        better,
        mean_of(per_seed),
        write=percent,
        metrics=(GateMetric(name, heading.lower(), quality_of(per_seed), "trials", better, "pt"),),
    )


def counted(name: str, heading: str, compute: Callable[[NetworkCost], int | None]) -> Measure:
    """A count of the network itself, in records under this name: it stands in every place, and a gate can hold it."""
    return Measure(
        name,
        "",
        heading,
        "less",
        lambda row: compute(row.cost),
        about="cost",
        metrics=(GateMetric(name, heading.lower(), count_of(name), "counts"),),
    )


def mean_of(per_seed: PerSeed) -> Callable[[NetworkSummary], float]:
    """The mean over seeds."""
    return lambda row: float(np.mean(per_seed(row.trials)))
