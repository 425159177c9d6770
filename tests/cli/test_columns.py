"""Aligned columns of text."""

from __future__ import annotations

from fbench.cli.columns import aligned


def test_columns_are_as_wide_as_their_widest_entry_and_the_last_is_not_filled() -> None:
    rows = [
        ("network", "top-1", "status"),
        ("ires", "9.00 %", "failed: a long reason"),
        ("表情", "10.00 %", "finished"),
    ]
    assert aligned(rows, right=(1,)).split("\n") == [
        "network    top-1  status",
        "ires      9.00 %  failed: a long reason",
        "表情     10.00 %  finished",
    ]


def test_no_rows_are_no_lines() -> None:
    assert aligned([]) == ""


def test_a_text_of_several_lines_takes_one_and_no_more() -> None:
    assert aligned([("forged\nires  90 %  finished", "x")]) == "forged\\nires  90 %  finished  x"
