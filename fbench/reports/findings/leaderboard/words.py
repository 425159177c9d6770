"""What a leaderboard says in sentences."""

from __future__ import annotations

from typing import Final

from fbench.reports.findings.leaderboard.model import Board
from fbench.reports.formatting import listing, percent, percent_range, plural

_MOST_NAMED: Final = 5

STATISTICS: Final = (
    "Networks stand together where data, splits, protocol, budget, numerics and the minor version of PyTorch agree, "
    "from whatever bundle; the same trial in two bundles counts once. Seeds of equal numbers are pairs. Intervals are "
    "for new seeds and new images. A network may be the best where no other is shown to be better, by Hsu’s comparison "
    "with the best, which holds for all networks of a board at 95 %. Verdicts beside the leader are corrected by Holm "
    "over all pairs of the board, as the data choose who leads."
)


def board_sentence(board: Board) -> str:
    """Who leads a board, and who ties."""
    first = board.leader or board.rows[0]
    accuracy = first.accuracy.new_images
    where = f"{board.heading}: "
    top1 = f"{percent(accuracy.estimate)} % ({percent_range(accuracy.low, accuracy.high)})"
    if board.leader is None:
        why = board.untested or "two networks of two seeds or more are compared"
        return f"{where}{first.label} has {top1}; nothing is tested: {why}."
    ties = [row.label for row in board.contenders if row is not first]
    more = len(ties) - _MOST_NAMED
    names = listing([*ties[:_MOST_NAMED], f"{more} more"] if more > 0 else ties)
    parts = [f"{first.label} leads with {top1}"]
    parts += [f"{names} may be the best too"] if ties else []
    compared = sum(row.bound is not None for row in board.rows)
    if worse := compared - 1 - len(ties):
        parts.append(f"{plural(worse, 'other is', 'others are')} shown to be less accurate")
    if alone := len(board.rows) - compared:
        parts.append(f"{plural(alone, 'network is', 'networks are')} not compared (one seed, or most collapsed)")
    return f"{where}{'; '.join(parts)}."


def code_words(is_of_user: bool, *, has_sources: bool) -> str:
    """Whose code a network is."""
    if not is_of_user:
        return "fbench’s own"
    return "the submitter’s, in the bundle" if has_sources else "the submitter’s, not in the bundle"
