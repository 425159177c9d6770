"""Text in CSV cells that a spreadsheet would run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbench.core.csv_cells import harmless, original


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''@x"])
def test_a_cell_never_begins_like_a_formula_and_is_read_back(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert original(harmless(text)) == text


@pytest.mark.parametrize("text", ["", "ires", "'quoted'", "a=b", "1.5", "'", "ARCH-1"])
def test_other_text_is_left_alone(text: str) -> None:
    assert harmless(text) == text == original(text)


@given(st.text(alphabet="'=+-@\t\rab"))
def test_every_text_comes_back(text: str) -> None:
    assert original(harmless(text)) == text
    assert not harmless(text).startswith(tuple("=+-@\t\r"))
