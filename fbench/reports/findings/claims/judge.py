"""Claims judged: parts gathered from every test, put together, and told in a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fbench.ablations.claim import Claim, PaperClaims
from fbench.ablations.claim_tests import CATALOGUE_NAMES, DATA_WORDS
from fbench.benchmark.data.catalogue import DATA_SETS
from fbench.core.errors import UserError, did_you_mean
from fbench.reports.findings.claims.evaluators import parts_of
from fbench.reports.findings.claims.parts import ClaimPart, missing_sentence
from fbench.reports.findings.claims.pool import ClaimInputs
from fbench.reports.formatting import listing, plural
from fbench.statistics.statements import Outcome, conclude, judge_parts

SHOWN: Final = 2
"""Parts that the line of a claim tells; the others are counted."""


@dataclass(frozen=True)
class JudgedPart:
    """A part with its outcome; ``text`` is empty where nothing is known of it."""

    text: str
    outcome: Outcome
    by_arithmetic: bool
    missing: str


@dataclass(frozen=True)
class JudgedClaim:
    """A claim with its verdict.

    Attributes:
        claim: what was judged.
        verdict: of all its parts together.
        by_arithmetic: whether counts alone settle it.
        why: what the verdict rests on, in a line.
        missing: what it would take to decide it, in a sentence without its full stop; empty where it is decided.
        remarks: what is special about the data.
        parts: each with its own outcome.
    """

    claim: Claim
    verdict: Outcome
    by_arithmetic: bool
    why: str
    missing: str
    remarks: tuple[str, ...]
    parts: tuple[JudgedPart, ...]

    @property
    def verdict_words(self) -> str:
        """The verdict as it is printed."""
        return f"{self.verdict} by arithmetic" if self.by_arithmetic else self.verdict

    @property
    def line(self) -> str:
        """Why, and what is missing, in one line."""
        return "; ".join(text for text in (self.why, f"missing: {self.missing}" if self.missing else "") if text)


@dataclass(frozen=True)
class JudgedPaper:
    """All claims of a paper."""

    paper: str
    claims: tuple[JudgedClaim, ...]


def judge_papers(
    papers: Iterable[PaperClaims], inputs: ClaimInputs, known_networks: Iterable[str]
) -> list[JudgedPaper]:
    """Judge every claim.

    Args:
        papers: the claims.
        inputs: of the runs.
        known_networks: registered names; those of the runs and contracts are known besides.

    Raises:
        UserError: a claim names a network or data set that nothing knows, or rests on runs that cannot be pooled.
    """
    networks = {*known_networks, *inputs.networks, *inputs.counts}
    data = {*DATA_WORDS, *CATALOGUE_NAMES, *DATA_SETS, *inputs.data_names}
    found = []
    for paper in papers:
        for claim in paper.claims:
            _require_known(claim.networks, networks, "network", claim, "the run that has it, or --plugin")
            _require_known(claim.data, data, "data set", claim, "the run that has it")
        found.append(JudgedPaper(paper.paper, tuple(judge_claim(claim, inputs) for claim in paper.claims)))
    return found


def judge_claim(claim: Claim, inputs: ClaimInputs) -> JudgedClaim:
    """Judge one claim.

    Raises:
        UserError: it rests on runs that cannot be pooled.
    """
    parts = [part for test in claim.tests for part in parts_of(test, claim, inputs)]
    judged: Iterator[Outcome] = iter(judge_parts([part.answer for part in parts if part.settled is None]))
    outcomes: list[Outcome] = [part.settled if part.settled is not None else next(judged) for part in parts]
    verdict = conclude(outcomes)
    deciding = [part for part, outcome in zip(parts, outcomes, strict=True) if outcome == verdict]
    by_arithmetic = verdict != "undecided" and (
        any(part.settled for part in deciding) if verdict == "contradicted" else all(part.settled for part in parts)
    )
    lacks = [
        lack for part, outcome in zip(parts, outcomes, strict=True) if outcome == "undecided" for lack in part.lacks
    ]
    return JudgedClaim(
        claim=claim,
        verdict=verdict,
        by_arithmetic=by_arithmetic,
        why=_why(verdict, by_arithmetic, parts, outcomes),
        missing=(missing_sentence(lacks) or "more seeds") if verdict == "undecided" else "",
        remarks=tuple(dict.fromkeys(remark for part in parts for remark in part.remarks)),
        parts=tuple(_judged(part, outcome) for part, outcome in zip(parts, outcomes, strict=True)),
    )


def count_verdicts(claims: Iterable[JudgedClaim]) -> dict[Outcome, int]:
    """How many claims have each verdict."""
    verdicts = [claim.verdict for claim in claims]
    outcomes: tuple[Outcome, ...] = ("supported", "contradicted", "undecided")
    return {outcome: verdicts.count(outcome) for outcome in outcomes}


def count_words(claims: Sequence[JudgedClaim]) -> str:
    """The verdicts counted, in a sentence."""
    numbers = count_verdicts(claims)
    counted = sum(one.by_arithmetic for one in claims)
    by_counts = f"; {counted} of the verdicts by arithmetic alone" if counted else ""
    said = listing([f"{number} {verdict}" for verdict, number in numbers.items()])
    return f"{plural(len(claims), 'claim')}: {said}{by_counts}."


def _judged(part: ClaimPart, outcome: Outcome) -> JudgedPart:
    missing = missing_sentence(part.lacks) if outcome == "undecided" else ""
    return JudgedPart(part.text, outcome, by_arithmetic=part.settled is not None, missing=missing)


def _why(verdict: Outcome, by_arithmetic: bool, parts: Sequence[ClaimPart], outcomes: Sequence[Outcome]) -> str:
    """The parts that decide, arithmetic first; of an undecided claim those that are open, and how many hold."""
    texts = list(_telling(verdict, by_arithmetic, parts, outcomes))
    if verdict != "undecided":
        return _shortened(texts)
    holding = outcomes.count("supported")
    held = [f"{holding} of its {len(parts)} parts {'holds' if holding == 1 else 'hold'}"] if holding else []
    return "; ".join([*held, *([_shortened(texts)] if texts else [])])


def _telling(
    verdict: Outcome, by_arithmetic: bool, parts: Sequence[ClaimPart], outcomes: Sequence[Outcome]
) -> Iterator[str]:
    for part, outcome in zip(parts, outcomes, strict=True):
        counts = not (verdict == "contradicted" and by_arithmetic) or part.settled is not None
        if outcome == verdict and part.text and counts:
            yield part.text


def _shortened(texts: Sequence[str]) -> str:
    more = len(texts) - SHOWN
    return "; ".join([*texts[:SHOWN], *([f"and {more} more alike"] if more > 0 else [])])


def _require_known(names: Iterable[str], known: set[str], what: str, claim: Claim, give: str) -> None:
    for name in names:
        if name not in known:
            raise UserError(
                f"The claim '{claim.id}' names the {what} '{name}', which nothing knows.{did_you_mean(name, known)} "
                f"Mend the name, or give {give}."
            )
