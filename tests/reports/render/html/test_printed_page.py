"""A report on paper: no number is cut in two, pages are full, headings stand above what they head."""

from __future__ import annotations

import base64
import importlib.resources
import io
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.reports.render.html.browsing import A4_PX, browser, file, in_browser, medium, opened, resize

__all__ = ["browser", "file", "opened"]
pytestmark = in_browser

SPLIT_NUMBERS = r"""
    const number = String.raw`[−+]?\d[\d,.]*`;
    const interval = new RegExp(`${number}(?:\\s*(?:–|to)\\s*${number})?`, 'g');
    const found = [];
    for (const part of document.querySelectorAll('main :is(td, th, p, li, dd, figcaption, caption)')) {
      const wanted = part.matches('td:not(.text, .prose)') ? interval : new RegExp(number, 'g');
      const texts = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
      for (let text = texts.nextNode(); text; text = texts.nextNode()) {
        for (const match of text.parentElement.closest('svg, code') ? [] : text.data.matchAll(wanted)) {
          const range = document.createRange();
          range.setStart(text, match.index);
          range.setEnd(text, match.index + match[0].length);
          if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) found.push(match[0]);
        }
      }
    }
    return found;
"""


def printed(browser: Any) -> Sequence[Any]:
    """The pages of the PDF."""
    pypdf = pytest.importorskip("pypdf")
    medium(browser, "print")
    data = browser.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"]
    return list(pypdf.PdfReader(io.BytesIO(base64.b64decode(data))).pages)


def lines_of(page: Any) -> dict[int, str]:
    """What stands on a page without its spaces, by its height above the lower edge in points."""
    found: dict[int, str] = {}

    def visit(text: str, around: Sequence[float], place: Sequence[float], *_: object) -> None:
        if text.strip():
            height = round(around[1] * place[4] + around[3] * place[5] + around[5])
            found[height] = found.get(height, "") + flat(text)

    page.extract_text(visitor_text=visit)
    return {height: found[height] for height in sorted(found, reverse=True)}


def flat(text: str) -> str:
    """Without spaces, and without the ligatures of a font."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def on_paper(browser: Any) -> None:
    medium(browser, "print")
    resize(browser, *A4_PX)
    browser.execute_script("window.dispatchEvent(new Event('beforeprint'))")


def test_no_number_and_no_interval_is_split_over_two_lines(opened: Any) -> None:
    on_paper(opened)
    assert opened.execute_script(SPLIT_NUMBERS) == []


def test_pages_are_full_and_no_heading_ends_one(opened: Any) -> None:
    script = """
        return [...document.querySelectorAll('main :is(h2, h3, h4, h5, summary)')].map((one) => one.innerText);
    """
    on_paper(opened)
    headings = {flat(text) for text in opened.execute_script(script)}
    pages = [lines_of(page) for page in printed(opened)]
    assert all(pages)  # none is empty
    a4 = 842  # points
    ends = [min(lines) / a4 for lines in pages[:-1]]
    assert max(ends) <= 0.5, ends
    last = [list(lines.values())[-1] for lines in pages]
    assert [line for line in last if line in headings] == []


def test_pages_of_the_committed_report_are_full(browser: Any) -> None:
    browser.get((Path(__file__).parents[4] / "results" / "reference" / "report.html").as_uri())
    on_paper(browser)
    ends = [min(lines_of(page)) / 842 for page in printed(browser)[:-1]]
    assert max(ends) <= 0.6, ends


def test_tables_are_set_large_enough_to_read_on_paper(opened: Any) -> None:
    on_paper(opened)
    script = """
        return [...document.querySelectorAll('main :is(td, th, caption), main td .unit')].map(
          (part) => [0.75 * parseFloat(getComputedStyle(part).fontSize), part.textContent.trim().slice(0, 40)]);
    """
    sizes = opened.execute_script(script)
    assert min(sizes)[0] >= 7.5, min(sizes)


def test_two_matrices_stand_side_by_side(opened: Any) -> None:
    on_paper(opened)
    script = """
        const group = [...document.querySelectorAll('.choice')].find((one) => one.dataset.what.startsWith('Confusion'));
        return [...group.children].slice(0, 4).map((one) => {
          const box = one.getBoundingClientRect();
          return [box.left, box.top];
        });
    """
    (left, top), (right, same), (below_left, below), _ = opened.execute_script(script)
    assert top == same < below
    assert left == below_left < right


PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>t</title><style>{css}</style></head><body>
<main><h1>Title</h1><div class="scroll"><table class="wide"><caption>Caption</caption><thead><tr>
<th scope="col" class="name"><button class="heading sort">Network</button></th>
<th scope="col"><button class="heading sort">gain</button></th></tr></thead><tbody>{rows}</tbody></table></div>
</main></body></html>
"""


def test_a_table_that_goes_on_has_its_headings_on_every_page(browser: Any, tmp_path: Path) -> None:
    """Headings are buttons, which a browser leaves blank where it repeats them."""
    css = importlib.resources.files("fbench.reports.render.html").joinpath("templates/report.css").read_text("utf-8")
    rows = "".join(
        f'<tr><th scope="row" class="name"><span class="label">net{place}</span></th><td>+1.0</td></tr>'
        for place in range(200)
    )
    page = tmp_path / "page.html"
    page.write_text(PAGE.format(css=css, rows=rows), encoding="utf-8")
    browser.get(page.as_uri())
    texts = [" ".join(one.extract_text().split()) for one in printed(browser)]
    assert len(texts) >= 3
    assert all("Network gain" in text for text in texts)
    assert re.findall(r"net(\d+) ", " ".join(texts)) == [str(place) for place in range(200)]
