"""The part of a report that judges the papers' claims on which its runs have something to say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fbench.ablations.claim import Claim, shipped_claims
from fbench.benchmark.data.catalogue import OWN_DATA
from fbench.benchmark.store.run_table import RunTable
from fbench.core.errors import UserError
from fbench.reports.findings.claims.judge import JudgedPaper, count_verdicts, judge_papers
from fbench.reports.findings.claims.pool import claim_inputs_of
from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.formatting import plural
from fbench.statistics.statements import Outcome


@dataclass(frozen=True)
class ClaimsSection:
    """The papers with the claims that the runs bear on, and the verdicts counted in a sentence.

    ``refusal`` says why the runs cannot be judged together; no paper is shown then.
    """

    papers: tuple[JudgedPaper, ...]
    summary: str
    refusal: str = ""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the verdicts rest on, once each."""
        return tuple(dict.fromkeys(text for paper in self.papers for one in paper.claims for text in one.remarks))


def claims_section(runs: Sequence[RunTable], read: Sequence[Evidence]) -> ClaimsSection | None:
    """Judge the claims of which a test has two of its networks in the runs, or its only one; none where there are none,
    or where all data are of users' own, of which papers on faces say nothing.

    Claims of the same papers that can never be decided are told beside them.

    Args:
        runs: of the report.
        read: each data set of each run.
    """
    if all((one.data.source or one.data.name) in OWN_DATA for one in read):
        return None
    planned = {network for run in runs for network in run.networks}
    papers = [paper for paper in shipped_claims() if any(_bears_on(claim, planned) for claim in paper.claims)]
    if not papers:
        return None
    try:
        every = judge_papers(papers, claim_inputs_of(runs, read), ())
    except UserError as refusal:
        return ClaimsSection((), "", str(refusal))
    judged = tuple(
        replace(paper, claims=tuple(one for one in paper.claims if one.claim.never or _bears_on(one.claim, planned)))
        for paper in every
    )
    told = [one for paper in judged for one in paper.claims]
    numbers = count_verdicts([one for one in told if not one.claim.never])
    never = sum(bool(one.claim.never) for one in told)
    claims = plural(sum(numbers.values()), "claim")
    which = "this run bears" if len(runs) == 1 else "these runs bear"
    return ClaimsSection(
        judged,
        f"Of the {claims} of the papers that {which} on, {numbers['supported']} "
        f"{'is' if numbers['supported'] == 1 else 'are'} supported, {numbers['contradicted']} contradicted"
        f"{_open_words(numbers)}{f'; {never} more can never be decided' if never else ''}.",
    )


def _open_words(numbers: Mapping[Outcome, int]) -> str:
    """How many are open, and how many of these for want of a longer budget; with the comma or the and before."""
    if not numbers["not yet"]:
        return f" and {numbers['undecided']} undecided"
    return f", {numbers['undecided']} undecided and {numbers['not yet']} not yet decided, as the budget is too short"


def _bears_on(claim: Claim, planned: set[str]) -> bool:
    return any(
        len(planned & set(names)) >= min(2, len(names)) for names in (test.networks_named for test in claim.tests)
    )
