"""Which networks are drawn one by one: of very many, those that a reader would look at first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fbench.reports.findings.comparisons.summary import by_accuracy
from fbench.reports.findings.model import DataFindings
from fbench.reports.formatting import count

ALL_UP_TO: Final = 32
"""So many can be looked at one by one, or row by row in a figure of all."""
MOST_OF_MANY: Final = 8


@dataclass(frozen=True)
class DrawnNetworks:
    """``names`` in the order of the plan, and how many more there are."""

    names: tuple[str, ...]
    left_out: int

    @property
    def sentence(self) -> str:
        """What is not drawn, and where it stands; empty where all are."""
        if not self.left_out:
            return ""
        return (
            f"Figures of single networks and recalls by class are those of {count(len(self.names))}: the baselines and "
            f"the most accurate. The other {count(self.left_out)} stand in the other tables; fbench.plots draws any."
        )


def drawn_networks(found: DataFindings) -> DrawnNetworks:
    """All networks with a finished trial, or of more than can be looked at the baselines and the most accurate."""
    names = [row.network for row in found.summary]
    if len(names) <= ALL_UP_TO:
        return DrawnNetworks(tuple(names), 0)
    baselines = (row.baseline for study in found.studies for row in study.result.comparisons)
    first = dict.fromkeys([*baselines, *(row.network for row in by_accuracy(found.summary))])
    kept = set(list(first)[:MOST_OF_MANY])
    return DrawnNetworks(tuple(name for name in names if name in kept), len(names) - len(kept))
