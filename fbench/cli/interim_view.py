"""What ``fbench run --until-decided`` prints: the interim analyses that are planned, and what each one found."""

from __future__ import annotations

from collections.abc import Sequence

from fbench.benchmark.records.interim_analyses import InterimAnalysis
from fbench.reports.findings.comparisons.budget import ShortBudget
from fbench.reports.formatting import plural, points, points_range


def analysis_lines(analyses: Sequence[InterimAnalysis], budget: ShortBudget | None = None) -> list[str]:
    """A line for each comparison that was analysed, and how many are still open; before them the budget, where it is
    below the protocol's own."""
    still_open = sum(analysis.state == "open" for analysis in analyses)
    return [
        *([budget.sentence] if budget else []),
        *(_line(analysis) for analysis in analyses),
        f"{plural(still_open, 'comparison')} of {len(analyses)} still open."
        if still_open
        else "No comparison is open any more.",
    ]


def _line(analysis: InterimAnalysis) -> str:
    what = (
        f"interim analysis at {analysis.seeds} seeds: {analysis.network} against {analysis.baseline} on {analysis.data}"
    )
    if analysis.estimate is None or analysis.low is None or analysis.high is None:
        return f"{what}: {_pairs(analysis)}, which say nothing"
    found = f"{points(analysis.estimate)} points ({points_range(analysis.low, analysis.high)})"
    learned = f", {_pairs(analysis)}" if analysis.learned_pairs not in (None, analysis.pairs) else ""
    return f"{what}: {found}, {_state(analysis)}{learned}"


def _pairs(analysis: InterimAnalysis) -> str:
    """How many pairs of trials there are, and in how many of them no training collapsed."""
    if analysis.learned_pairs in (None, analysis.pairs):
        return f"{plural(analysis.pairs, 'pair')} of finished trials"
    return f"{analysis.learned_pairs} of {plural(analysis.pairs, 'pair')} without a collapsed training"


def _state(analysis: InterimAnalysis) -> str:
    match analysis.state:
        case "decided":
            return analysis.verdict
        case "futile":
            return "given up: the seeds still allowed would hardly decide it"
        case "last analysis":
            return "undecided at the last interim analysis"
        case _:
            return f"open; {100 * (analysis.chance_to_decide or 0):.0f} % chance that the last interim analysis decides"
