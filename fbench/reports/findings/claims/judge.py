"""Claims judged: parts gathered from every test, put together, and told in a line.

The claims of a file that are tests on one data set are a family, asked for or not: Holm's correction runs over all of
them, those of training time being a family of their own. Arithmetic needs no correction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fbench.ablations.claim import Claim, PaperClaims
from fbench.ablations.claim_tests import CATALOGUE_NAMES, DATA_WORDS, CountTest, PrintedTest
from fbench.benchmark.data.catalogue import DATA_SETS
from fbench.core.errors import UserError, did_you_mean
from fbench.reports.findings.claims.evaluators import parts_of
from fbench.reports.findings.claims.parts import ClaimPart, missing_sentence
from fbench.reports.findings.claims.pool import ClaimInputs
from fbench.reports.formatting import listing, plural
from fbench.statistics.comparison.multiplicity import holm
from fbench.statistics.statements import Outcome, conclude, judge_parts, outcome_in_family, p_of_statement

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
        p_value: of the test that the verdict rests on, or would, corrected over the family; none where none was made.
        family: how many claims were corrected together, at most.
    """

    claim: Claim
    verdict: Outcome
    by_arithmetic: bool
    why: str
    missing: str
    remarks: tuple[str, ...]
    parts: tuple[JudgedPart, ...]
    p_value: float | None = None
    family: int = 1

    @property
    def verdict_words(self) -> str:
        """The verdict as it is printed."""
        if self.claim.never:
            return "can never be decided"
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
        found.append(JudgedPaper(paper.paper, tuple(judge_claims(paper.claims, inputs))))
    return found


@dataclass(frozen=True)
class _Weighed:
    """A claim whose parts are judged, before its family is known."""

    claim: Claim
    parts: tuple[ClaimPart, ...]
    outcomes: tuple[Outcome, ...]
    p_against: float
    p_for: float

    @property
    def supported_by_test(self) -> bool:
        """Whether a test can support it: neither arithmetic nor a printed number that a new training may well reach."""
        return any(not isinstance(test, CountTest | PrintedTest) for test in self.claim.tests)

    @property
    def families(self) -> tuple[str, ...]:
        """The families that it belongs to: one for each data set, and one of training time."""
        return (*self.claim.data, *(["training time"] if self.claim.needs_cost else []))


def judge_claims(claims: Sequence[Claim], inputs: ClaimInputs) -> list[JudgedClaim]:
    """Judge the claims of one file.

    Raises:
        UserError: one rests on runs that cannot be pooled.
    """
    weighed = [_weigh(claim, inputs) for claim in claims]
    against: list[list[float]] = [[] for _ in weighed]
    supporting: list[list[float]] = [[] for _ in weighed]
    sizes = [1] * len(weighed)
    for family in dict.fromkeys(name for one in weighed for name in one.families):
        members = [index for index, one in enumerate(weighed) if family in one.families]
        for index, p_value in zip(members, holm([weighed[one].p_against for one in members]).tolist(), strict=True):
            against[index].append(p_value)
            sizes[index] = max(sizes[index], len(members))
        members = [index for index in members if weighed[index].supported_by_test]
        for index, p_value in zip(members, holm([weighed[one].p_for for one in members]).tolist(), strict=True):
            supporting[index].append(p_value)
    return [
        _concluded(one, max(contra, default=one.p_against), max(pro, default=one.p_for), size)
        for one, contra, pro, size in zip(weighed, against, supporting, sizes, strict=True)
    ]


def judge_claim(claim: Claim, inputs: ClaimInputs) -> JudgedClaim:
    """Judge one claim by itself.

    Raises:
        UserError: it rests on runs that cannot be pooled.
    """
    return judge_claims([claim], inputs)[0]


