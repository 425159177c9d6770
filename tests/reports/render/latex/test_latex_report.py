"""LaTeX: it is set without an error whatever a name holds, and the PDF says what the table said."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from fbench.reports.render.latex.document import LINES_OF_A_TABLE, to_latex
from fbench.reports.render.latex.text import escape
from fbench.reports.render.plain.model import Column, PlainReport, PlainSection, PlainTable
from tests.reports.render.plain.plain_tables import compile_latex, report, table


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "\\ { } $ & # ^ _ ~ %",
            r"\textbackslash{} \{ \} \$ \& \# \textasciicircum{} \_\allowbreak{} \textasciitilde{} \%",
        ),
        ("−0.4 to +0.8", "$-$0.4 to +0.8"),
        ("× 2", r"$\times$ 2"),
        ("54.5 – 55.5", "54.5 – 55.5"),
        ("95 % of", r"95~\% of"),
        ("a--b---c", r"a-{\kern0pt}-b-{\kern0pt}-{\kern0pt}-c"),
        ('the "last" row', "the “last” row"),
        ("é ő Ł ß ï § °", "é ő Ł ß ï § °"),
        ("e\N{COMBINING ACUTE ACCENT}", "é"),
        ("شب 网络 x", "شب 网络 x"),
        ("<a>|b'',,", r"\textless{}a\textgreater{}\textbar{}b'{\kern0pt}',{\kern0pt},"),
        ("a\nb\x00", "a b"),
        ("[x]*", "{[}x{]}{*}"),
        ("α = Ω", r"$\alpha$ = $\Omega$"),
    ],
)
def test_texts_are_escaped(text: str, expected: str) -> None:
    assert escape(text) == expected


@pytest.mark.parametrize("program", ["lualatex", "xelatex"])
@pytest.mark.slow
def test_hostile_names_are_set(program: str, tmp_path: Path) -> None:
    compile_latex(to_latex(report(table("one"), table("two"))), tmp_path, program)


@pytest.mark.slow
def test_pdf_says_what_the_table_says(tmp_path: Path) -> None:
    names = ("a\\b{c}", "$d$&e#f%", "g|<i>[k]*", "`h`", "--j--", "Łódź é")
    compile_latex(to_latex(report(table("one", names), texts=("title",))), tmp_path)
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed")
    done = subprocess.run(["pdftotext", "-layout", "document.pdf", "-"], cwd=tmp_path, capture_output=True, check=True)
    text = done.stdout.decode("utf-8")
    assert [name for name in names if text.count(name) < 2] == []


@pytest.mark.slow
def test_pdflatex_sets_a_report_in_latin_letters(tmp_path: Path) -> None:
    columns = (Column("Network", kind="name"), Column("p"), Column("Interval", kind="range"))
    given = PlainTable(
        "A – B’s “table”", "l", columns, (("net_1", "< 0.001", "−1.0 to +2.0"), ("é", "0.012", "54 – 55"))
    )
    compile_latex(to_latex(report(given, texts=("title", "Seeds: 3 ≥ 2", "× 2"))), tmp_path, "pdflatex")


def test_what_limits_a_result_is_a_list_with_its_topics_in_bold() -> None:
    section = PlainSection("fer2013", ("Take ires.",), ("Seeds: 3 only", "not complete"), (), ("First: ires",))
    text = to_latex(PlainReport("title", (section,)))
    assert "\\begin{itemize}\n\\item \\textbf{Seeds:} 3 only\n\\item not complete\n\\end{itemize}" in text
    assert "\\textbf{fer2013}" in text
    assert "\\item \\textbf{First:} ires" in text


def test_a_long_table_that_settles_nothing_is_only_named() -> None:
    section = PlainSection("Claims", (), (), (), foldable=(replace(table("one"), caption="Claims of A, open"),))
    text = to_latex(PlainReport("title", (section,)))
    assert f"Claims of A, open: {len(table('one').rows)} rows in the page." in text
    assert "tabular" not in text


def test_packages_and_labels_are_named() -> None:
    text = to_latex(report(table("one")))
    assert "\\usepackage{array,booktabs,graphicx,siunitx}" in text.splitlines()[1]
    assert "\\label{tab:one}" in text


def rows_of(text: str) -> list[list[str]]:
    """The cells of the first table, without its headings."""
    body = text.split("\\midrule\n")[1].split("\\bottomrule")[0]
    return [[cell.strip() for cell in row.removesuffix("\\\\").split(" & ")] for row in body.splitlines()]


def test_numbers_stand_in_a_column_of_siunitx_with_room_for_the_longest() -> None:
    numbers = Column("x", "points")
    given = PlainTable("c", "l", (numbers,), (("130",), ("62.6",), ("0.765",), ("−1,024.5",), ("–",), ("< 0.001",)))
    text = to_latex(report(given))
    assert "\\begin{tabular}{@{}S[table-format=+4.3]@{}}" in text
    assert "{x} \\\\\n{points} \\\\" in text
    assert rows_of(text) == [["130"], ["62.6"], ["0.765"], ["-1024.5"], ["{–}"], [r"{\textless{} 0.001}"]]


def test_intervals_and_words_are_no_columns_of_numbers() -> None:
    columns = (Column("Network", kind="name"), Column("Interval", kind="range"), Column("Verdict", kind="text"))
    given = PlainTable("c", "l", columns, (("a_b", "−1.0 to +2.0", "undecided"),))
    text = to_latex(report(given))
    assert "\\begin{tabular}{@{}lrl@{}}" in text
    assert rows_of(text) == [[r"\fbenchname{a\_\allowbreak{}b}", "$-$1.0 to +2.0", "undecided"]]


def test_rows_stand_under_the_name_of_their_group_on_every_page() -> None:
    names = tuple(f"net{place}" for place in range(LINES_OF_A_TABLE + 5))
    groups = ("x_1",) * (len(names) - 2) + ("y",) * 2
    given = PlainTable(
        "c", "l", (Column("Network", kind="name"),), tuple((name,) for name in names), "", "Against", groups
    )
    first, second = (part.split("\\bottomrule")[0] for part in to_latex(report(given)).split("\\midrule")[1:])
    heading = r"\multicolumn{1}{@{}l}{Against \fbenchname{x\_\allowbreak{}1}:} \\"
    assert first.strip().splitlines()[0] == second.strip().splitlines()[0] == heading
    assert second.count("Against") == 2
    assert re.findall(r"\\quad \\fbenchname\{(net\d+)\}", first + second) == list(names)


def test_a_long_table_goes_on_in_another_and_loses_no_row() -> None:
    names = tuple(f"net{place}" for place in range(3 * LINES_OF_A_TABLE))
    text = to_latex(report(table("one", names)))
    labels = re.findall(r"\\label\{tab:(.*?)\}", text)
    assert labels == ["one", "one-2", "one-3"]
    assert text.count("(continued)") == 2
    assert re.findall(r"^\\fbenchname\{(net\d+)\} &", text, flags=re.M) == list(names)
    assert all(part.count("because of") <= LINES_OF_A_TABLE for part in text.split("\\end{table}"))


@pytest.mark.slow
def test_a_long_name_and_a_document_s_own_command_for_names_are_set(tmp_path: Path) -> None:
    given = replace(table("one", ("a_network_with_a_name_of_many_words_" * 4, "short_name")), caption="Long names")
    mine = "\\newcommand*{\\fbenchname}[1]{\\textsf{#1}}\n"
    assert "Overfull" not in compile_latex(mine + to_latex(report(given, texts=("title",))), tmp_path)


def test_cells_must_fill_the_columns() -> None:
    with pytest.raises(ValueError, match="has 1 cells; give one for each of its 2"):
        PlainTable("c", "l", (Column("x"), Column("y")), (("only one",),))


def test_each_row_has_a_group_or_none_has() -> None:
    with pytest.raises(ValueError, match="has 1 groups for 2 rows"):
        PlainTable("c", "l", (Column("x"),), (("1",), ("2",)), groups=("a",))
