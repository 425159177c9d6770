"""Markdown: what is read back is what was written, and it always fits a comment on GitHub."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from fbench.reports.render.markdown.document import MOST_CHARACTERS, escape, to_markdown
from fbench.reports.render.plain.model import Column, PlainReport, PlainSection, PlainTable
from tests.reports.render.plain.plain_tables import HOSTILE, markdown_tables, report, seen, table


def test_cells_are_read_back_as_they_were_given() -> None:
    given = table("one")
    (found,) = markdown_tables(to_markdown(report(given)))
    assert found[0] == ["Network", "Top-1, %", "Why"]
    assert found[1:] == [[" ".join(cell.split()) for cell in row] for row in given.rows]


def test_numbers_stand_to_the_right() -> None:
    rule = next(line for line in to_markdown(report(table("one"))).splitlines() if line.startswith("| ---"))
    assert [cell.strip().endswith(":") for cell in rule.split("|")[1:-1]] == [False, True, False]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_character_means_anything(text: str) -> None:
    written = escape(text)
    assert not re.search(r"(?<!\\)[|`*_<>~$\[\]&](?!!--|-->| -->)", written.replace("<!-- -->", "").replace("\\\\", ""))
    assert not re.search(r"[@#]\w", written)
    assert seen(written) == " ".join(text.split())


@pytest.mark.parametrize("text", ["- a", "+ a", "1. a", "12) a", "# a"])
def test_a_sentence_begins_no_list_and_no_heading(text: str) -> None:
    lines = to_markdown(report(texts=("title", text))).splitlines()
    assert text not in lines
    assert text in [seen(line) for line in lines]


@pytest.mark.parametrize("tables", [1, 3, 40])
@pytest.mark.parametrize("limit", [400, 5_000, MOST_CHARACTERS])
def test_what_does_not_fit_is_left_out_from_the_end_and_counted(tables: int, limit: int) -> None:
    names = tuple(f"network_{place}" for place in range(30))
    given = report(*(table(f"t{place}", names) for place in range(tables)), texts=("title",))
    text = to_markdown(given, limit)
    assert len(text) <= limit < 65_536
    kept = len(markdown_tables(text))
    left_out = tables - kept
    last = text.splitlines()[-1]
    if left_out:
        assert f"{limit:,} characters" in last
        assert ("the last table;" if left_out == 1 else f"the last {left_out} tables") in last
        assert "###" not in text.splitlines()[-3]
    else:
        assert last == "network\\_29"


def of_a_section(**parts: object) -> PlainReport:
    return PlainReport("title", (PlainSection("part", ("Take ires.", "It is best."), ("Seeds: 3", "- x"), **parts),))  # type: ignore[arg-type]


def test_the_answer_and_what_limits_it_come_before_the_one_table_and_the_rest_is_folded() -> None:
    given = of_a_section(
        tables=(table("one"),), words=("First: ires.",), folded=(replace(table("two"), title="A <b> of @you"),)
    )
    blocks = to_markdown(given, pages=("report.html in the run’s folder",)).split("\n\n")
    assert blocks[:4] == ["## title", "### part", "**Take ires.**", "It is best."]
    assert blocks[4] == "> [!WARNING]\n> - Seeds: 3\n> - \\- x"
    opened = [place for place, block in enumerate(blocks) if block.startswith("<details>")]
    tables = [place for place, block in enumerate(blocks) if block.startswith("|")]
    link = blocks.index("The full report: report.html in the run’s folder")
    assert tables[0] < link < opened[0] < opened[1] < tables[1]
    assert blocks[opened[0]] == "<details>\n<summary>In words</summary>"
    assert blocks[opened[1]] == "<details>\n<summary>A &lt;b&gt; of @<!-- -->you</summary>"
    assert sum(block.startswith("</details>") for block in blocks) == 2


@pytest.mark.parametrize("limit", [900, 2_000, 3_000])
def test_what_is_folded_is_left_out_whole(limit: int) -> None:
    given = of_a_section(tables=(table("one", ("a",)),), words=("long " * 200,), folded=(table("two"),) * 3)
    text = to_markdown(given, limit)
    assert len(text) <= limit
    assert text.count("<details>") == text.count("</details>") < 4
    assert "Left out" in text


def test_rows_in_groups_have_the_group_in_a_column() -> None:
    columns = (Column("Network", kind="name"), Column("Difference", "points"))
    given = PlainTable("c", "l", columns, (("a_b", "+1.0"), ("c", "–")), "", "Against", ("x", "y_z"))
    (found,) = markdown_tables(to_markdown(report(given)))
    assert found == [["Network", "Against", "Difference, points"], ["a_b", "x", "+1.0"], ["c", "y_z", "–"]]


def test_even_an_endless_title_fits() -> None:
    text = to_markdown(report(table("one"), texts=("_" * 100_000,)))
    assert len(text) <= MOST_CHARACTERS
    assert "Left out" in text
