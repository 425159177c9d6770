"""Text in cells of a CSV file that spreadsheets would run as a formula, made harmless and read back.

Spreadsheets take a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break for a formula, whatever
quotes are around it (OWASP, CSV injection). A text that begins so gets an apostrophe in front, which they take for
"this is text"; so does one that would be taken for such a text when it is read back. Numbers are never touched.
"""

from __future__ import annotations

import re
from typing import Final

_FORMULA: Final = re.compile(r"'*[=+\-@\t\r\n]")


def harmless(text: str) -> str:
    """A text as it is written to a cell."""
    return f"'{text}" if _FORMULA.match(text) else text


def original(cell: str) -> str:
    """The text that :func:`harmless` made a cell of."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
