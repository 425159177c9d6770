"""Which networks may be the most accurate, by paired differences that are corrected over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.findings.comparisons.summary import NetworkSummary, by_accuracy
from fbench.reports.findings.tradeoffs.fronts import FEWEST_SEEDS, accuracy_difference
from fbench.statistics.comparison.best import BestBound, best_bounds


@dataclass(frozen=True)
class Contender:
    """A network and how far its accuracy may lie behind, or ahead of, the best of the others, in fractions of 1."""

    summary: NetworkSummary
    bound: BestBound

    @property
    def network(self) -> str:
        """Its name."""
        return self.summary.network


def contenders(evidence: Evidence, summary: Sequence[NetworkSummary]) -> tuple[Contender, ...]:
    """The networks that learned and have two seeds or more, the most accurate first; none where these are fewer than
    two, and none of the preset ``smoke``, of which nothing is tested."""
    rows = [row for row in by_accuracy(summary) if row.seeds >= FEWEST_SEEDS and not row.trials.collapsed]
    if len(rows) < 2 or evidence.is_smoke:
        return ()
    bounds = best_bounds(
        lambda ours, theirs: accuracy_difference(evidence, rows[ours].network, rows[theirs].network), len(rows)
    )
    return tuple(Contender(row, bound) for row, bound in zip(rows, bounds, strict=True))
