"""The leaderboard as a file: offline, deterministic, well formed, escaped, and true to the model."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from fbench.reports.findings.leaderboard.gather import gather_leaderboard
from fbench.reports.findings.leaderboard.model import Leaderboard
from fbench.reports.formatting import percent, percent_range, points
from fbench.reports.render.leaderboard.page import render_leaderboard, write_leaderboard
from tests.reports.fabricated_bundles import THREE, fabricate_bundle, recipe_of, repeat
from tests.reports.read_page import Page

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two boards, one of two bundles; one network has a name that is markup."""
    place = tmp_path_factory.mktemp("bundles")
    fabricate_bundle(place / "one", recipe_of(THREE | {HOSTILE: 0.4}), by=HOSTILE)
    fabricate_bundle(place / "two", recipe_of({"delta": 0.6}))
    fabricate_bundle(place / "longer", recipe_of({"alpha": 0.7}, epochs=8))
    repeat(place / "one", "alpha", 0)
    repeat(place / "two", "delta", 0, same=False)
    return place


@pytest.fixture(scope="module")
def found(folder: Path) -> Leaderboard:
    return gather_leaderboard([folder / name for name in ("one", "two", "longer")], "Expressions")


@pytest.fixture(scope="module")
def text(found: Leaderboard) -> str:
    return render_leaderboard(found)


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_nothing_is_requested_of_anyone_and_nothing_of_a_bundle_acts(text: str, page: Page) -> None:
    (policy,) = [a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    assert not [tag for tag, _ in page.elements if tag in ("link", "img", "iframe", "object", "embed")]
    assert [tag for tag, _ in page.elements].count("script") == 1
    assert HOSTILE not in text.partition("<script>")[0]
    targets = [a[name] or "" for _, a in page.elements for name in ("src", "href", "xlink:href") if name in a]
    assert all(target.startswith("#") for target in [*targets, *re.findall(r"url\((.*?)\)", text)])
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert {target.removeprefix("#") for target in targets} <= set(ids)


def test_the_page_is_the_same_twice_and_holds_no_path(text: str, found: Leaderboard, folder: Path) -> None:
    assert render_leaderboard(found) == text
    assert str(folder) not in text


def test_headings_are_in_order_and_tables_have_captions_and_scopes(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert (levels[0], levels.count(1)) == (1, 1)
    assert all(following <= level + 1 for level, following in itertools.pairwise(levels))
    assert len(page.tables) == 3
    assert all(table.caption for table in page.tables)
    assert all("scope" in a for tag, a in page.elements if tag == "th")
    assert all(a["aria-label"] for tag, a in page.elements if tag == "svg")


def test_the_numbers_are_those_of_the_model(found: Leaderboard, page: Page) -> None:
    board = found.boards[0]
    table = page.tables[0]
    assert table.caption.startswith("Networks on fer2013")
    for row in board.rows:
        cells = table.row(row.label)
        top1 = row.accuracy.new_images
        assert cells[1:5] == [str(row.place), percent(top1.estimate), percent_range(top1.low, top1.high), "5"]
        assert row.bound is not None
        assert cells[5] == ("yes" if row.bound.may_be_best else "no")
        if row.against_leader is not None:
            assert cells[6] == points(row.against_leader.difference.new_images.estimate)
            assert row.against_leader.decision.verdict in cells[8]
        assert cells[-1] == ", ".join(row.bundles)
    assert table.row("alpha")[-2].startswith("yes, 1 of 5")
    assert table.row("delta")[-2].startswith("another result, 1 of 5")
    assert table.row("beta")[-2] == "no"


def test_every_answer_and_bundle_stands_on_the_page(found: Leaderboard, page: Page) -> None:
    plain = " ".join(page.text.replace("\N{NO-BREAK SPACE}", " ").split())
    assert all(answer in plain for answer in found.answers)
    bundles = page.table("What was submitted")
    assert [row[0] for row in bundles.rows[1:]] == ["one", "two", "longer"]
    assert bundles.row("one")[1] == HOSTILE
    assert bundles.row("two")[1] == "not named"


def test_a_board_of_one_network_says_that_nothing_is_tested(page: Page) -> None:
    assert "8 epochs: alpha has" in page.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "nothing is tested: two networks of two seeds or more are compared." in page.text
    (wide,) = [table for table in page.tables if "at this budget" in table.caption and len(table.rows) == 3]
    assert "verdict" not in " ".join(wide.rows[1])


def test_it_is_written_where_it_was_asked_for(found: Leaderboard, text: str, tmp_path: Path) -> None:
    assert write_leaderboard(found, tmp_path / "board.html").read_text(encoding="utf-8") == text
