"""Numbers as text, the same in tables, figures and sentences. A value that is not there is a dash."""

from __future__ import annotations

import bisect
import functools
import itertools
import math
import unicodedata
from collections.abc import Sequence
from typing import Final

from fbench.statistics.intervals import Interval
from fbench.statistics.timing import TimeRatio

MISSING: Final = "–"
ELLIPSIS: Final = "…"
_WIDE: Final = 1.6
_WITHOUT_WIDTH: Final = ("Mn", "Me", "Cf")
_JOINER: Final = "\N{ZERO WIDTH JOINER}"


def number(value: float | None, digits: int = 1) -> str:
    """A number with thousands separated by commas."""
    return MISSING if _absent(value) else f"{value:,.{digits}f}"


def count(value: float | None) -> str:
    """A whole number with thousands separated by commas."""
    return number(value, 0)


def significant(value: float | None, digits: int = 3) -> str:
    """A positive measurement with so many significant digits, never in exponent form; ∞ where noise leaves no end."""
    if value is None or _absent(value):
        return MISSING
    if value == 0:
        return "0"
    if math.isinf(value):
        return "∞"
    return number(value, max(0, digits - 1 - math.floor(math.log10(abs(value)))))


def millions(value: float | None) -> str:
    """A count in millions."""
    return MISSING if value is None else significant(value / 1e6)


def exact_millions(value: float | None) -> str:
    """A count in millions to the thousand, for counts that are compared with each other."""
    return MISSING if value is None else number(value / 1e6, 3)


def percent(fraction: float | None, digits: int = 1) -> str:
    """A fraction of 1 in per cent, without the sign."""
    return MISSING if fraction is None else number(100 * fraction, digits)


def percent_range(low: float, high: float) -> str:
    """An interval of fractions of 1 in per cent, without the sign."""
    return MISSING if _absent(low) else f"{percent(low)} – {percent(high)}"


def points(fraction: float | None) -> str:
    """A difference of fractions in percentage points, with its sign unless it rounds to zero."""
    if fraction is None or _absent(fraction):
        return MISSING
    text = f"{100 * fraction:+.1f}"
    return minus(text) if float(text) else "0.0"


def margin(fraction: float) -> str:
    """The difference that matters, with its unit: ``1 point``, ``0.5 points``."""
    size = f"{100 * fraction:g}"
    return f"{size} {'point' if size == '1' else 'points'}"


def points_range(low: float, high: float) -> str:
    """An interval of differences in percentage points; an end that rounds to zero keeps its sign, so that the side of
    zero on which it lies is seen."""
    return MISSING if _absent(low) else f"{_end(low)} to {_end(high)}"


def _end(fraction: float) -> str:
    return minus(f"{100 * fraction:+.1f}") if fraction else "0.0"


def ratio(value: float | None) -> str:
    """A cost as a multiple of the baseline's."""
    return MISSING if value is None or _absent(value) else f"× {significant(value)}"


def time_ratio(found: TimeRatio | None) -> str:
    """A time as a multiple of the baseline's, with its interval."""
    if found is None:
        return MISSING
    return f"{ratio(found.ratio)} ({significant(found.low)} – {significant(found.high)})"


def effect(found: Interval) -> str:
    """An effect size with its interval; infinite where no seed differs from another."""
    if math.isnan(found.estimate):
        return MISSING
    return minus(f"{found.estimate:.1f} ({found.low:.1f} – {found.high:.1f})").replace("inf", "∞")


def statistic(value: float | None) -> str:
    """A test statistic, such as F, with two digits after the point; infinite where nothing varies."""
    return MISSING if _absent(value) else minus(f"{value:,.2f}").replace("inf", "∞")


def p_value(value: float | None) -> str:
    """A p-value to three digits after the point; a smaller one as a bound."""
    if value is None or _absent(value):
        return MISSING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def p_equals(value: float) -> str:
    """A p-value for a sentence, on one line: ``p = 0.012`` or ``p < 0.001``."""
    text = p_value(value)
    return (f"p {text}" if text.startswith("<") else f"p = {text}").replace(" ", "\N{NO-BREAK SPACE}")


def chance(probability: float) -> str:
    """A probability in whole per cent, without the sign; near 0 and 1 as a bound, as it was counted in draws."""
    if probability < 0.005 or probability > 0.995:
        return "< 1" if probability < 0.005 else "> 99"
    return percent(probability, 0)


def minus(text: str) -> str:
    """The text with a true minus sign."""
    return text.replace("-", "−")


def letter_widths(text: str) -> float:
    """How many Latin letters a text is as wide as: one of Chinese, Japanese or Korean is as wide as 1.6."""
    return sum(map(_letter_width, text))


def shorten(name: str, longest: int = 28) -> str:
    """A name that fits a figure, as wide as so many Latin letters; what is cut is marked by an ellipsis.

    A letter keeps its accents, and an emoji what it is joined with.
    """
    flat = " ".join(name.split())
    ends = list(itertools.accumulate(map(_letter_width, flat)))
    if not ends or ends[-1] <= longest:
        return flat
    kept = bisect.bisect_right(ends, longest - 1)
    while kept and _is_joined(flat[kept - 1 : kept + 1]):
        kept -= 1
    return flat[:kept] + ELLIPSIS


def letters(text: str) -> list[str]:
    """The text in letters, each with its accents, and an emoji with what it is joined with."""
    found: list[str] = []
    for letter in text:
        if found and _is_joined(f"{found[-1][-1]}{letter}"):
            found[-1] += letter
        else:
            found.append(letter)
    return found


@functools.lru_cache(maxsize=4096)
def _letter_width(letter: str) -> float:
    if unicodedata.category(letter) in _WITHOUT_WIDTH:
        return 0.0
    return _WIDE if unicodedata.east_asian_width(letter) in ("W", "F") else 1.0


def _is_joined(pair: str) -> bool:
    """Whether the second of two letters belongs to the first: an accent, or either side of a joiner."""
    return pair[0] == _JOINER or (len(pair) > 1 and unicodedata.category(pair[1]) in _WITHOUT_WIDTH)


def capitalised(text: str) -> str:
    """The text as a sentence begins, unless it begins with a name of a network."""
    first = text.split(" ", 1)[0]
    return text[:1].upper() + text[1:] if first in ("a", "the") else text


def listing(words: Sequence[str]) -> str:
    """The words as a list within a sentence: ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def plural(amount: int, one: str, many: str | None = None) -> str:
    """The amount with its noun: ``1 seed``, ``3 seeds``."""
    return f"{count(amount)} {one if amount == 1 else many or one + 's'}"


def _absent(value: float | None) -> bool:
    return value is None or math.isnan(value)
