"""Families: the comparisons of a suite whose p-values are corrected together on one data set.

All comparisons of a run are one family, unless the suite says otherwise: seven studies with one baseline, each held to
5 % for itself, say something false in 23 of 100 runs in which nothing is true.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from fbench.ablations.study import Study, comparisons
from fbench.ablations.suite import Suite

Pair = frozenset[str]
"""Two networks, whichever is the baseline; one where both are the same network."""

ALL: Final = "all comparisons"
PRIMARY: Final = "primary comparisons"
SECONDARY: Final = "secondary comparisons"


@dataclass(frozen=True)
class Family:
    """Comparisons that are corrected together.

    Attributes:
        name: ``all comparisons``, ``primary comparisons`` or ``secondary comparisons``; a study's name where each study
            is a family of its own.
        studies: names of its studies, in the suite's order.
        planned: the pairs both networks of which were planned, each once, finished or not.
        unplanned: (network, baseline) of its other comparisons.
    """

    name: str
    studies: tuple[str, ...]
    planned: tuple[Pair, ...]
    unplanned: tuple[tuple[str, str], ...]

    @property
    def size(self) -> int:
        """How many tests are corrected together, at least 1."""
        return max(1, len(self.planned))


def families(suite: Suite, planned: Collection[str], same: Mapping[str, str] | None = None) -> tuple[Family, ...]:
    """The families of a suite, in the order of their first studies.

    Args:
        suite: whose studies are shared out by its ``family`` and ``primary``.
        planned: networks that were planned on the data set.
        same: for names of one and the same network, which are trained once, the first of them; a pair counts once under
            whichever names.
    """
    members: dict[str, list[Study]] = {}
    for study in suite.studies:
        members.setdefault(_family_name(suite, study), []).append(study)
    return tuple(_family(name, studies, planned, same or {}) for name, studies in members.items())


def family_of(study: str, among: Sequence[Family]) -> Family:
    """The family that a study belongs to, by the study's name."""
    return next(family for family in among if study in family.studies)


def pair_of(network: str, baseline: str, same: Mapping[str, str] | None = None) -> Pair:
    """The pair of two networks, by the first names of each."""
    names = same or {}
    return frozenset({names.get(network, network), names.get(baseline, baseline)})


def _family_name(suite: Suite, study: Study) -> str:
    if suite.family == "study":
        return study.name
    if not suite.primary:
        return ALL
    return PRIMARY if study.name in suite.primary else SECONDARY


def _family(name: str, studies: Sequence[Study], planned: Collection[str], same: Mapping[str, str]) -> Family:
    pairs = list(dict.fromkeys(pair for study in studies for pair in comparisons(study)))
    found = [pair for pair in pairs if set(pair) <= set(planned)]
    return Family(
        name=name,
        studies=tuple(study.name for study in studies),
        planned=tuple(dict.fromkeys(pair_of(*pair, same) for pair in found)),
        unplanned=tuple(pair for pair in pairs if pair not in found),
    )
