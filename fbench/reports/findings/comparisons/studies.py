"""Each study of the suite as comparisons with its baseline, and the verdict on each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fbench.ablations.family import Family
from fbench.ablations.study import Study, comparisons
from fbench.benchmark.records.interim_analyses import ComparisonKey, InterimAnalysis
from fbench.benchmark.records.specs import DataUnit
from fbench.benchmark.runs.interim_analyses import has_its_trials
from fbench.reports.findings.comparisons.evidence import Evidence, NetworkEvidence
from fbench.reports.findings.comparisons.families import CorrectedFamily, EvidenceFamilies, corrected_family
from fbench.reports.findings.comparisons.learning import (
    LearnedComparison,
    collapsed_seeds,
    compare_evidence,
    learned_comparison,
)
from fbench.reports.findings.costs.cost import network_cost
from fbench.reports.findings.costs.cost_change import CostChange, cost_change
from fbench.statistics.collapse import Collapses
from fbench.statistics.comparison.equivalence import certified_margin, equivalence_interval
from fbench.statistics.comparison.multiplicity import Correction
from fbench.statistics.comparison.networks import FEWEST_PAIRS, NetworkComparison
from fbench.statistics.comparison.verdict import (
    LEVEL,
    NOTHING_TESTED,
    Decision,
    FamilyMember,
    Verdict,
    decide,
    is_testable,
)
from fbench.statistics.discordance import Discordance
from fbench.statistics.seeds.power import SeedsNeeded, seeds_needed, variance_components
from fbench.statistics.sign_flip import smallest_reachable


@dataclass(frozen=True)
class Comparison:
    """A network minus its baseline on one data set, as fractions of 1.

    Attributes:
        network: what is compared.
        baseline: with what.
        difference: both estimands, tests and effect sizes.
        decision: the verdict of the family as it stands, from ``difference``.
        analysis: where seeds were added until decided, the interim analysis that decides instead; else none.
            ``difference`` is then that of the interim analysis's seeds.
        analysis_lost: the run no longer holds the trials of its interim analysis, so that nothing is decided.
        unpaired_seeds: seeds that only one of the two finished and that are left out of pairs.
        more: what it would take to decide; none where it is decided, where nothing is known of the chance of a seed, or
            where neither learned.
        cost: what the network costs beside its baseline.
        collapses: trainings of the network that did not learn, of all, and those of its baseline.
        neither_learned: most trials of both collapsed, so that nothing is decided.
        learned: where trainings of one of the two collapsed, how many, and the difference with them; ``difference`` is
            then that of those that learned.
        untested: why nothing is tested although there are trainings enough; else empty.
    """

    network: str
    baseline: str
    difference: NetworkComparison
    decision: Decision
    analysis: InterimAnalysis | None
    analysis_lost: bool
    unpaired_seeds: tuple[int, ...]
    more: SeedsNeeded | None
    cost: CostChange
    collapses: tuple[Collapses, Collapses]
    neither_learned: bool = False
    untested: str = ""
    learned: LearnedComparison | None = None
    unit: DataUnit = "images"

    @property
    def verdict(self) -> Verdict:
        """The answer: of the look that stopped the comparison, or of the family."""
        if self.analysis_lost or self.neither_learned or self.untested:
            return "undecided"
        return self.analysis.verdict if self.analysis else self.decision.verdict

    @property
    def learned_verdict(self) -> Verdict | None:
        """Where trainings collapsed, what those that learned say; the verdict is that only where all say so too."""
        return self.analysis.learned_verdict if self.analysis else self.decision.learned_verdict

    @property
    def estimate(self) -> float:
        """For new images: of the interim analysis that stopped the comparison, or of all pairs."""
        if self.analysis is not None and self.analysis.estimate is not None:
            return self.analysis.estimate
        return self.difference.new_images.estimate

    @property
    def interval(self) -> tuple[float, float]:
        """For new images, at the level at which no difference was tested in the family, so that it leaves out 0 exactly
        where it was rejected; or the repeated one of the interim analysis. NaN where there is none."""
        if self.analysis is not None and self.analysis.low is not None and self.analysis.high is not None:
            return self.analysis.low, self.analysis.high
        if math.isnan(self.decision.level):
            return self.plain_interval
        return self.difference.new_images.interval(1 - self.decision.level)

    @property
    def plain_interval(self) -> tuple[float, float]:
        """For new images, of 95 % for this comparison alone; NaN where there is none."""
        return self.difference.new_images.low, self.difference.new_images.high

    @property
    def equivalence_interval(self) -> tuple[float, float]:
        """For new images, at the level at which a difference of the margin was tested, so that it lies within the
        margin exactly where that was rejected; NaN where nothing was tested."""
        level = self.analysis.equivalent_level if self.analysis else self.decision.equivalent_level
        if not self.is_tested or math.isnan(level):
            return math.nan, math.nan
        return equivalence_interval(self.difference.new_images, level)

    @property
    def smallest_margin(self) -> float:
        """The least margin within which equivalence would be certified: at this interim analysis, or in the family."""
        if self.analysis is not None and self.is_tested:
            return certified_margin(self.difference.new_images, self.analysis.equivalent_level)
        return self.decision.smallest_margin

    @property
    def few_images(self) -> Discordance | None:
        """On how few images the two differ, where that bounds what can be said; else none."""
        images = self.difference.new_images.discordance
        return images if images is not None and images.is_few else None

    @property
    def is_tested(self) -> bool:
        """Whether the chance of a seed is known, so that anything could be decided."""
        return not self.untested and is_testable(self.difference.new_images)


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
    ours, theirs = (network_cost(evidence.run, part.network, part.records) for part in both)
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
        cost=cost_change(evidence.run, one.network, one.baseline, (ours, theirs)),
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


def seeds_to_decide(
    ours: NetworkEvidence, theirs: NetworkEvidence, found: NetworkComparison, margin: float, level: float
) -> SeedsNeeded | None:
    """What it takes to decide a comparison if the true difference is the one seen; known only of pairs of seeds.

    ``level`` is the one at which the comparison is tested in its family.
    """
    if found.pairing != "paired" or found.seeds < FEWEST_PAIRS:
        return None
    rows = [side.correct[[side.seeds.index(seed) for seed in found.our_seeds]] for side in (ours, theirs)]
    return seeds_needed(
        variance_components(rows[0].astype(float) - rows[1], ours.clusters),
        found.images if ours.clusters is None else ours.clusters.count,
        found.new_images.estimate,
        margin,
        level,
        at_least=found.seeds + 1,
    )
