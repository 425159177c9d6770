"""What each interim analysis of the open comparisons of a run found, where seeds are added until they are decided."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from pydantic import model_validator

from fbench.core.schema import FrozenModel
from fbench.statistics.comparison.verdict import LEVEL, Verdict

State = Literal["open", "decided", "futile", "last analysis"]


class ComparisonKey(NamedTuple):
    """One comparison of a study on one data set."""

    study: str
    network: str
    baseline: str
    data: str


class InterimAnalysis(FrozenModel):
    """One comparison at one interim analysis; differences are fractions of 1 and for new images.

    ``seeds`` were planned, ``pairs`` finished, and of ``learned_pairs`` neither training collapsed (none in earlier
    files, whose numbers are of all pairs). The numbers are of these; with fewer than two nothing could be judged and
    they are none, but at the last analysis, where they are then of all pairs. ``learned_verdict`` is what the trainings
    that learned say, where some collapsed: ``verdict`` is the same only if all pairs say so too. ``low`` and ``high``
    bound the repeated confidence interval. ``different_level`` and ``equivalent_level`` are what the p-values had to
    reach at this interim analysis.
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
    learned_pairs: int | None = None
    learned_verdict: Verdict | None = None
    chance_to_decide: float | None = None
    state: State = "open"

    @property
    def key(self) -> ComparisonKey:
        """Which comparison this is."""
        return ComparisonKey(self.study, self.network, self.baseline, self.data)


class InterimAnalyses(FrozenModel):
    """Every interim analysis so far, in the order taken. ``level`` is that of a family of comparisons, before it is
    shared out."""

    schema_version: int = 1
    max_seeds: int
    level: float = LEVEL
    analyses: tuple[InterimAnalysis, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _in_words_of_today(cls, values: Any) -> Any:
        """Earlier files call an interim analysis a look."""
        if not isinstance(values, dict) or "looks" not in values:
            return values
        looks = [look | {"state": look["state"].replace("last look", "last analysis")} for look in values["looks"]]
        return {key: value for key, value in values.items() if key != "looks"} | {"analyses": looks}

    def latest(self, key: ComparisonKey) -> InterimAnalysis | None:
        """The last interim analysis of a comparison, or none."""
        return next((analysis for analysis in reversed(self.analyses) if analysis.key == key), None)

    def is_open(self, key: ComparisonKey) -> bool:
        """Whether a comparison wants another interim analysis."""
        latest = self.latest(key)
        return latest is None or latest.state == "open"
