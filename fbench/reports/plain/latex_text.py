"""Any text as LaTeX that pdflatex, lualatex and xelatex set, in ASCII but for scripts that pdflatex cannot set."""

from __future__ import annotations

import re
import unicodedata
from itertools import groupby
from typing import Final

SCRIPT_COMMAND: Final = "\\fbenchscript"
SCRIPT_DEFINITION: Final = (
    "% Letters of other scripts: lualatex and xelatex print them in a font that has them, pdflatex their numbers.\n"
    f"\\providecommand*{{{SCRIPT_COMMAND}}}[2]{{\\ifdefined\\Umathcode #1\\else\\texttt{{#2}}\\fi}}"
)

_GREEK: Final = (
    "αalpha βbeta γgamma δdelta εvarepsilon ζzeta ηeta θtheta ιiota κkappa λlambda μmu νnu ξxi πpi ρrho σsigma τtau "
    "υupsilon φvarphi χchi ψpsi ωomega ΓGamma ΔDelta ΘTheta ΛLambda ΞXi ΠPi ΣSigma ΥUpsilon ΦPhi ΨPsi ΩOmega"
)
_SYMBOLS: Final = {
    **{word[0]: f"$\\{word[1:]}$" for word in _GREEK.split()},
    "\\": "\\textbackslash{}",
    "{": "\\{",
    "}": "\\}",
    "$": "\\$",
    "&": "\\&",
    "#": "\\#",
    "_": "\\_",
    "%": "\\%",
    "^": "\\textasciicircum{}",
    "~": "\\textasciitilde{}",
    "<": "$<$",
    ">": "$>$",
    "|": "\\textbar{}",
    '"': "''",
    "`": "\\textasciigrave{}",
    "[": "{[}",  # after the end of a row, a bracket or an asterisk would belong to it
    "]": "{]}",
    "*": "{*}",
    "−": "$-$",
    "×": "$\\times$",
    "±": "$\\pm$",
    "≤": "$\\leq$",
    "≥": "$\\geq$",
    "≈": "$\\approx$",
    "∞": "$\\infty$",
    "→": "$\\rightarrow$",
    "·": "$\\cdot$",
    "²": "$^2$",
    "³": "$^3$",
    "µ": "$\\mu$",
    "°": "$^\\circ$",
    "–": "--",
    "—": "---",
    "…": "\\ldots{}",
    "‘": "`",
    "’": "'",
    "“": "``",
    "”": "''",
    "\N{NO-BREAK SPACE}": "~",
    "\N{NARROW NO-BREAK SPACE}": "\\,",
    "§": "\\S{}",
    "©": "\\copyright{}",
    "ß": "\\ss{}",
    "æ": "\\ae{}",
    "Æ": "\\AE{}",
    "œ": "\\oe{}",
    "Œ": "\\OE{}",
    "ø": "\\o{}",
    "Ø": "\\O{}",
    "ł": "\\l{}",
    "Ł": "\\L{}",
    "ı": "\\i{}",
}
_ACCENTS: Final = {
    "\N{COMBINING GRAVE ACCENT}": "`",
    "\N{COMBINING ACUTE ACCENT}": "'",
    "\N{COMBINING CIRCUMFLEX ACCENT}": "^",
    "\N{COMBINING TILDE}": "~",
    "\N{COMBINING DIAERESIS}": '"',
    "\N{COMBINING MACRON}": "=",
    "\N{COMBINING DOT ABOVE}": ".",
    "\N{COMBINING RING ABOVE}": "r",
    "\N{COMBINING CARON}": "v",
    "\N{COMBINING BREVE}": "u",
    "\N{COMBINING CEDILLA}": "c",
    "\N{COMBINING DOUBLE ACUTE ACCENT}": "H",
}
_OPENING_QUOTE: Final = re.compile(r'(?<![^\s(])"(?=\S)')
_LIGATURE: Final = re.compile(r"(?<=([-,']))(?=\1)")
_NUMBER_AND_PERCENT: Final = re.compile(r"(?<=\d) %")


def escape(text: str) -> str:
    """A text as LaTeX, on one line; what pdflatex cannot set is given twice, for lualatex and as numbers."""
    flat = " ".join(re.split(r"[ \t\r\n\f\v\x85\u2028\u2029]+", text.strip()))
    flat = "".join(letter for letter in unicodedata.normalize("NFC", flat) if unicodedata.category(letter) != "Cc")
    flat = _OPENING_QUOTE.sub("“", flat)
    flat = _NUMBER_AND_PERCENT.sub("\N{NO-BREAK SPACE}%", flat)
    parts = []
    for is_known, run in groupby(flat, lambda letter: _as_latex(letter) is not None):
        letters = "".join(run)
        parts.append(_known(letters) if is_known else _script(letters))
    return "".join(parts)


def _known(letters: str) -> str:
    """Letters that pdflatex sets; two hyphens, commas or apostrophes in a name stay two."""
    return "".join(_as_latex(letter) or "" if letter else "{}" for letter in _apart(letters))


def _apart(letters: str) -> list[str]:
    """The letters, with an empty text between two that LaTeX would join."""
    pieces = _LIGATURE.split(letters)[::2]
    found: list[str] = []
    for place, piece in enumerate(pieces):
        found += ["", *piece] if place else piece
    return found


def _script(letters: str) -> str:
    numbers = ".".join(f"{ord(letter):04X}" for letter in letters)
    return f"{SCRIPT_COMMAND}{{{letters}}}{{U+{numbers}}}"


def _as_latex(letter: str) -> str | None:
    if letter in _SYMBOLS:
        return _SYMBOLS[letter]
    if letter.isascii():
        return letter
    parts = unicodedata.normalize("NFD", letter)
    if len(parts) == 2 and parts[0].isascii() and parts[1] in _ACCENTS:
        return f"\\{_ACCENTS[parts[1]]}{{{parts[0]}}}"
    return None
