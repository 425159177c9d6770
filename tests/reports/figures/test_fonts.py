"""Letters of any script in files of figures: from fonts that are installed, else a line says what to install."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

from fbench.reports.figures import fonts
from fbench.reports.figures.drawing import Drawing, FigureFile, Illustration, bytes_of, paint_file
from fbench.reports.figures.scripts import missing_sentences, script_of
from fbench.reports.formatting import letter_widths, shorten
from fbench.reports.render.csv.tables import tidy_tables
from fbench.reports.render.html.build import build_report, gather_report
from fbench.reports.render.html.figure_files import write_figures
from fbench.reports.render.latex.document import to_latex
from fbench.reports.render.markdown.document import to_markdown
from fbench.reports.render.plain.contents import plain_report
from tests.reports.fabricated_run import Recipe, fabricate_run

JAPANESE = ("怒り", "嫌悪", "恐れ", "喜び", "中立", "悲しみ", "驚き")


def make_font(file: Path, family: str, letters: str) -> Path:
    """A font in which each of these letters is a black square."""
    pen = TTGlyphPen(None)
    for start, *others in ([(100, 0), (100, 800), (900, 800), (900, 0)],):
        pen.moveTo(start)
        for point in others:
            pen.lineTo(point)
        pen.closePath()
    square, names = pen.glyph(), [f"uni{ord(letter):04X}" for letter in sorted(set(letters))]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *names])
    builder.setupCharacterMap({ord(letter): name for letter, name in zip(sorted(set(letters)), names, strict=True)})
    builder.setupGlyf(dict.fromkeys([".notdef", *names], square))
    builder.setupHorizontalMetrics(dict.fromkeys([".notdef", *names], (1000, 100)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular", "psName": family.replace(" ", "")})
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    builder.save(file)
    return file


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files of the fonts that are installed, none at first; matplotlib's own list is as before afterwards."""
    files: list[str] = []
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda *_, **__: files)
    monkeypatch.setattr(font_manager.fontManager, "ttflist", list(font_manager.fontManager.ttflist))
    fonts.fonts_for.cache_clear()
    yield files  # type: ignore[misc] # a fixture that cleans up
    fonts.fonts_for.cache_clear()


def figure_of(text: str) -> Illustration:
    return Illustration("k", "a title", Drawing(3, 1, text, lambda figure: figure.text(0.1, 0.5, text, fontsize=20)))


def painted(text: str, kind: str = "png") -> FigureFile:
    found = bytes_of(figure_of(text), kind)  # type: ignore[arg-type] # one of the formats
    assert isinstance(found, FigureFile)
    return found


@pytest.mark.parametrize("kind", ["png", "pdf"])
def test_letters_come_from_a_font_that_is_installed(installed: list[str], tmp_path: Path, kind: str) -> None:
    installed.append(str(make_font(tmp_path / "one.ttf", "Square Sans", "怒り")))
    found = painted("x怒り", kind)
    assert found.missing == frozenset()
    if kind == "pdf":
        assert re.search(rb"/FontName /[A-Z]{6}\+SquareSans", found.content)
    else:
        (tmp_path / "a.png").write_bytes(found.content)
        dark = mpl.image.imread(tmp_path / "a.png")[..., :3].max(axis=2) < 0.3
        assert dark.sum() > 2 * (0.8 * 20 / 72 * 300) ** 2 * 0.95  # two full squares of 0.8 em


def test_several_fonts_together_have_all_letters(installed: list[str], tmp_path: Path) -> None:
    installed += [
        str(make_font(tmp_path / "han.ttf", "Han Sans", "怒り")),
        str(make_font(tmp_path / "thai.ttf", "Thai Sans", "ดี")),
        str(make_font(tmp_path / "serif.ttf", "Han Serif", "怒り")),
    ]
    found = fonts.fonts_for(frozenset("怒りดี"))
    assert found == (("Han Sans", "Thai Sans"), frozenset())


def test_letters_without_a_font_are_named_and_drawn_all_the_same(installed: list[str]) -> None:
    found = painted("x怒り ดี")
    assert found.missing == frozenset("怒りดี")
    assert found.content.startswith(b"\x89PNG")
    assert painted("x怒り ดี", "svg").missing == frozenset()
    assert "怒り ดี" in painted("x怒り ดี", "svg").content.decode()


def test_what_has_all_its_letters_is_drawn_as_before(installed: list[str], tmp_path: Path) -> None:
    before = painted("happy é Ω я").content
    installed.append(str(make_font(tmp_path / "one.ttf", "Square Sans", "happy éΩя怒")))
    assert painted("happy é Ω я").content == before


def test_a_font_that_cannot_be_read_is_passed_over(installed: list[str], tmp_path: Path) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    installed += [str(tmp_path / "broken.ttf"), str(tmp_path / "gone.ttf")]
    assert painted("怒").missing == {"怒"}


def test_direction_marks_and_joiners_need_no_font(installed: list[str]) -> None:
    marks = "\u200f\u202e\u2067\ufe0f\u200d\ufeff"
    assert all(unicodedata.category(mark) in ("Cf", "Mn") for mark in marks)
    assert painted(f"a{marks}b").missing == frozenset()


