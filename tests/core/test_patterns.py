"""Regular expressions of anybody."""

from __future__ import annotations

import re

import pytest

from fbench.core.patterns import PatternError, check_pattern, search

NAME = "S005_happy_2019-03-04_frame0012.png"


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            r"(?P<subject>S\d+)_",
            r"^(?P<subject>[^_]+)_.*_frame(\d+)\.",
            r"(?i)s(\d{1,4})",
            r"(S|P)\d+",
            r"(?:_(\d+))?_h",
        ),
        *(r".*_(?P<subject>\d+)", r"(\d{4})-(\d\d)-(\d\d)", r"no such"),
    ],
)
def test_patterns_that_people_write_find_what_re_finds(pattern: str) -> None:
    check_pattern(pattern)
    found, expected = search(pattern, NAME), re.search(pattern, NAME)
    assert (found and found.groups()) == (expected and expected.groups())


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"(a+)+$", r"(a*)*b", r"(a|aa)+$", r"(a|a)*b", r"(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)b", r"((a?){20}){20}b"),
        *(r"(?=(a+)+b)a", "a?" * 40 + "a" * 40, r"(?:a{0,30}){30}b", r"(a+)\1+\1+\1+\1+\1+b", r"(?P<x>(?:(?:a+)+)+)b"),
    ],
)
def test_patterns_of_exponential_time_are_refused(pattern: str) -> None:
    check_pattern(pattern)
    with pytest.raises(PatternError, match="too long on a text of 60 characters"):
        search(pattern, "a" * 60)


@pytest.mark.parametrize("pattern", ["(", "[", "(?P<a>x)(?P<a>y)", "(" * 900, "a" * 2000, "a{99999999999999999999}"])
def test_what_is_no_pattern_or_a_book_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        check_pattern(pattern)
