"""What each look at the open comparisons of a run found, where seeds are added until they are decided."""

from __future__ import annotations

from typing import Literal, NamedTuple

from fbench.core.schema import FrozenModel
from fbench.statistics.comparison.verdict import LEVEL, Verdict

State = Literal["open", "decided", "futile", "last look"]


class ComparisonKey(NamedTuple):
    """One comparison of a study on one data set."""

    study: str
    network: str
    baseline: str
    data: str


class Look(FrozenModel):
    """One comparison at one look; differences are fractions of 1 and for new images.

    ``seeds`` were planned, ``pairs`` finished; with fewer than two pairs nothing could be judged and the numbers are
    none. ``low`` and ``high`` bound the repeated confidence interval. ``different_level`` and ``equivalent_level`` are
    what the p-values had to reach at this look.
    """

    study: str
    network: str
    baseline: str
    data: str
    seeds: int
    pairs: int
    different_level: float
    equivalent_level: float
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    p_equivalent: float | None = None
    verdict: Verdict = "undecided"
    chance_to_decide: float | None = None
    state: State = "open"

    @property
    def key(self) -> ComparisonKey:
        """Which comparison this is."""
        return ComparisonKey(self.study, self.network, self.baseline, self.data)


class Looks(FrozenModel):
    """Every look so far, in the order taken. ``level`` is that of a family of comparisons, before it is shared out."""

    schema_version: int = 1
    max_seeds: int
    level: float = LEVEL
    looks: tuple[Look, ...] = ()

    def latest(self, key: ComparisonKey) -> Look | None:
        """The last look at a comparison, or none."""
        return next((look for look in reversed(self.looks) if look.key == key), None)

    def is_open(self, key: ComparisonKey) -> bool:
        """Whether a comparison wants another look."""
        latest = self.latest(key)
        return latest is None or latest.state == "open"