@pytest.mark.parametrize(
    ("letter", "script", "font"),
    [
        ("怒", "Chinese or Japanese", "fonts-noto-cjk"),
        ("り", "Japanese", "fonts-noto-cjk"),
        ("한", "Korean", "fonts-noto-cjk"),
        ("क", "Devanagari", "Noto Sans Devanagari"),
        ("ด", "Thai", "Noto Sans Thai"),
        ("س", "Arabic", "Noto Sans Arabic"),
        ("ש", "Hebrew", "Noto Sans Hebrew"),
        ("🥲", "emoji and symbols", "Noto Emoji"),
    ],
)
def test_each_script_has_a_font_to_install(letter: str, script: str, font: str) -> None:
    found, hint = script_of(letter)
    assert found == script
    assert font in hint


def test_one_sentence_for_each_font() -> None:
    assert missing_sentences("") == []
    first, second = missing_sentences("怒り嫌悪恐喜び中立ด")
    assert first.startswith("No installed font has Thai letters (ด)")
    assert "Japanese and Chinese or Japanese letters (び り 中 喜 嫌 怒 …)" in second
    assert "install Noto Sans CJK (Debian and Ubuntu: fonts-noto-cjk)" in second


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_a_run_with_japanese_classes_has_files_and_a_word_on_fonts(installed: list[str], tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(images=60, seeds=(0, 1), classes=JAPANESE, accuracy={"ires": 0.6}))
    told: list[str] = []
    write_figures(gather_report([run]), tmp_path / "files", ("png",), told.append)
    (sentence,) = told
    assert "install Noto Sans CJK" in sentence
    installed.append(str(make_font(tmp_path / "one.ttf", "Square Sans", "".join(sorted({*"".join(JAPANESE)})))))
    fonts.fonts_for.cache_clear()
    told.clear()
    write_figures(gather_report([run]), tmp_path / "again", ("png",), told.append)
    assert told == []
    files = [tmp_path / folder / "run1-data1-confusion1.png" for folder in ("files", "again")]
    first, second = (mpl.image.imread(file) for file in files)
    assert first.shape == second.shape
    assert not np.array_equal(first, second)
    html = build_report([run])
    assert all(f">{name}</text>" in html for name in JAPANESE)


def test_wide_letters_have_the_room_that_they_need() -> None:
    assert letter_widths("abc") == 3
    assert letter_widths("怒り") == pytest.approx(3.2)
    assert letter_widths("e\u0301") == 1
    assert shorten("happy", 12) == "happy"
    assert shorten("happiness of many", 12) == "happiness o…"
    assert shorten("喜" * 20, 12) == "喜" * 6 + "…"
    assert shorten("e\u0301" * 20, 5) == "e\u0301" * 4 + "…"
    family = "👨\u200d👩\u200d👧"
    assert shorten(f"ab{family}cdefghij", 5) in ("ab…", f"ab{family}…")


ODD = {
    "slashes": ("a/b", "a\\b", "../a", "C:a"),
    "quotes and tags": ('"a"', "'a'", "<b>", "&amp;"),
    "lines": ("a\nb", "a\r\nb", "a\tb", " a "),
    "marks of direction": ("\u202ea", "a\u200f", "\u2067a", "س\u200fa"),
    "long": ("x" * 200, "x" * 199 + "y", "怒" * 200, "e\u0301" * 200),
    "empty": ("", "a", " ", "\u200b"),
    "equal but for their form": ("é", "e\u0301", "É", "e"),
    "reserved": ("CON", "nul.txt", "aux", "index.csv"),
    "controls": ("a\x07b", "a\x00b", "\x1b[31m", "\x7f"),
    "formulas": ("=1+1", "@a", "-a", "+a"),
    "of several scripts": ("喜び😀", "سعيد", "שמח", "उदास"),
    "of markup": ("|a|", "`a`", "$x_1$", "%\\n"),
}
FOUR_KINDS_EACH = [  # a report takes a second
    pytest.param(tuple(ODD)[start : start + 4], marks=[pytest.mark.slow] if start else [])
    for start in range(0, len(ODD), 4)
]


@pytest.mark.parametrize("kinds", FOUR_KINDS_EACH, ids=", ".join)
@pytest.mark.slow
def test_odd_class_names_have_a_report_of_every_form(
    kinds: tuple[str, ...], installed: list[str], tmp_path: Path
) -> None:
    classes = [name for kind in kinds for name in ODD[kind]]
    run = fabricate_run(tmp_path / "run", Recipe(images=160, seeds=(0, 1), classes=classes, accuracy={"ires": 0.6}))
    report = gather_report([run])
    assert report.data_sections[0].left_out == ()
    assert not re.search("Left out", build_report([run]))
    plain = plain_report(report)
    assert to_markdown(plain)
    assert to_latex(plain)
    (row,) = csv.DictReader(io.StringIO(tidy_tables(report)["summary.csv"]))
    assert row["network"] == "ires"
    told: list[str] = []
    index = write_figures(report, tmp_path / "files", ("svg", "png"), told.append)
    assert not [line for line in told if "Left out" in line]
    rows = list(csv.DictReader(io.StringIO(index.read_text(encoding="utf-8"))))
    assert len({row["file"].casefold() for row in rows}) == len(rows)
    assert all(re.fullmatch(r"run1(-[a-z0-9-]+)?\.(svg|png)", row["file"]) for row in rows)
    assert {file.name for file in index.parent.iterdir()} == {"index.csv", *(row["file"] for row in rows)}


def test_a_control_letter_leaves_an_svg_that_can_be_read() -> None:
    from xml.etree import ElementTree

    content = paint_file(figure_of("a\x07b\ufffe"), "svg").content
    assert ElementTree.fromstring(content) is not None  # noqa: S314 - the text was made in the line above
