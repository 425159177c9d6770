"""The overview of one run on one data set: what its first screen says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fbench.reports.findings.comparisons.budget import ShortBudget
from fbench.reports.findings.comparisons.evidence import Evidence
from fbench.reports.findings.comparisons.studies import StudyResult
from fbench.reports.findings.comparisons.summary import NetworkSummary
from fbench.reports.findings.costs.machines import TimesApart
from fbench.reports.findings.next_step import NextStep
from fbench.reports.findings.origin.provenance import budget_words
from fbench.reports.findings.overview.ablations import Ablation, ablations
from fbench.reports.findings.overview.contenders import Contender, contenders
from fbench.reports.findings.overview.recommendation import Recommendation, margin_of, recommend
from fbench.reports.findings.overview.trust import TrustLine, trust_lines
from fbench.reports.findings.overview.without_result import NetworkWithoutResult, networks_without_result


@dataclass(frozen=True)
class Overview:
    """What to take, which networks may be the best, every ablation, of which networks there is no result, and how far
    all that can be trusted; ``trained`` says by which protocol and budget, and ``margin`` is the difference that
    matters, a fraction of 1."""

    recommendation: Recommendation
    contenders: tuple[Contender, ...]
    ablations: tuple[Ablation, ...]
    without_result: tuple[NetworkWithoutResult, ...]
    trust: tuple[TrustLine, ...]
    trained: str
    margin: float


def overview(
    evidence: Evidence,
    summary: Sequence[NetworkSummary],
    results: Sequence[StudyResult],
    budget: ShortBudget | None,
    next_step: NextStep,
    apart: TimesApart,
) -> Overview:
    """From what was found of one run on one data set; ``apart`` says which machines its times are of."""
    found = contenders(evidence, summary)
    config = evidence.run.config
    return Overview(
        recommend(evidence, summary, found, results, budget, next_step),
        found,
        ablations(evidence, results),
        networks_without_result(evidence),
        trust_lines(evidence, budget, apart),
        f"protocol {config.protocol.name}, preset {config.preset}: {budget_words(config.budget, config.protocol)}",
        margin_of(results),
    )
