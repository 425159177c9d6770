"""Every ablation of a run on one scale: each pair of networks that a study compares, once, with each of its seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fbench.reports.findings.comparisons.comparison import Comparison
from fbench.reports.findings.comparisons.evidence import Evidence, NetworkEvidence
from fbench.reports.findings.comparisons.families import CorrectedFamily
from fbench.reports.findings.comparisons.studies import StudyResult


@dataclass(frozen=True)
class Ablation:
    """A comparison as the first study that has it says, with the margin that matters there and the family that it is
    corrected in, and the differences of its pairs of seeds on this test set; all in fractions of 1, and no differences
    where seeds are not pairs."""

    comparison: Comparison
    study: str
    margin: float
    family: CorrectedFamily
    by_seed: tuple[float, ...]


def ablations(evidence: Evidence, results: Sequence[StudyResult]) -> tuple[Ablation, ...]:
    """All comparisons: baselines in the order of the studies, and of each the largest difference upwards first."""
    found: dict[tuple[str, str], Ablation] = {}
    for one in _each(evidence, results):
        found.setdefault((one.comparison.network, one.comparison.baseline), one)
    baselines = list(dict.fromkeys(baseline for _, baseline in found))
    return tuple(
        sorted(found.values(), key=lambda row: (baselines.index(row.comparison.baseline), -row.comparison.estimate))
    )


def _each(evidence: Evidence, results: Sequence[StudyResult]) -> Iterator[Ablation]:
    for result in results:
        for row in result.comparisons:
            sides = evidence.networks[row.network], evidence.networks[row.baseline]
            yield Ablation(row, result.study.title, result.margin, result.family, _by_seed(row, *sides))


def _by_seed(row: Comparison, ours: NetworkEvidence, theirs: NetworkEvidence) -> tuple[float, ...]:
    if row.difference.pairing != "paired":
        return ()
    accuracies = [dict(zip(side.seeds, side.correct.mean(axis=1).tolist(), strict=True)) for side in (ours, theirs)]
    return tuple(accuracies[0][seed] - accuracies[1][seed] for seed in row.difference.our_seeds)
