"""What is left undecided, and the command that would decide most of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.comparisons.comparison import Comparison
from fbench.reports.findings.comparisons.studies import StudyResult
from fbench.reports.findings.origin.provenance import repeat_command
from fbench.reports.formatting import count, plural

MOST_SEEDS: Final = 40
"""More are not proposed: a longer training or a larger margin is then the better advice."""


@dataclass(frozen=True)
class NextStep:
    """What would decide more.

    Attributes:
        compared: pairs of networks that are compared, each once.
        undecided: of these.
        seeds: with so many each, ``decided`` of the undecided would be, if the true differences are those seen; none
            where no number up to ``MOST_SEEDS`` would decide any.
        decided: how many of the undecided that would decide with a chance of 80 % each.
        command: that trains them.
        untested: why nothing is tested, whatever its numbers; else empty.
    """

    compared: int
    undecided: int
    seeds: int | None
    decided: int
    command: str
    untested: str = ""

    @property
    def sentence(self) -> str:
        """All of it, with its full stop; empty where everything is decided."""
        if not self.undecided:
            return ""
        start = f"{count(self.undecided)} of {plural(self.compared, 'comparison')} {_are(self.undecided)} undecided"
        if self.untested:
            return f"{start}, as {self.untested}."
        if self.seeds is None:
            return f"{start}, and {MOST_SEEDS} seeds would decide none of them."
        which = _which(self.decided, self.undecided)
        return (
            f"{start}; if the true differences are those seen, {self.seeds} seeds would decide {which}: {self.command}"
        )


def next_step(run: RunTable, studies: Sequence[StudyResult]) -> NextStep:
    """Of all studies on one data set; the number of seeds is the least that decides all that seeds can decide."""
    rows = _each_pair_once(studies)
    undecided = [row for row in rows if row.verdict == "undecided"]
    wanted = [row.more.seeds for row in undecided if row.more and row.more.seeds and row.more.seeds <= MOST_SEEDS]
    seeds = max(wanted, default=None)
    return NextStep(
        compared=len(rows),
        undecided=len(undecided),
        seeds=seeds,
        decided=len(wanted),
        command=repeat_command(run, seeds) if seeds else "",
        untested=_why_untested(undecided),
    )


def _why_untested(undecided: Sequence[Comparison]) -> str:
    """Why none of them is tested; empty where one is."""
    if not undecided or any(row.is_tested for row in undecided):
        return ""
    return undecided[0].untested or "one training of a network says nothing of the chance of a seed"


def _each_pair_once(studies: Sequence[StudyResult]) -> list[Comparison]:
    found = {frozenset({row.network, row.baseline}): row for result in reversed(studies) for row in result.comparisons}
    return list(found.values())


def _which(decided: int, undecided: int) -> str:
    if decided == undecided:
        return "it" if undecided == 1 else "them"
    return f"{count(decided)} of them"


def _are(amount: int) -> str:
    return "is" if amount == 1 else "are"
