"""Durations as people say them."""

from __future__ import annotations

import re
from typing import Final

from fbench.core.errors import UserError

_SECONDS: Final = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}


def in_words(seconds: float) -> str:
    """``42 s``, ``7 min 30 s``, ``2 h 05 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def seconds_of(text: str, option: str) -> float:
    """Seconds of a duration such as ``90``, ``90s``, ``20m`` or ``1.5h``.

    Raises:
        UserError: it is none, or no time at all.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]*)", text.strip())
    unit = _SECONDS.get(found[2]) if found else None
    if found is None or unit is None or float(found[1]) == 0:
        raise UserError(f"{option} {text} was given; give a duration such as 90s, 20m or 1.5h.")
    return float(found[1]) * unit
