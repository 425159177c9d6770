"""Regular expressions of anybody, matched only where that takes few steps.

Python's matcher goes back and tries again; ``(a+)+b`` takes a second at 25 letters and a century at 60. The number of
ways to go through a pattern bounds its steps: the product, over its repeats, of how many lengths each may have on a
text of this length, and over its alternatives, of how many there are; times the places to begin at.
"""

from __future__ import annotations

import re

# The parser of re has no public name; what it returns has been the same since Python 2.
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final

MOST_STEPS: Final = 2**24
"""About a second."""
_MOST_PATTERN: Final = 1000
_REPEATS: Final = (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT)


class PatternError(ValueError):
    """A pattern is no regular expression, or could take too long; the message says which."""


def check_pattern(pattern: str) -> None:
    """See that a text is a regular expression, and short enough for its use.

    Raises:
        PatternError: it is not.
    """
    if len(pattern) > _MOST_PATTERN:
        raise PatternError(f"it has more than {_MOST_PATTERN} characters")
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise PatternError(f"it is no regular expression ({error})") from error


def search(pattern: str, text: str) -> re.Match[str] | None:
    """As :func:`re.search`, for a pattern of :func:`check_pattern`.

    Raises:
        PatternError: it could take more than :data:`MOST_STEPS`.
    """
    ways = _ways(parser.parse(pattern), len(text) + 1)
    if ways * (len(text) + 1) > MOST_STEPS:
        raise PatternError(
            f"it could take too long on a text of {len(text)} characters; use fewer repeats such as * and +, and none "
            "within another"
        )
    return re.search(pattern, text)


def _ways(parts: Any, length: int) -> int:
    """How many ways there are through a parsed pattern, at most; beyond the bound any number above it."""
    ways = 1
    for code, argument in parts:
        if code in _REPEATS:
            least, most, body = argument
            within, most = _ways(body, length), min(int(most), length)
            ways *= max(1, most - int(least) + 1) * (within ** min(most, 64) if within > 1 else 1)
        elif code is codes.BRANCH:
            ways *= sum(_ways(one, length) for one in argument[1])
        elif code is codes.GROUPREF_EXISTS:
            ways *= sum(_ways(one, length) for one in argument[1:] if one is not None)
        else:
            for inner in argument if isinstance(argument, tuple) else (argument,):
                if isinstance(inner, parser.SubPattern):
                    ways *= _ways(inner, length)
        if ways > MOST_STEPS:
            return MOST_STEPS + 1
    return ways
