"""Each study of the suite as comparisons with its baseline, and the verdict on each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from fbench.ablations.study import Study, comparisons
from fbench.ablations.suite import Suite
from fbench.benchmark.schema import parse
from fbench.benchmark.table import RunTable
from fbench.reports.cost import NetworkCost, network_cost
from fbench.reports.evidence import Evidence, paired_differences
from fbench.statistics.comparison import PairedComparison, compare
from fbench.statistics.holm import holm
from fbench.statistics.sign_flip import smallest_reachable

ALPHA: Final = 0.05

Verdict = Literal["better", "worse", "undecided", "descriptive only"]
"""By the Holm-adjusted p-value for new images below 0.05; one seed cannot decide anything."""


@dataclass(frozen=True)
class CostChange:
    """Cost of a network divided by its baseline's; none where one of the two is not known."""

    trainable_params: float | None
    macs: float | None
    latency: float | None


@dataclass(frozen=True)
class Comparison:
    """A network minus its baseline on one data set, as fractions of 1.

    ``p_new_images``, ``p_holm`` and ``verdict`` rest on new images; with one seed there are no p-values.
    """

    network: str
    baseline: str
    seeds: tuple[int, ...]
    paired: PairedComparison
    p_new_images: float | None
    p_holm: float | None
    verdict: Verdict
    cost: CostChange


@dataclass(frozen=True)
class StudyResult:
    """A study with what its trials say.

    ``levels`` have a finished trial; ``absent`` are those that no seed pairs with the baseline.

    ``smallest_adjusted_sign_flip_p`` is the least that the sign-flip test can reach with these seeds after
    Holm's correction for this family; none where nothing is compared.
    """

    study: Study
    levels: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    absent: tuple[str, ...]
    smallest_adjusted_sign_flip_p: float | None


def suite_of(run: RunTable) -> Suite:
    """The suite that a run was made from.

    Raises:
        UserError: the suite in ``run.json`` is not valid.
    """
    return parse(Suite, run.config.suite, f"{run.folder.path / 'run.json'}, suite")


def study_results(evidence: Evidence) -> list[StudyResult]:
    """The studies of which a network was planned, in the suite's order."""
    planned = set(evidence.run.networks)
    studies = [study for study in suite_of(evidence.run).studies if planned & set(study.levels)]
    return [_study_result(evidence, study) for study in studies if _has_been_asked(study, planned)]


def _has_been_asked(study: Study, planned: set[str]) -> bool:
    """Whether the plan holds the baseline and a level to compare with it, or all of a study of one level."""
    return study.baseline in planned and (len(study.levels) == 1 or len(planned & set(study.levels)) > 1)


def _study_result(evidence: Evidence, study: Study) -> StudyResult:
    pairs = comparisons(study)
    found = _with_holm([row for pair in pairs if (row := _compare(evidence, *pair)) is not None])
    compared = {row.network for row in found}
    seeds = max((len(row.seeds) for row in found), default=0)
    return StudyResult(
        study=study,
        levels=tuple(level for level in study.levels if level in evidence.networks),
        comparisons=tuple(found),
        absent=tuple(network for network, _ in pairs if network not in compared),
        smallest_adjusted_sign_flip_p=smallest_reachable(seeds, len(found)) if found else None,
    )


def _compare(evidence: Evidence, network: str, baseline: str) -> Comparison | None:
    """One comparison before Holm's correction; none where no seed finished both networks."""
    if network not in evidence.networks or baseline not in evidence.networks:
        return None
    ours, theirs = evidence.networks[network], evidence.networks[baseline]
    seeds, differences = paired_differences(ours, theirs)
    if not seeds:
        return None
    paired = compare(differences)
    return Comparison(
        network=network,
        baseline=baseline,
        seeds=seeds,
        paired=paired,
        p_new_images=paired.new_images.p_value if len(seeds) > 1 else None,
        p_holm=None,
        verdict="descriptive only",
        cost=_cost_change(
            network_cost(evidence.run, network, ours.records),
            network_cost(evidence.run, baseline, theirs.records),
        ),
    )


def _with_holm(family: list[Comparison]) -> list[Comparison]:
    """The family with its adjusted p-values and verdicts; comparisons of one seed keep theirs."""
    tested = {row.network: row.p_new_images for row in family if row.p_new_images is not None}
    adjusted = dict(zip(tested, holm(list(tested.values())).tolist(), strict=True))
    return [
        replace(row, p_holm=adjusted[row.network], verdict=_verdict(row, adjusted[row.network]))
        if row.network in adjusted
        else row
        for row in family
    ]


def _verdict(row: Comparison, p_holm: float) -> Verdict:
    if p_holm >= ALPHA:
        return "undecided"
    return "better" if row.paired.new_images.estimate > 0 else "worse"


def _cost_change(network: NetworkCost, baseline: NetworkCost) -> CostChange:
    return CostChange(
        trainable_params=_ratio(network.trainable_params, baseline.trainable_params),
        macs=_ratio(network.macs, baseline.macs),
        latency=_ratio(network.latency_p50_ms, baseline.latency_p50_ms),
    )


def _ratio(value: float | None, reference: float | None) -> float | None:
    return value / reference if value is not None and reference else None
