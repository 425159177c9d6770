"""Each study of the suite as comparisons with its baseline, and the verdict on each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fbench.ablations.family import Family
from fbench.ablations.study import Study, comparisons
from fbench.benchmark.records.interim_analyses import ComparisonKey, InterimAnalysis
from fbench.benchmark.runs.interim_analyses import has_its_trials
from fbench.reports.findings.comparisons.comparison import Comparison, seeds_to_decide
from fbench.reports.findings.comparisons.evidence import Evidence, NetworkEvidence
from fbench.reports.findings.comparisons.families import CorrectedFamily, EvidenceFamilies, corrected_family
from fbench.reports.findings.comparisons.learning import (
    LearnedComparison,
    collapsed_seeds,
    compare_evidence,
    learned_comparison,
)
from fbench.reports.findings.costs.cost_change import cost_change
from fbench.statistics.collapse import Collapses
from fbench.statistics.comparison.multiplicity import Correction
from fbench.statistics.comparison.networks import NetworkComparison
from fbench.statistics.comparison.verdict import (
    LEVEL,
    NOTHING_TESTED,
    Decision,
    FamilyMember,
    decide,
)
from fbench.statistics.sign_flip import smallest_reachable


@dataclass(frozen=True)
class StudyResult:
    """A study with what its trials say.

    ``levels`` have a finished trial; ``absent`` are those that could not be compared with the baseline.

    ``family`` is what the comparisons are corrected with; ``smallest_adjusted_sign_flip_p`` the least that the
    sign-flip test can reach with these seeds after Holm's correction for it, none where nothing is compared.
    """

    study: Study
    family: CorrectedFamily
    levels: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    absent: tuple[str, ...]
    smallest_adjusted_sign_flip_p: float | None

    @property
    def margin(self) -> float:
        """The difference that matters, as a fraction of 1."""
        return self.study.margin_points / 100


class _Compared(NamedTuple):
    """A comparison before its family is known."""

    network: str
    baseline: str
    difference: NetworkComparison
    analysis: InterimAnalysis | None
    analysis_lost: bool
    neither_learned: bool
    learned: LearnedComparison | None
    collapses: tuple[Collapses, Collapses]


def study_results(evidence: Evidence, correction: Correction = "holm") -> list[StudyResult]:
    """The studies of which a network was planned, in the suite's order, corrected by families."""
    planned = set(evidence.run.networks)
    studies = [study for study in evidence.run.config.suite.studies if _has_been_asked(study, planned)]
    compared = {
        study.name: [one for pair in comparisons(study) if (one := _compare(evidence, study, *pair)) is not None]
        for study in studies
    }
    groups = EvidenceFamilies(evidence)
    found: dict[str, StudyResult] = {}
    for family in groups.families:
        members = [study for study in studies if study.name in family.studies]
        decisions = iter(
            _decisions(evidence, groups, family, [(one, compared[one.name]) for one in members], correction)
        )
        for study in members:
            found[study.name] = _study_result(
                evidence,
                study,
                corrected_family(family, correction),
                [(one, next(decisions)) for one in compared[study.name]],
            )
    return [found[study.name] for study in studies]


def why_untested(*sides: Evidence) -> str:
    """Why trials are shown and not tested, whatever their numbers; empty where they may be."""
    return "the preset smoke only shows that everything runs" if any(one.is_smoke for one in sides) else ""


def _compare(evidence: Evidence, study: Study, network: str, baseline: str) -> _Compared | None:
    """Two networks on one data set, by the seeds of their last interim analysis if there was one; none without a
    finished trial."""
    if network not in evidence.networks or baseline not in evidence.networks:
        return None
    analyses = evidence.run.interim_analyses
    latest = analyses.latest(ComparisonKey(study.name, network, baseline, evidence.data.name)) if analyses else None
    if why_untested(evidence):
        latest = None
    analysis = latest if latest is not None and has_its_trials(latest, evidence.run) else None
    both = evidence.networks[network], evidence.networks[baseline]
    ours, theirs = (_seeds_used(side, analysis) for side in both)
    lost = latest is not None and analysis is None
    # Files of an earlier version do not tell which of their trainings learned: their numbers are of all.
    of_all = lost or (analysis is not None and analysis.learned_pairs is None)
    learned = None if of_all else learned_comparison(ours, theirs)
    found = learned.learned if learned else compare_evidence(ours, theirs)
    neither_learned, collapses = both[0].collapsed and both[1].collapsed, (ours.collapses, theirs.collapses)
    return _Compared(network, baseline, found, analysis, lost, neither_learned, learned, collapses)


