"""LaTeX: it is set without an error whatever a name holds, and the PDF says what the table said."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from fbench.reports.render.latex.document import LINES_OF_A_TABLE, to_latex
from fbench.reports.render.latex.text import escape
from fbench.reports.render.plain.model import Column, PlainTable
from tests.reports.render.plain.plain_tables import compile_latex, report, table


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\\ { } $ & # ^ _ ~ %", r"\textbackslash{} \{ \} \$ \& \# \textasciicircum{} \_ \textasciitilde{} \%"),
        ("−0.4 to +0.8", "$-$0.4 to +0.8"),
        ("× 2", r"$\times$ 2"),
        ("54.5 – 55.5", "54.5 – 55.5"),
        ("95 % of", r"95~\% of"),
        ("a--b---c", "a-{}-b-{}-{}-c"),
        ('the "last" row', "the “last” row"),
        ("é ő Ł ß ï § °", "é ő Ł ß ï § °"),
        ("e\N{COMBINING ACUTE ACCENT}", "é"),
        ("شب 网络 x", "شب 网络 x"),
        ("<a>|b'',,", "<a>|b'{}',{},"),
        ("a\nb\x00", "a b"),
        ("[x]*", "{[}x{]}{*}"),
        ("α = Ω", r"$\alpha$ = $\Omega$"),
    ],
)
def test_texts_are_escaped(text: str, expected: str) -> None:
    assert escape(text) == expected


@pytest.mark.parametrize("program", ["lualatex", "xelatex"])
def test_hostile_names_are_set(program: str, tmp_path: Path) -> None:
    compile_latex(to_latex(report(table("one"), table("two"))), tmp_path, program)


def test_pdf_says_what_the_table_says(tmp_path: Path) -> None:
    names = ("a\\b{c}", "$d$&e#f%", "g|<i>[k]*", "`h`", "--j--", "Łódź é")
    compile_latex(to_latex(report(table("one", names), texts=("title",))), tmp_path)
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    done = subprocess.run(["pdftotext", "-layout", "document.pdf", "-"], cwd=tmp_path, capture_output=True, check=True)
    text = done.stdout.decode("utf-8")
    assert [name for name in names if text.count(name) < 2] == []


def test_packages_and_labels_are_named() -> None:
    text = to_latex(report(table("one")))
    assert "\\usepackage{array,booktabs,graphicx}" in text.splitlines()[1]
    assert "\\label{tab:one}" in text


def test_decimal_points_stand_below_each_other() -> None:
    given = PlainTable("c", "l", (Column("x"),), (("130",), ("62.6",), ("0.765",), ("−1,024.5",)))
    rows = to_latex(report(given)).split("\\midrule\n")[1].split("\\bottomrule")[0].splitlines()
    digits = [re.sub(r"\\phantom\{([.0]*)\}|\s*\\\\", r"\1", row).partition(".")[2] for row in rows]
    assert [len(one) for one in digits] == [3] * 4


def test_a_long_table_goes_on_in_another_and_loses_no_row() -> None:
    names = tuple(f"net{place}" for place in range(3 * LINES_OF_A_TABLE))
    text = to_latex(report(table("one", names)))
    labels = re.findall(r"\\label\{tab:(.*?)\}", text)
    assert labels == ["one", "one-2", "one-3"]
    assert text.count("(continued)") == 2
    assert re.findall(r"^(net\d+) &", text, flags=re.M) == list(names)
    assert all(part.count("because") <= LINES_OF_A_TABLE for part in text.split("\\end{table}"))


def test_cells_must_fill_the_columns() -> None:
    with pytest.raises(ValueError, match="has 1 cells; give one for each of its 2"):
        PlainTable("c", "l", (Column("x"), Column("y")), (("only one",),))
