"""A tuning curve the size of a word: validation accuracy of the first round against the learning rate."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fbench.reports.findings.origin.tuning import TunedNetwork

WIDTH: Final = 90.0
HEIGHT: Final = 30.0
_EDGE: Final = 3.0


@dataclass(frozen=True)
class StrengthLine:
    """One strength of regularisation: a point for each learning rate, in a box of ``WIDTH`` x ``HEIGHT``."""

    strength: str
    points: str
    dots: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class TuningCurve:
    """A line for each strength; ``low`` and ``high`` are the ends of the scale, fractions of 1."""

    lines: tuple[StrengthLine, ...]
    low: float
    high: float


def tuning_curve(network: TunedNetwork) -> TuningCurve | None:
    """The curve of a network; none where fewer than two candidates finished the first round."""
    first = [one for one in network.tried if one.round == 1 and one.top1 is not None]
    scores = [one.top1 for one in first if one.top1 is not None]
    if len(scores) < 2:
        return None
    low, high = min(scores), max(scores)
    rates = sorted({one.candidate.rate for one in first})
    lines = []
    for strength in dict.fromkeys(one.candidate.strength for one in first):
        of_it = sorted(
            (one.candidate.rate, one.top1)
            for one in first
            if one.candidate.strength == strength and one.top1 is not None
        )
        dots = tuple((_across(rate, rates), _up(top1, low, high)) for rate, top1 in of_it)
        lines.append(StrengthLine(strength, " ".join(f"{x:.1f},{y:.1f}" for x, y in dots), dots))
    return TuningCurve(tuple(lines), low, high)


def _across(rate: float, rates: Sequence[float]) -> float:
    """On a logarithmic scale; a single rate in the middle."""
    span = math.log(rates[-1] / rates[0])
    return WIDTH / 2 if span == 0 else _EDGE + math.log(rate / rates[0]) / span * (WIDTH - 2 * _EDGE)


def _up(top1: float, low: float, high: float) -> float:
    return HEIGHT - _EDGE - (top1 - low) / max(high - low, 1e-9) * (HEIGHT - 2 * _EDGE)
