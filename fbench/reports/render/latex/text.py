"""Any text as LaTeX; letters of every script stay as they are, those of scripts other than Latin for lualatex and
xelatex."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_GREEK: Final = (
    "αalpha βbeta γgamma δdelta εvarepsilon ζzeta ηeta θtheta ιiota κkappa λlambda μmu νnu ξxi πpi ρrho σsigma τtau "
    "υupsilon φvarphi χchi ψpsi ωomega ΓGamma ΔDelta ΘTheta ΛLambda ΞXi ΠPi ΣSigma ΥUpsilon ΦPhi ΨPsi ΩOmega"
)
_SYMBOLS: Final = {
    "\\": "\\textbackslash{}",
    "{": "\\{",
    "}": "\\}",
    "$": "\\$",
    "&": "\\&",
    "#": "\\#",
    "_": "\\_\\allowbreak{}",  # a name of many words may go on in the next line
    "%": "\\%",
    "^": "\\textasciicircum{}",
    "~": "\\textasciitilde{}",
    "`": "\\textasciigrave{}",
    "[": "{[}",  # after the end of a row, a bracket or an asterisk would belong to it
    "]": "{]}",
    "*": "{*}",
    "\N{NO-BREAK SPACE}": "~",
    "\N{NARROW NO-BREAK SPACE}": "\\,",
    # What Latin Modern, the font of a document that names none, may lack as text.
    **{word[0]: f"$\\{word[1:]}$" for word in _GREEK.split()},
    "<": "\\textless{}",  # OT1, a document's encoding by default, has an inverted exclamation mark there
    ">": "\\textgreater{}",
    "|": "\\textbar{}",
    "−": "$-$",
    "×": "$\\times$",
    "±": "$\\pm$",
    "≤": "$\\leq$",
    "≥": "$\\geq$",
    "≈": "$\\approx$",
    "∞": "$\\infty$",
    "→": "$\\rightarrow$",
}
_OPENING_QUOTE: Final = re.compile(r'(?<![^\s(])"(?=\S)')
_NUMBER_AND_PERCENT: Final = re.compile(r"(?<=\d) %")
_LIGATURE: Final = re.compile(r"([-,'])(?=\1)")
_TRANSLATION: Final = str.maketrans(_SYMBOLS)


def escape(text: str) -> str:
    """A text as LaTeX, on one line; two hyphens, commas or apostrophes in a name stay two."""
    flat = " ".join(re.split(r"[ \t\r\n\f\v\x85\u2028\u2029]+", text.strip()))
    flat = "".join(letter for letter in unicodedata.normalize("NFC", flat) if unicodedata.category(letter) != "Cc")
    flat = _OPENING_QUOTE.sub("“", flat).replace('"', "”")
    flat = _NUMBER_AND_PERCENT.sub("\N{NO-BREAK SPACE}%", flat)
    return _LIGATURE.sub(r"\1{\\kern0pt}", flat.translate(_TRANSLATION))  # empty braces keep no ligature from lualatex
