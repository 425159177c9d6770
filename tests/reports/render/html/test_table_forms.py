"""A table that a reader copies, as Markdown, LaTeX and CSV; and the order in which its cells sort.

The script is run by node, without a browser.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from collections.abc import Sequence
from importlib import resources
from typing import Any

import pytest

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="no node on this machine")

TABLE = {
    "caption": "Cost & quality, 95 % intervals",
    "groups": [{"text": "", "span": 1}, {"text": "Latency", "span": 2}, {"text": "Front, %", "span": 2}],
    "columns": [
        {"text": "Network", "unit": "", "kind": "name"},
        {"text": "p50", "unit": "ms", "kind": "number"},
        {"text": "MACs", "unit": "", "kind": "number"},
        {"text": "chance", "unit": "", "kind": "number"},
        {"text": "verdict", "unit": "", "kind": "text"},
    ],
    "rows": [
        {"title": "Small ones"},
        {"cells": [("a_b", ""), ("0.765", "0.755 – 0.780"), ("2,412,215", ""), ("> 99", ""), ("better", "")]},
        {"cells": [("c", ""), ("–", ""), ("× 0.5 (0.4 – ∞)", ""), ("< 1", ""), ("undecided", "")]},
        {"cells": [("d", ""), ("1.0", "3 of 8"), ("−0.0 to +1.6", ""), ("97", ""), ("≈ 2–3", "")]},
    ],
}


def of_script(expression: str) -> Any:
    """What an expression of the page's script is, through JSON."""
    folder = resources.files("fbench.reports.render.html").joinpath("templates", "scripts")
    script = "".join(folder.joinpath(f"{name}.js").read_text("utf-8") for name in ("cells", "forms"))
    command = [NODE or "node", "-e", f"{script}\nconsole.log(JSON.stringify({expression}))"]
    return json.loads(subprocess.run(command, capture_output=True, check=True, encoding="utf-8").stdout)


def as_form(form: str) -> str:
    rows = [
        row if "title" in row else {"cells": [{"text": text, "unit": unit} for text, unit in row["cells"]]}
        for row in TABLE["rows"]
    ]
    return str(of_script(f"tableForms.{form}({json.dumps(TABLE | {'rows': rows})})"))


def test_markdown_says_the_caption_and_above_which_group_a_column_stands() -> None:
    lines = as_form("Markdown").splitlines()
    assert lines[0] == "**Cost & quality, 95 % intervals**"
    assert lines[2] == "| Network | Latency: p50 (ms) | Latency: MACs | Front, %: chance | Front, %: verdict |"
    assert lines[3] == "|---|---:|---:|---:|---|"
    assert lines[4].startswith("| **Small ones** |")
    assert lines[5] == "| a\\_b | 0.765 (0.755 – 0.780) | 2,412,215 | \\> 99 | better |"


def test_latex_sets_every_sign_as_it_is_read() -> None:
    text = as_form("LaTeX")
    assert "\\caption{Cost \\& quality, 95~\\% intervals}" in text
    assert "\\begin{tabular}{lrrrl}" in text
    assert " & \\multicolumn{2}{c}{Latency} & \\multicolumn{2}{c}{Front, \\%} \\\\" in text
    assert "\\cmidrule(lr){2-3}\\cmidrule(lr){4-5}" in text
    assert "a\\_b & 0.765 (0.755 -- 0.780) & 2,412,215 & $>$ 99 & better \\\\" in text
    assert "c & -- & $\\times$ 0.5 (0.4 -- $\\infty$) & $<$ 1 & undecided \\\\" in text
    assert "\\multicolumn{5}{l}{\\textit{Small ones}} \\\\" in text
    assert text.isascii()


def test_csv_holds_numbers_that_a_program_reads_and_an_interval_in_columns_of_its_own() -> None:
    rows = list(csv.DictReader(io.StringIO(as_form("CSV"))))
    assert [row["group"] for row in rows] == ["Small ones"] * 3
    first, second, third = rows
    assert [first[f"Latency: p50 (ms){end}"] for end in ("", " low", " high")] == ["0.765", "0.755", "0.780"]
    assert [second[f"Latency: MACs{end}"] for end in ("", " low", " high")] == ["0.5", "0.4", "inf"]
    assert [third[f"Latency: MACs{end}"] for end in ("", " low", " high")] == ["", "-0.0", "1.6"]
    assert first["Latency: MACs"] == "2412215"
    assert [row["Front, %: chance"] for row in rows] == ["99", "1", "97"]
    assert [row["Front, %: chance bound"] for row in rows] == [">", "<", ""]
    assert [row["Latency: p50 (ms) note"] for row in rows] == ["", "", "3 of 8"]
    assert second["Latency: p50 (ms)"] == ""


def sorted_cells(texts: Sequence[str]) -> list[str]:
    return list(of_script(f"{json.dumps(list(texts))}.sort(cells.compare)"))


def test_a_bound_sorts_beside_the_number_that_it_bounds_and_texts_come_last() -> None:
    wanted = ["−6.1", "−0.5", "< 1", "1", "2", "10", "99", "> 99", "1,204", "not known"]
    assert sorted_cells(reversed(wanted)) == wanted


def test_equal_leading_numbers_sort_by_what_follows() -> None:
    wanted = ["2026-01-02", "2026-01-10", "2026-11-01"]
    assert sorted_cells(reversed(wanted)) == wanted
