"""The report in a real browser, opened as a reader does: from a file, with the network out of reach."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fbench.cli.app import app
from tests.reports.render.html.browsing import (
    A4_PX,
    WIDTHS,
    browser,
    file,
    in_browser,
    keys,
    medium,
    opened,
    resize,
    selenium,
    violations,
    waiting,
)

__all__ = ["browser", "file", "opened"]
pytestmark = in_browser


def test_nothing_is_asked_of_a_network_and_nothing_is_logged(opened: Any) -> None:
    messages = [json.loads(entry["message"])["message"] for entry in opened.get_log("performance")]
    asked = [
        message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"
    ]
    assert asked
    assert [url for url in asked if not url.startswith(("file:", "data:", "about:"))] == []
    assert opened.get_log("browser") == []


def test_the_policy_stops_what_a_page_could_ask_for(opened: Any) -> None:
    script = """
        const done = arguments[arguments.length - 1];
        const image = new Image();
        image.onerror = () => fetch('file:///etc/hostname').then(() => done('fetched'), () => done('stopped'));
        image.onload = () => done('loaded');
        image.src = 'https://example.org/a.png';
    """
    assert opened.execute_async_script(script) == "stopped"
    said = " ".join(entry["message"] for entry in opened.get_log("browser"))
    assert said.count("Content Security Policy") >= 2


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_never_scrolls_sideways(opened: Any, width: int) -> None:
    resize(opened, width)
    overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert opened.execute_script(overflow) <= 0
    outside = """
        const wide = document.documentElement.clientWidth + 1;
        return [...document.querySelectorAll('main *')].filter((part) => {
          const box = part.getBoundingClientRect();
          return box.width && box.right > wide && !part.closest('.scroll') && !part.closest('svg');
        }).map((part) => part.outerHTML.slice(0, 120));
    """
    assert opened.execute_script(outside) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_text_in_figures_can_be_read(opened: Any, width: int) -> None:
    resize(opened, width)
    smallest = """
        const unchosen = [...document.querySelectorAll('.unchosen')];
        for (const part of unchosen) part.classList.remove('unchosen');
        const ofOtherWidth = (svg) => svg.parentElement.matches('[class^=when]') && !svg.checkVisibility();
        return [...document.querySelectorAll('main figure svg')].filter((svg) => !ofOtherWidth(svg)).flatMap((svg) => {
          const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
          return [...svg.querySelectorAll('text')].map(
            (text) => [scale * parseFloat(getComputedStyle(text).fontSize), `${text.textContent} in ${svg.ariaLabel}`]);
        }).sort(([one], [other]) => one - other).slice(0, 3);
    """
    found = opened.execute_script(smallest)
    assert found[0][0] >= 11, found  # px


@pytest.mark.parametrize(("width", "shown"), [(360, "when-narrow"), (768, "when-wide"), (1440, "when-wide")])
def test_the_forest_is_drawn_for_the_width_of_the_page(opened: Any, width: int, shown: str) -> None:
    resize(opened, width)
    medium(opened, "screen")
    drawings = opened.find_elements("css selector", "figure[id$=-ablations] > div")
    assert [one.get_attribute("class") for one in drawings if one.is_displayed()] == [shown]
    medium(opened, "print")
    resize(opened, *A4_PX)
    assert [one.get_attribute("class") for one in drawings if one.is_displayed()] == ["when-wide"]


@pytest.mark.parametrize("width", [360, 1440])
def test_no_text_of_a_figure_is_cut_off_at_its_edge(opened: Any, width: int) -> None:
    resize(opened, width)
    outside = """
        for (const part of document.querySelectorAll('.unchosen')) part.classList.remove('unchosen');
        for (const part of document.querySelectorAll('main details')) part.open = true;
        return [...document.querySelectorAll('main figure svg')].flatMap((svg) => {
          const paper = svg.getBoundingClientRect();
          return [...svg.querySelectorAll('text')].filter((text) => {
            const box = text.getBoundingClientRect();
            return box.left < paper.left - 1 || box.right > paper.right + 1
              || box.top < paper.top - 2 || box.bottom > paper.bottom + 2;
          }).map((text) => `${text.textContent} in ${svg.ariaLabel.slice(0, 60)}`);
        });
    """
    assert opened.execute_script(outside) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_no_figure_lies_over_another_or_over_what_follows(opened: Any, width: int) -> None:
    resize(opened, width)
    covered = """
        for (const part of document.querySelectorAll('main details')) part.open = true;
        const parts = [...document.querySelectorAll('main :is(figure, h2, h3, h4, table, p, summary)')]
          .filter((part) => part.checkVisibility() && !part.parentElement.closest('figure, table, summary'))
          .map((part) => [part, part.getBoundingClientRect()]);
        return parts.filter(([part]) => part.tagName === 'FIGURE').flatMap(([figure, box]) => parts
          .filter(([other, its]) => other !== figure && box.left < its.right - 1 && its.left < box.right - 1
            && box.top < its.bottom - 1 && its.top < box.bottom - 1)
          .map(([other]) => `${figure.id} and ${other.outerHTML.slice(0, 80)}`));
    """
    assert opened.execute_script(covered) == []


def test_a_choice_shows_one_figure_and_a_link_the_one_that_it_names(opened: Any, file: Path) -> None:
    shown = """
        for (const part of document.querySelectorAll('main details')) part.open = true;
        return [...document.querySelectorAll('.choice')].map(
          (group) => [...group.querySelectorAll('figure')].filter((one) => one.checkVisibility()).map((one) => one.id));
    """
    groups = opened.execute_script(shown)
    assert len(groups) == 3  # recalls by study, matrices, and their changes
    assert [len(group) for group in groups] == [1, 1, 1]
    field = opened.find_elements("css selector", ".chooser select")[1]
    assert field.accessible_name.startswith("Confusion matrix of")
    options = field.find_elements("tag name", "option")
    options[4].click()
    (figure,) = opened.execute_script(shown)[1]
    name = options[4].get_attribute("textContent")
    caption = opened.find_element("css selector", f"#{figure} figcaption").text
    assert caption.startswith(f"Confusion matrix of {name}, % of each true class; 8 seeds, 200 images")
    opened.get("about:blank")
    opened.get(f"{file.as_uri()}#{figure}")
    assert opened.find_element("id", figure).is_displayed()
    assert opened.find_elements("css selector", ".chooser select")[1].get_attribute("selectedIndex") == "4"


def test_paper_and_a_page_without_scripts_have_every_figure_of_a_choice(opened: Any, file: Path) -> None:
    hidden = """
        for (const part of document.querySelectorAll('main details')) part.open = true;
        const figures = [...document.querySelectorAll('.choice figure')];
        return [figures.length, figures.filter((one) => getComputedStyle(one.parentElement).display === 'none').length,
                [...document.querySelectorAll('.chooser')].filter((one) => one.checkVisibility()).length];
    """
    amount, unchosen, fields = opened.execute_script(hidden)
    assert (unchosen, fields) == (amount - 3, 3)
    medium(opened, "print")
    assert opened.execute_script(hidden) == [amount, 0, 0]
    medium(opened, "screen")
    opened.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        opened.get(file.as_uri())
        parts = opened.find_elements("css selector", ".choice > div")
        assert len(parts) == amount
        assert [one.value_of_css_property("display") for one in parts] == ["block"] * amount
    finally:
        opened.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_every_table_sorts_by_every_column_both_ways(opened: Any) -> None:
    script = """
        const report = [];
        const value = (cell) => cell.dataset.sort ?? cells.textOf(cell);
        for (const table of document.querySelectorAll('table')) {
          const bodies = [...table.tBodies].map((body) => [...body.rows].filter((row) => row.cells.length > 1));
          if (bodies.flat().length < 2) continue;
          const header = table.tHead.rows[table.tHead.rows.length - 1];
          let place = 0;
          for (const cell of header.cells) {
            const column = place;
            place += cell.colSpan;
            if (cell.tagName !== 'TH' || cell.dataset.unsorted !== undefined) continue;
            const orders = [];
            const falling = cell.dataset.first === 'descending';
            const directions = ['ascending', 'descending'];
            for (const direction of falling ? directions.toReversed() : directions) {
              cell.querySelector('button').click();
              if (cell.getAttribute('aria-sort') !== direction) throw new Error(table.caption.textContent);
              orders.push([...table.tBodies].map(
                (body) => [...body.rows].filter((row) => row.cells.length > 1).map((row) => value(row.cells[column]))));
            }
            if (falling) orders.reverse();
            report.push({ caption: table.caption.textContent, column: cell.textContent, orders });
          }
        }
        return report;
    """
    found = opened.execute_script(script)
    assert len({one["caption"] for one in found}) >= 12
    for one in found:
        rising, falling = one["orders"]
        for up, down in zip(rising, falling, strict=True):
            shown = [text for text in up if text not in ("–", "")]
            numbers = [leading_number(text) for text in shown]
            assert sorted(up) == sorted(down), one
            if None not in numbers:
                assert numbers == sorted(numbers), one
                assert [leading_number(text) for text in down if text not in ("–", "")] == numbers[::-1], one
            assert up[len(shown) :] == down[len(shown) :], one  # what is missing stays last


def leading_number(text: str) -> float | None:
    plain = text.replace("−", "-").replace(",", "").lstrip("×<>≤≥ ")
    start = ""
    for letter in plain:
        if not (letter.isdigit() or letter in ".-+"):
            break
        start += letter
    try:
        return float(start)
    except ValueError:
        return None


def test_every_table_of_more_than_eight_rows_filters(opened: Any) -> None:
    script = """
        const found = [];
        for (const field of document.querySelectorAll('.tools .filter')) {
          const table = field.parentElement.nextElementSibling.querySelector('table');
          const rows = [...table.tBodies].flatMap((body) => [...body.rows]).filter((row) => row.cells.length > 1);
          const wanted = rows[rows.length - 1].cells[0].textContent.trim().toLowerCase();
          const type = (text) => {
            field.value = text;
            field.dispatchEvent(new Event('input'));
            return rows.filter((row) => !row.hidden);
          };
          const kept = type(wanted);
          found.push({
            caption: table.caption.textContent,
            right: kept.every(
              (row) => wanted.split(/\\s+/).every((word) => row.textContent.toLowerCase().includes(word))),
            kept: kept.length, none: type('nothing is called this').length, all: type('').length, rows: rows.length,
            named: field.getAttribute('aria-label'),
          });
        }
        return found;
    """
    found = opened.execute_script(script)
    tables = opened.execute_script(
        "return [...document.querySelectorAll('table')].filter((table) => [...table.tBodies].flatMap("
        "(body) => [...body.rows]).filter((row) => row.cells.length > 1).length > 8).length"
    )
    assert len(found) == tables >= 6
    for one in found:
        assert one["right"], one
        assert 1 <= one["kept"] <= one["rows"], one
        assert (one["none"], one["all"]) == (0, one["rows"]), one
        assert one["named"].startswith("Filter the rows of: "), one


def test_a_header_sorts_by_the_keyboard(opened: Any) -> None:
    header = opened.find_element("xpath", "//caption[starts-with(., 'Quality')]/..//button[starts-with(., 'mean')]")
    opened.execute_script("arguments[0].focus()", header)
    header.send_keys(keys.Keys.ENTER)
    cells = opened.find_elements("xpath", "//caption[starts-with(., 'Quality')]/../tbody/tr/td[2]")
    values = [float(cell.get_attribute("textContent")) for cell in cells]
    assert values == sorted(values, reverse=True)  # the most accurate first
    header.send_keys(keys.Keys.ARROW_RIGHT)
    assert opened.switch_to.active_element.text.startswith("this test set")
    tip = opened.find_element("css selector", ".tip")
    assert tip.text == "For these very images, if the networks were trained again with other seeds."


def test_points_answer_the_pointer_and_the_keyboard(opened: Any) -> None:
    spots = opened.find_elements("css selector", "[id*=pareto].spot")
    tip = opened.find_element("css selector", ".tip")
    assert len(spots) == 3 * 9
    assert len(opened.find_elements("css selector", ".when-wide [id*=seeds].spot")) == 9
    assert not tip.is_displayed()
    uncovered = """
        return arguments[0].findIndex((spot) => {
          spot.scrollIntoView({ block: 'center' });
          const box = spot.getBoundingClientRect();
          return spot.contains(document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2));
        });
    """
    spot = spots[opened.execute_script(uncovered, spots)]
    selenium.ActionChains(opened).scroll_to_element(spot).move_to_element(spot).perform()
    assert tip.is_displayed()
    assert tip.text == words_of(spot)
    assert "\ntop-1 " in tip.text
    opened.execute_script("arguments[0].focus({ preventScroll: true })", spots[0])
    assert tip.text == words_of(spots[0])
    selenium.ActionChains(opened).send_keys(keys.Keys.ARROW_RIGHT).perform()
    assert opened.switch_to.active_element.get_attribute("id") == spots[1].get_attribute("id")
    assert tip.text == words_of(spots[1])
    inside = "const box = arguments[0].getBoundingClientRect(); return box.left >= 0 && box.right <= innerWidth"
    assert opened.execute_script(inside, tip)
    selenium.ActionChains(opened).send_keys(keys.Keys.ESCAPE).perform()
    assert not tip.is_displayed()


def words_of(spot: Any) -> str:
    """What a point says; the text of a page has spaces where its source keeps a number and its sign together."""
    return str(spot.get_attribute("aria-label")).replace("\N{NO-BREAK SPACE}", " ")


def test_the_contents_follow_the_reader(opened: Any) -> None:
    opened.find_element("css selector", "nav a[href$='-learning']").click()
    fold = opened.find_element("xpath", "//h2[.='Learning curves']/ancestor::details")
    waiting.WebDriverWait(opened, 5).until(lambda page: fold.get_attribute("open") is not None)  # it was folded
    current = "return document.querySelector('nav a[aria-current]')?.textContent"
    waiting.WebDriverWait(opened, 5).until(lambda page: page.execute_script(current) is not None)
    assert opened.execute_script(current) == "Learning curves"
    links = opened.execute_script("return [...document.querySelectorAll('nav a')].map((link) => link.hash.slice(1))")
    assert all(opened.execute_script("return document.getElementById(arguments[0])", link) for link in links)


def test_every_figure_is_drawn_and_has_words_for_those_who_cannot_see_it(opened: Any) -> None:
    opened.execute_script("for (const one of document.querySelectorAll('.unchosen')) one.classList.remove('unchosen')")
    figures = opened.find_elements("css selector", "main figure svg:not(.when-narrow svg)")
    assert len(figures) >= 20
    for figure in figures:
        assert figure.size["width"] > 100
        assert figure.get_attribute("aria-label")


@pytest.mark.parametrize("width", [360, 1440])
def test_the_committed_report_is_as_clean(browser: Any, width: int) -> None:
    resize(browser, width)
    medium(browser, "screen")
    browser.get((Path(__file__).parents[4] / "results" / "reference" / "report.html").as_uri())
    overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert browser.execute_script(overflow) <= 0
    assert violations(browser) == []
    assert browser.get_log("browser") == []


RESULTS = Path(__file__).parents[4] / "results"
OTHER_PAGES = {
    "of two networks": ["compare", *(f"{RESULTS / 'fer2013-standard'}:{name}" for name in ("ires", "ires_no_se"))],
    "of bundles": ["leaderboard", str(RESULTS / "community")],
}


@pytest.mark.parametrize("which", OTHER_PAGES)
def test_the_other_pages_are_as_clean(browser: Any, tmp_path: Path, which: str) -> None:
    page = tmp_path / "page.html"
    assert CliRunner().invoke(app, [*OTHER_PAGES[which], "-o", str(page)]).exit_code == 0
    medium(browser, "screen", "dark")
    for width in (360, 1440):
        resize(browser, width)
        browser.get(page.as_uri())
        overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert browser.execute_script(overflow) <= 0
        assert violations(browser) == []
        assert browser.get_log("browser") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_axe_finds_no_violation(opened: Any, scheme: str, width: int) -> None:
    medium(opened, "screen", scheme)
    resize(opened, width)
    assert violations(opened) == []


def test_dark_and_light_pages_differ_as_the_system_asks(opened: Any) -> None:
    brightness = {}
    for scheme in ("light", "dark"):
        medium(opened, "screen", scheme)
        image = pytest.importorskip("PIL.Image")
        shot = image.open(io.BytesIO(base64.b64decode(opened.get_screenshot_as_base64()))).convert("L")
        brightness[scheme] = sum(shot.resize((64, 64)).tobytes()) / 64**2
    assert brightness["light"] > 215
    assert brightness["dark"] < 55


def test_a_printed_page_cuts_nothing(opened: Any) -> None:
    medium(opened, "print")
    resize(opened, *A4_PX)
    opened.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    cut = """
        const [wide, high] = arguments;
        return [...document.querySelectorAll('main figure, main table, main pre')].map((part) => {
          const box = part.getBoundingClientRect();
          return [box.right, part.tagName === 'FIGURE' ? box.height : 0, part.textContent.trim().slice(0, 60)];
        }).filter(([right, height]) => right > wide + 1 || height > high);
    """
    assert opened.execute_script(cut, *A4_PX) == []
    assert opened.execute_script("return getComputedStyle(document.querySelector('figure')).breakInside") == "avoid"
    pypdf = pytest.importorskip("pypdf")
    data = opened.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"]
    pages = pypdf.PdfReader(io.BytesIO(base64.b64decode(data))).pages
    text = " ".join(page.extract_text() for page in pages)
    assert len(pages) >= 5
    assert "How to repeat it" in text
    assert "filter rows" not in text
