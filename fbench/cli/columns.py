"""Rows of text as aligned columns: for tables of thousands of rows, which rich takes half a millisecond each for."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from fbench.core.errors import readable


def aligned(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> str:
    """The rows as lines, each column as wide as its widest entry; those of ``right`` aligned to the right.

    What would break a line is written as an escape. The last column is not filled up, so that what is long there is
    nobody's width.
    """
    from rich.cells import cell_len

    if not rows:
        return ""
    rows = [[readable(text) for text in row] for row in rows]
    columns = [_filled([cell_len(text) for text in column], column, place in right) for place, column in _columns(rows)]
    return "\n".join("  ".join(row).rstrip() for row in zip(*columns, strict=True))


def _columns(rows: Sequence[Sequence[str]]) -> list[tuple[int, Sequence[str]]]:
    return list(enumerate(zip(*rows, strict=True)))


def _filled(widths: Sequence[int], column: Sequence[str], right: bool) -> list[str]:
    widest = max(widths)
    if right:
        return [" " * (widest - width) + text for width, text in zip(widths, column, strict=True)]
    return [text + " " * (widest - width) for width, text in zip(widths, column, strict=True)]
