"""Tables and texts for tests of plain formats, and readers of what these write."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from fbench.reports.render.plain.model import Column, PlainReport, PlainSection, PlainTable

HOSTILE = (
    r"a\b",
    "{c}",
    "$d$",
    "e&f",
    "g#1",
    "h^i",
    "j_k_l",
    "~m~",
    "n%",
    "o|p",
    "<script>",
    "`q`",
    "*r*",
    "[s](t)",
    "--u--",
    "−1 × 2 ± 3 ≤ 4 ∞",
    "Łódź é ï ő ß",
    "شبكة",
    "网络 αβ Ω ϑ",
    "@v",
    '"w"',
    "x''y,,z",
    "- x",
    "1. y",
    "line\nbreak\tand tab",
)
COLUMNS = (Column("Network", kind="name"), Column("Top-1", "%"), Column("Why", kind="prose"))


def table(label: str, names: tuple[str, ...] = HOSTILE) -> PlainTable:
    rows = tuple((name, f"{place / 7:.{place % 3}f}", f"because of {name}") for place, name in enumerate(names))
    return PlainTable(f"Caption of {names[0]}", label, COLUMNS, rows, note=names[-1])


def report(*tables: PlainTable, texts: tuple[str, ...] = HOSTILE) -> PlainReport:
    return PlainReport(texts[0], (PlainSection(texts[0], texts, texts[:3], tables),))


def markdown_tables(text: str) -> list[list[list[str]]]:
    """The cells of each table of a Markdown text, headings first, as a reader sees them."""
    blocks = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    return [[_cells(line) for place, line in enumerate(lines) if place != 1] for lines in blocks]


def _cells(line: str) -> list[str]:
    cells = re.split(r"(?<!\\)(?:\\\\)*\|", line.strip())[1:-1]
    return [seen(cell) for cell in cells]


def seen(markdown: str) -> str:
    """A text without its escapes."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown.replace("<!-- -->", "")).strip()


def compile_latex(body: str, folder: Path, program: str = "lualatex") -> str:
    """Set the text in a minimal document and return its log; a program that is not there skips the test."""
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    (folder / "tables.tex").write_text(body, encoding="utf-8")
    (folder / "document.tex").write_text(
        "\\documentclass{article}\n\\usepackage{array,booktabs,graphicx,siunitx}\n"
        "\\begin{document}\n\\listoftables\n\\input{tables}\n\\end{document}\n",
        encoding="utf-8",
    )
    command = [program, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "document"]
    for _ in range(2):  # the second time with the list of tables, which holds the captions
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stdout.decode("utf-8", "replace")[-3000:]
    return (folder / "document.log").read_text(encoding="utf-8", errors="replace")
