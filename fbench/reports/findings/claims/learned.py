"""The trainings of a network that a claim about single trainings or their mean rests on: those that learned."""

from __future__ import annotations

from dataclasses import dataclass

from fbench.ablations.claim_tests import data_words
from fbench.reports.findings.claims.parts import MissingEvidence
from fbench.reports.findings.comparisons.evidence import NetworkEvidence
from fbench.reports.findings.comparisons.learning import collapses_words
from fbench.statistics.comparison.networks import FEWEST_PAIRS


@dataclass(frozen=True)
class LearnedTrainings:
    """A network's trainings without those that collapsed, and all of them.

    Both are the same where none collapsed, or where fewer than two learned.
    """

    learned: NetworkEvidence
    every: NetworkEvidence

    @property
    def share(self) -> float:
        """How many of all trainings are among those that learned, as a fraction of 1."""
        return len(self.learned.seeds) / len(self.every.seeds)

    @property
    def sides(self) -> tuple[NetworkEvidence, ...]:
        """What must say the same: the trainings that learned and, where others are left out, all of them."""
        return (self.learned,) if self.learned is self.every else (self.learned, self.every)

    def remarks(self, data: str) -> tuple[str, ...]:
        """That trainings were left out, if any were."""
        if self.learned is self.every:
            return ()
        who = collapses_words(self.every.collapses, self.every.network)
        return (f"numbers on {data_words(data)} are of trainings that learned; {who} collapsed",)

    def lacks(self, data: str) -> list[MissingEvidence]:
        """That most of the trainings did not learn, which decides nothing."""
        return [MissingEvidence("learning", data, (self.every.network,))] if self.every.collapsed else []


def learned_trainings(network: NetworkEvidence) -> LearnedTrainings:
    """Leave out the trainings that collapsed, where at least two learned."""
    kept = {seed for seed, bad in zip(network.seeds, network.collapsed_trainings, strict=True) if not bad}
    if len(kept) == len(network.seeds) or len(kept) < FEWEST_PAIRS:
        return LearnedTrainings(network, network)
    return LearnedTrainings(network.of_seeds(kept), network)
