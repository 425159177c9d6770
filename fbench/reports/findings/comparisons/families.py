"""Which comparisons of a run are corrected together, in numbers and words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fbench.ablations.family import ALL, PRIMARY, SECONDARY, Family, Pair, families, pair_of
from fbench.benchmark.store.run_table import first_names
from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.formatting import listing, plural
from fbench.statistics.comparison.multiplicity import Correction

CORRECTION_WORDS: Final[dict[Correction, str]] = {"holm": "Holm", "false_discovery_rate": "Benjamini and Hochberg"}

_MOST_NAMED: Final = 6


@dataclass(frozen=True)
class CorrectedFamily:
    """The tests that a comparison is corrected with.

    Attributes:
        name: as in :class:`fbench.ablations.family.Family`.
        size: how many comparisons were planned on the data set, finished or not, each pair of networks once.
        correction: of their p-values.
        unplanned: comparisons of the suite that were never planned, as ``network against baseline``.
    """

    name: str
    size: int
    correction: Correction
    unplanned: tuple[str, ...] = ()

    @property
    def is_corrected(self) -> bool:
        """Whether there is more than one test."""
        return self.size > 1


class EvidenceFamilies:
    """The families of a run on one data set."""

    def __init__(self, evidence: Evidence) -> None:
        """From what was planned."""
        run, data = evidence.run, evidence.recorded_data
        self._same = first_names(run.plan, data)
        planned = {row.network for row in run.plan if row.data == data}
        self.families: tuple[Family, ...] = families(run.config.suite, planned, self._same)

    def pair(self, network: str, baseline: str) -> Pair:
        """What stands for a comparison in its family."""
        return pair_of(network, baseline, self._same)


def corrected_family(family: Family, correction: Correction) -> CorrectedFamily:
    """A family with the correction of its tests."""
    unplanned = tuple(f"{network} against {baseline}" for network, baseline in family.unplanned)
    return CorrectedFamily(family.name, family.size, correction, unplanned)


def family_sentences(corrected: Sequence[CorrectedFamily]) -> list[str]:
    """What the p-values of each family are corrected for, and which comparisons of the suite were never planned."""
    return [_sentence(one) for one in corrected if one.is_corrected or one.unplanned]


def _sentence(one: CorrectedFamily) -> str:
    whose = {
        ALL: f"all {plural(one.size, 'comparison')} planned",
        PRIMARY: f"the {plural(one.size, 'primary comparison')} planned",
        SECONDARY: f"the {plural(one.size, 'secondary comparison')} planned",
    }.get(one.name, f"the {plural(one.size, 'comparison')} planned in the study {one.name} alone")
    sentence = f"Verdicts are corrected by {CORRECTION_WORDS[one.correction]} over {whose} on this data set"
    if not one.is_corrected:
        sentence = "One comparison was planned, which needs no correction"
    if not one.unplanned:
        return f"{sentence}."
    shown = list(one.unplanned[:_MOST_NAMED])
    more = len(one.unplanned) - len(shown)
    return f"{sentence}; never planned: {listing([*shown, f'{more} more'] if more else shown)}."
