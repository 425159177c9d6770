"""What ``fbench run --until-decided`` prints: the looks that are planned, and what each one found."""

from __future__ import annotations

from collections.abc import Sequence

from fbench.benchmark.records.interim_analyses import Look
from fbench.reports.formatting import plural, points, points_range


def look_lines(looks: Sequence[Look]) -> list[str]:
    """A line for each comparison that was looked at, and how many are still open."""
    still_open = sum(look.state == "open" for look in looks)
    return [
        *(_line(look) for look in looks),
        f"{plural(still_open, 'comparison')} of {len(looks)} still open."
        if still_open
        else "No comparison is open any more.",
    ]


def _line(look: Look) -> str:
    what = f"look at {look.seeds} seeds: {look.network} against {look.baseline} on {look.data}"
    if look.estimate is None or look.low is None or look.high is None:
        return f"{what}: {plural(look.pairs, 'pair')} of finished trials, which say nothing"
    found = f"{points(look.estimate)} points ({points_range(look.low, look.high)})"
    return f"{what}: {found}, {_state(look)}"


def _state(look: Look) -> str:
    match look.state:
        case "decided":
            return look.verdict
        case "futile":
            return "given up: the seeds still allowed would hardly decide it"
        case "last look":
            return "undecided at the last look"
        case _:
            return f"open; {100 * (look.chance_to_decide or 0):.0f} % chance that the last look decides"
