"""Durations as people say them."""

from __future__ import annotations


def in_words(seconds: float) -> str:
    """``42 s``, ``7 min 30 s``, ``2 h 05 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