def _weigh(claim: Claim, inputs: ClaimInputs) -> _Weighed:
    parts = tuple(part for test in claim.tests for part in parts_of(test, claim, inputs))
    answers = [part.answer for part in parts if part.settled is None]
    judged: Iterator[Outcome] = iter(judge_parts(answers))
    outcomes = [part.settled if part.settled is not None else next(judged) for part in parts]
    waiting: list[Outcome] = [
        "not yet" if part.not_yet else outcome for part, outcome in zip(parts, outcomes, strict=True)
    ]
    return _Weighed(claim, parts, tuple(waiting), *p_of_statement(answers))


def _concluded(one: _Weighed, p_against: float, p_for: float, family: int) -> JudgedClaim:
    """The claim's verdict, with the p-values that its family leaves it."""
    parts, outcomes = one.parts, one.outcomes
    plain = conclude(outcomes)
    deciding = [part for part, outcome in zip(parts, outcomes, strict=True) if outcome == plain]
    by_arithmetic = plain in ("supported", "contradicted") and (
        any(part.settled for part in deciding) if plain == "contradicted" else all(part.settled for part in parts)
    )
    verdict = plain
    if not by_arithmetic:
        verdict = outcome_in_family(plain, p_against, p_for if one.supported_by_test else 0.0)
    open_parts = [
        part for part, outcome in zip(parts, outcomes, strict=True) if outcome in ("undecided", "not yet")
    ] or parts
    lacks = [lack for part in open_parts for lack in part.lacks]
    is_open = verdict in ("undecided", "not yet") and not one.claim.never
    if verdict == plain:
        missing = (missing_sentence(lacks) or "more seeds") if is_open else ""
    else:
        missing = f"more seeds, as {plural(family, 'claim')} on one data set are corrected together"
    return JudgedClaim(
        claim=one.claim,
        verdict=verdict,
        by_arithmetic=by_arithmetic,
        why=one.claim.never or _why(plain, by_arithmetic, parts, outcomes),
        missing=missing,
        remarks=tuple(dict.fromkeys(remark for part in parts for remark in part.remarks)),
        parts=tuple(_judged(part, outcome) for part, outcome in zip(parts, outcomes, strict=True)),
        p_value=_p_value(one, verdict, p_against, p_for) if not by_arithmetic else None,
        family=family,
    )


def _p_value(one: _Weighed, verdict: Outcome, p_against: float, p_for: float) -> float | None:
    """The corrected p-value of what was found, or of the likelier of the two where nothing was."""
    if all(part.answer is None for part in one.parts):
        return None
    return {"supported": p_for, "contradicted": p_against}.get(verdict, min(p_against, p_for))


def count_verdicts(claims: Iterable[JudgedClaim]) -> dict[Outcome, int]:
    """How many claims have each verdict."""
    verdicts = [claim.verdict for claim in claims]
    outcomes: tuple[Outcome, ...] = ("supported", "contradicted", "undecided", "not yet")
    return {outcome: verdicts.count(outcome) for outcome in outcomes}


def count_words(claims: Sequence[JudgedClaim]) -> str:
    """The verdicts counted, in a sentence."""
    numbers = count_verdicts(claims)
    counted = sum(one.by_arithmetic for one in claims)
    by_counts = f"; {counted} of the verdicts by arithmetic alone" if counted else ""
    never = sum(bool(one.claim.never) for one in claims)
    never_words = f"; {never} of the undecided can never be decided" if never else ""
    said = listing([f"{number} {verdict}" for verdict, number in numbers.items()])
    return f"{plural(len(claims), 'claim')}: {said}{by_counts}{never_words}."


def _judged(part: ClaimPart, outcome: Outcome) -> JudgedPart:
    missing = missing_sentence(part.lacks) if outcome in ("undecided", "not yet") else ""
    return JudgedPart(part.text, outcome, by_arithmetic=part.settled is not None, missing=missing)


def _why(verdict: Outcome, by_arithmetic: bool, parts: Sequence[ClaimPart], outcomes: Sequence[Outcome]) -> str:
    """The parts that decide, arithmetic first; of an undecided claim those that are open, and how many hold."""
    texts = list(_telling(verdict, by_arithmetic, parts, outcomes))
    if verdict not in ("undecided", "not yet"):
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
