"""Results of trainings that fbench did not make, and how far their accuracies are from those of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import nan
from statistics import fmean
from typing import Final

from fbench.benchmark.records.imported import ImportedResults
from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.findings.comparisons.usable import SPLIT_WORDS
from fbench.reports.findings.gate.change import MeasuredChange, Unknown
from fbench.reports.findings.gate.family import ERROR
from fbench.reports.findings.gate.imported_changes import imported_accuracy
from fbench.reports.findings.gate.subjects import ComparedPair, Side

IMPORTED_TITLE: Final = "Imported results"
IMPORTED_WORDS: Final = (
    "These networks were trained by other programs, and how is not known here: a difference may be one of training. "
    "No verdict is given, and the intervals are corrected for nothing."
)


@dataclass(frozen=True)
class ImportedRow:
    """An imported network held against one of a run.

    ``top1`` is the mean accuracy of its ``trainings``, a fraction of 1 on the split that ``split_words`` name.
    ``change`` is that minus the accuracy of ``against``, with a 95 % interval of its own and what it rests on, or why
    there is none.
    """

    source: str
    network: str
    data: str
    split_words: str
    trainings: int
    top1: float
    run_name: str
    against: str
    change: MeasuredChange | Unknown

    @property
    def estimate(self) -> float | None:
        """The difference, or none."""
        return None if isinstance(self.change, Unknown) else self.change.estimate

    @property
    def interval(self) -> tuple[float, float]:
        """Of the difference; not a number where there is none."""
        return (nan, nan) if isinstance(self.change, Unknown) else (self.change.low, self.change.high)

    @property
    def rests_on(self) -> str:
        """What the difference rests on, or why there is none."""
        return f"not compared: {self.change.why}" if isinstance(self.change, Unknown) else self.change.how


def imported_rows(
    imported: Sequence[ImportedResults],
    runs: Sequence[tuple[str, RunTable, Sequence[Evidence]]],
) -> list[ImportedRow]:
    """Every imported network held against the one of its name in each run, or the baselines of the run's studies.

    A run comes as its name in the report, its records and what each of its data sets says.
    """
    return [
        row
        for results in imported
        for network in results.networks
        for name, run, evidences in runs
        for row in _rows(results, network, name, Side(name, None, run, (), tuple(evidences)))
    ]


def _rows(results: ImportedResults, network: str, run_name: str, base: Side) -> Iterator[ImportedRow]:
    if base.run is None:
        return
    new = Side(results.source, None, None, (), imported=results)
    baselines = dict.fromkeys(study.baseline for study in base.run.config.suite.studies)
    for against in (network,) if network in base.networks else baselines:
        pair = ComparedPair(base, new, against, network, ("the run", "the import"))
        ((data, change),) = imported_accuracy(pair, 1 - ERROR)
        yield ImportedRow(
            source=results.source,
            network=network,
            data=data,
            split_words=SPLIT_WORDS[results.data.split],
            trainings=len(results.networks[network]),
            top1=fmean(one.top1 for one in results.networks[network]),
            run_name=run_name,
            against=against,
            change=change,
        )
