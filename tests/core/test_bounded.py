"""Files, JSON and TOML of anybody, within bounds."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from fbench.core.bounded import (
    MOST_DEPTH,
    MOST_JSON_BYTES,
    MOST_TOML_BYTES,
    parse_json,
    parse_toml,
    read_bytes,
    read_json,
    reading,
)
from fbench.core.npz import MOST_ARRAY_BYTES


def test_pipes_devices_and_folders_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path, what in ((tmp_path / "pipe", "device"), (Path("/dev/zero"), "device"), (tmp_path, "folder")):
        with pytest.raises(ValueError, match=what):
            read_bytes(path, 100)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as stream:
        stream.truncate(2**40)
    with pytest.raises(ValueError, match="1,099,511,627,776 bytes"), reading(tmp_path / "sparse", 2**30):
        pass
    (tmp_path / "small").write_bytes(b"12345")
    assert read_bytes(tmp_path / "small", 5) == b"12345"
    with pytest.raises(ValueError, match="5 bytes, and 4 are the most"):
        read_bytes(tmp_path / "small", 4)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_deep_json_is_refused_and_wide_json_is_read(opening: str, closing: str) -> None:
    for depth in (MOST_DEPTH + 1, 200_000):
        with pytest.raises(ValueError, match="levels"):
            parse_json(opening * depth + "0" + closing * depth)
    assert parse_json(opening * MOST_DEPTH + "0" + closing * MOST_DEPTH)
    assert len(parse_json("[" + ",".join(["[[],{}]"] * 10_000) + "]")) == 10_000


def test_brackets_in_strings_are_no_levels() -> None:
    assert parse_json('["' + "[{" * 1000 + '", "a\\"[[["]') == ["[{" * 1000, 'a"[[[']


@pytest.mark.parametrize("text", ["a = " + "[" * 100_000, "a." * 100_000 + "a = 1", "[" + "a." * 100_000 + "a]"])
def test_deep_toml_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="levels"):
        parse_toml(text)


def test_toml_that_python_has_no_number_for_is_an_error_of_toml() -> None:
    with pytest.raises(ValueError, match="4300"):
        parse_toml("a = " + "9" * 10_000)


def test_toml_with_dots_and_brackets_in_its_texts_is_read() -> None:
    assert parse_toml('a.b.c = "' + "[." * 1000 + '"\nd = [1.5, 2.5]') == {
        "a": {"b": {"c": "[." * 1000}},
        "d": [1.5, 2.5],
    }


def test_texts_of_json_hold_nothing_that_a_terminal_obeys(tmp_path: Path) -> None:
    value = {"a\x1b[2J": ["\x07bell", "two\n\tlines", "\u202egnp", "é\u2019"], "n": 1.5, "raw\x9b": None}
    for ascii_only in (True, False):
        (tmp_path / "x.json").write_text(json.dumps(value, ensure_ascii=ascii_only), encoding="utf-8")
        assert read_json(tmp_path / "x.json") == {
            "a\\x1b[2J": ["\\x07bell", "two\n\tlines", "\\u202egnp", "é\u2019"],
            "n": 1.5,
            "raw\\x9b": None,
        }


def test_the_page_on_security_states_the_bounds() -> None:
    page = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
    text = " ".join(page.split())
    assert f"JSON has at most {MOST_JSON_BYTES >> 20} MiB, TOML {MOST_TOML_BYTES >> 20} MiB" in text
    assert f"at most {MOST_DEPTH} levels; the arrays of an npz file at most {MOST_ARRAY_BYTES >> 30} GiB" in text


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        (str(2**63 - 1), False),
        (str(2**63), True),
        (str(-(2**63)), True),
        ("1" * 400, True),
        ("9" * 5000, True),
        ("1e308", False),
        ("1e309", True),
        ("-1e999", True),
        ("1e-999", False),
        ("NaN", True),
        ("-Infinity", True),
    ],
)
@pytest.mark.parametrize("around", ['{"a": [%s]}', '{"a\\n": [%s]}'], ids=["plain", "with an escape"])
def test_numbers_are_finite_and_of_64_bits_whichever_parser_reads_them(text: str, refused: bool, around: str) -> None:
    if refused:
        with pytest.raises(ValueError, match=r"none or too large|too large|4300|expected"):
            parse_json(around % text)
    else:
        assert list(parse_json(around % text).values()) == [[json.loads(text)]]
