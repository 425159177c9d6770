"""Each study of the suite as comparisons with its baseline, and the verdict on each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fbench.ablations.looks import ComparisonKey, Look, read_looks
from fbench.ablations.study import Study, comparisons
from fbench.ablations.suite import Suite
from fbench.benchmark.schema import parse
from fbench.benchmark.table import RunTable
from fbench.reports.cost import network_cost
from fbench.reports.cost_change import CostChange, cost_change
from fbench.reports.evidence import Evidence
from fbench.statistics.comparison.multiplicity import Correction
from fbench.statistics.comparison.networks import NetworkComparison, compare_networks
from fbench.statistics.comparison.verdict import LEVEL, Decision, Verdict, decide, is_testable
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
        look: where seeds were added until decided, the look that decides instead; else none.
        unpaired_seeds: seeds that only one of the two finished and that are left out of pairs.
        more: what it would take to decide; none where it is decided or nothing is known of the chance of a seed.
        cost: what the network costs beside its baseline.
    """

    network: str
    baseline: str
    difference: NetworkComparison
    decision: Decision
    look: Look | None
    unpaired_seeds: tuple[int, ...]
    more: SeedsNeeded | None
    cost: CostChange

    @property
    def verdict(self) -> Verdict:
        """The answer: of the look that stopped the comparison, or of the family."""
        return self.look.verdict if self.look else self.decision.verdict

    @property
    def is_tested(self) -> bool:
        """Whether the chance of a seed is known, so that anything could be decided."""
        return is_testable(self.difference.new_images)


@dataclass(frozen=True)
class StudyResult:
    """A study with what its trials say.

    ``levels`` have a finished trial; ``absent`` are those that could not be compared with the baseline.

    ``smallest_adjusted_sign_flip_p`` is the least that the sign-flip test can reach with these seeds after
    Holm's correction for this family; none where nothing is compared.
    """

    study: Study
    correction: Correction
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


def suite_of(run: RunTable) -> Suite:
    """The suite that a run was made from.

    Raises:
        UserError: the suite in ``run.json`` is not valid.
    """
    return parse(Suite, run.config.suite, f"{run.folder.path / 'run.json'}, suite")


def study_results(evidence: Evidence, correction: Correction = "holm") -> list[StudyResult]:
    """The studies of which a network was planned, in the suite's order."""
    planned = set(evidence.run.networks)
    studies = [study for study in suite_of(evidence.run).studies if planned & set(study.levels)]
    return [_study_result(evidence, study, correction) for study in studies if _has_been_asked(study, planned)]


def compare_on(evidence: Evidence, network: str, baseline: str) -> NetworkComparison | None:
    """Two networks on one data set; none where one of them has no finished trial."""
    ours, theirs = evidence.networks.get(network), evidence.networks.get(baseline)
    if ours is None or theirs is None:
        return None
    return compare_networks(ours.correct, theirs.correct, ours.seeds, theirs.seeds)


def _has_been_asked(study: Study, planned: set[str]) -> bool:
    """Whether the plan holds the baseline and a level to compare with it, or all of a study of one level."""
    return study.baseline in planned and (len(study.levels) == 1 or len(planned & set(study.levels)) > 1)


def _study_result(evidence: Evidence, study: Study, correction: Correction) -> StudyResult:
    pairs = comparisons(study)
    compared = [_Compared(*pair, found) for pair in pairs if (found := compare_on(evidence, *pair)) is not None]
    decisions = decide([one.difference.new_images for one in compared], study.margin_points / 100, correction)
    seeds = max((one.difference.seeds for one in compared), default=0)
    names = {one.network for one in compared}
    return StudyResult(
        study=study,
        correction=correction,
        levels=tuple(level for level in study.levels if level in evidence.networks),
        comparisons=tuple(_comparisons(evidence, study, compared, decisions)),
        absent=tuple(network for network, _ in pairs if network not in names),
        smallest_adjusted_sign_flip_p=smallest_reachable(seeds, len(compared)) if compared else None,
    )


def _comparisons(
    evidence: Evidence, study: Study, compared: Sequence[_Compared], decisions: Sequence[Decision]
) -> list[Comparison]:
    looks, data = read_looks(evidence.run.folder), evidence.data.name
    found = []
    for one, decision in zip(compared, decisions, strict=True):
        key = ComparisonKey(study.name, one.network, one.baseline, data)
        look = looks.latest(key) if looks else None
        undecided = (look.verdict if look else decision.verdict) == "undecided"
        both = evidence.networks[one.network], evidence.networks[one.baseline]
        ours, theirs = (network_cost(evidence.run, part.network, part.records) for part in both)
        found.append(
            Comparison(
                network=one.network,
                baseline=one.baseline,
                difference=one.difference,
                decision=decision,
                look=look,
                unpaired_seeds=_unpaired_seeds(one.difference, both[0].seeds, both[1].seeds),
                more=_more_seeds(evidence, one, study.margin_points / 100, len(compared)) if undecided else None,
                cost=cost_change(evidence.run, one.network, one.baseline, (ours, theirs)),
            )
        )
    return found


def _unpaired_seeds(found: NetworkComparison, ours: Sequence[int], theirs: Sequence[int]) -> tuple[int, ...]:
    used = {*found.our_seeds, *found.their_seeds}
    return tuple(sorted({*ours, *theirs} - used))


def _more_seeds(evidence: Evidence, one: _Compared, margin: float, family: int) -> SeedsNeeded | None:
    """What it takes to decide if the true difference is the one seen; known only of pairs of seeds."""
    if one.difference.pairing != "paired" or one.difference.seeds < 2:
        return None
    ours, theirs = evidence.networks[one.network], evidence.networks[one.baseline]
    rows = [side.correct[[side.seeds.index(seed) for seed in one.difference.our_seeds]] for side in (ours, theirs)]
    differences = rows[0].astype(float) - rows[1]
    estimate = one.difference.new_images.estimate
    return seeds_needed(
        variance_components(differences),
        one.difference.images,
        estimate,
        margin,
        LEVEL / family,
        at_least=one.difference.seeds + 1,
    )
