"""A network held against its baseline: the difference, what it rests on, and what it would take to decide it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fbench.benchmark.records.interim_analyses import InterimAnalysis
from fbench.benchmark.records.specs import DataUnit
from fbench.reports.findings.comparisons.evidence import NetworkEvidence
from fbench.reports.findings.comparisons.learning import LearnedComparison
from fbench.reports.findings.costs.cost_change import CostChange
from fbench.statistics.collapse import Collapses
from fbench.statistics.comparison.equivalence import certified_margin, equivalence_interval
from fbench.statistics.comparison.networks import FEWEST_PAIRS, NetworkComparison
from fbench.statistics.comparison.verdict import Decision, Verdict, is_testable
from fbench.statistics.discordance import Discordance
from fbench.statistics.seeds.power import SeedsNeeded, seeds_needed, variance_components


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
