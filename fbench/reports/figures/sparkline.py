"""A learning curve the size of a word (Tufte 2006): validation accuracy of one network over its evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from fbench.reports.findings.comparisons.evidence import NetworkEvidence

WIDTH: Final = 72.0
HEIGHT: Final = 18.0
_EDGE: Final = 2.0


@dataclass(frozen=True)
class Sparkline:
    """Points of a line in a box of ``WIDTH`` x ``HEIGHT``; ``first`` and ``last`` are fractions of 1."""

    points: str
    first: float
    last: float
    end: tuple[float, float]


def sparklines(networks: Mapping[str, NetworkEvidence]) -> dict[str, Sparkline]:
    """The mean over seeds of top-1 on the validation split, all networks on one scale; none of a single evaluation."""
    curves = {name: curve for name, found in networks.items() if len(curve := _curve(found)) > 1}
    if not curves:
        return {}
    low, high = min(map(min, curves.values())), max(map(max, curves.values()))
    return {name: _line(curve, low, max(high, low + 1e-9)) for name, curve in curves.items()}


def _curve(found: NetworkEvidence) -> list[float]:
    lengths = [len(history) for history in found.histories]
    points = [
        [row.validation_top1 for history in found.histories if index < len(history) for row in (history[index],)]
        for index in range(max(lengths, default=0))
    ]
    means = [float(np.mean([value for value in values if np.isfinite(value)] or [np.nan])) for values in points]
    return [mean for mean in means if np.isfinite(mean)]


def _line(curve: Sequence[float], low: float, high: float) -> Sparkline:
    across = np.linspace(_EDGE, WIDTH - _EDGE, len(curve))
    up = HEIGHT - _EDGE - (np.array(curve) - low) / (high - low) * (HEIGHT - 2 * _EDGE)
    pairs = [(float(x), float(y)) for x, y in zip(across, up, strict=True)]
    text = " ".join(f"{x:.1f},{y:.1f}" for x, y in pairs)
    return Sparkline(text, float(curve[0]), float(curve[-1]), pairs[-1])