def _seeds_used(network: NetworkEvidence, analysis: InterimAnalysis | None) -> NetworkEvidence:
    """The trainings that an interim analysis used, or all; all too where an interim analysis found no pair to judge."""
    return network if analysis is None or analysis.pairs == 0 else network.of_seeds(range(analysis.seeds))


def _has_been_asked(study: Study, planned: set[str]) -> bool:
    """Whether the plan holds the baseline and a level to compare with it, or all of a study of one level."""
    return study.baseline in planned and (len(study.levels) == 1 or len(planned & set(study.levels)) > 1)


def _decisions(
    evidence: Evidence,
    groups: EvidenceFamilies,
    family: Family,
    studies: Sequence[tuple[Study, Sequence[_Compared]]],
    correction: Correction,
) -> list[Decision]:
    """Of every comparison of a family, in order."""
    members = [
        FamilyMember(
            one.difference.new_images,
            study.margin_points / 100,
            groups.pair(one.network, one.baseline),
            one.neither_learned,
            one.learned.every.new_images if one.learned else None,
        )
        for study, compared in studies
        for one in compared
    ]
    if why_untested(evidence):
        return [NOTHING_TESTED] * len(members)
    return decide(members, correction, planned=family.size)


def _study_result(
    evidence: Evidence, study: Study, family: CorrectedFamily, compared: Sequence[tuple[_Compared, Decision]]
) -> StudyResult:
    seeds = max((one.difference.seeds for one, _ in compared), default=0)
    names = {one.network for one, _ in compared}
    return StudyResult(
        study=study,
        family=family,
        levels=tuple(level for level in study.levels if level in evidence.networks),
        comparisons=tuple(_comparison(evidence, study, family, *one) for one in compared),
        absent=tuple(network for network, _ in comparisons(study) if network not in names),
        smallest_adjusted_sign_flip_p=smallest_reachable(seeds, family.size) if compared else None,
    )


def _comparison(
    evidence: Evidence, study: Study, family: CorrectedFamily, one: _Compared, decision: Decision
) -> Comparison:
    untested = why_untested(evidence)
    verdict = one.analysis.verdict if one.analysis else decision.verdict
    undecided = not (one.neither_learned or untested) and verdict == "undecided"
    both = evidence.networks[one.network], evidence.networks[one.baseline]
    costs = evidence.cost_of(one.network), evidence.cost_of(one.baseline)
    level = LEVEL / family.size if math.isnan(decision.level) else decision.level
    return Comparison(
        network=one.network,
        baseline=one.baseline,
        difference=one.difference,
        decision=decision,
        analysis=one.analysis,
        analysis_lost=one.analysis_lost,
        unpaired_seeds=_unpaired_seeds(one, *both),
        more=seeds_to_decide(*both, one.difference, study.margin_points / 100, level) if undecided else None,
        cost=cost_change(evidence.run, one.network, one.baseline, costs),
        collapses=one.collapses,
        neither_learned=one.neither_learned,
        untested=untested,
        learned=one.learned,
        unit=evidence.unit,
    )


def _unpaired_seeds(one: _Compared, ours: NetworkEvidence, theirs: NetworkEvidence) -> tuple[int, ...]:
    """What pairs leave out as one side lacks it; a look has its own seeds."""
    if one.analysis or one.analysis_lost:
        return ()
    used = {*one.difference.our_seeds, *one.difference.their_seeds}
    collapsed = collapsed_seeds((ours, theirs)) if one.learned else set()
    return tuple(sorted({*ours.seeds, *theirs.seeds} - used - collapsed))
