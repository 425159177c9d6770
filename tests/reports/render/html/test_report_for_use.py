"""What a reader does with a report: links, copies, plain words, search, the keyboard; in a real browser."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.reports.render.html.browsing import browser, file, in_browser, keys, medium, opened, resize

__all__ = ["browser", "file", "opened"]
pytestmark = in_browser


def test_every_part_table_and_figure_can_be_linked_to_and_a_link_opens_what_is_folded(opened: Any, file: Path) -> None:
    unnamed = """
        const parts = [...document.querySelectorAll('main :is(h2, h3), main table, main figure')];
        return parts.filter((part) => !part.id && part.tagName !== 'H3').map((part) => part.outerHTML.slice(0, 100));
    """
    assert opened.execute_script(unnamed) == []
    hidden = "return [...document.querySelectorAll('main details table')].map((table) => table.id)[0]"
    target = opened.execute_script(hidden)
    opened.get("about:blank")
    opened.get(f"{file.as_uri()}#{target}")
    assert opened.find_element("id", target).is_displayed()
    assert (
        abs(opened.execute_script("return arguments[0].getBoundingClientRect().top", opened.find_element("id", target)))
        < 900
    )


def test_a_table_is_copied_as_markdown_latex_and_csv(opened: Any) -> None:
    taken = """
        window.taken = [];
        const clipboard = { writeText: async (text) => window.taken.push(text) };
        Object.defineProperty(navigator, 'clipboard', { value: clipboard });
        const table = [...document.querySelectorAll('table')].find((one) => one.caption.textContent.startsWith('Cost'));
        const choice = (table.closest('.scroll') ?? table).previousElementSibling.querySelector('select');
        for (const name of ['Markdown', 'LaTeX', 'CSV']) {
          choice.value = name;
          choice.dispatchEvent(new Event('change'));
        }
        return window.taken;
    """
    markdown, latex, commas = opened.execute_script(taken)
    assert markdown.splitlines()[0].startswith("**Cost: counts for one image")
    assert markdown.splitlines()[2].startswith("| Network | Top-1: % | Parameters: trainable |")
    assert markdown.splitlines()[4].startswith("| ires | 6")
    assert len(markdown.splitlines()) == 4 + 9
    assert "\\caption{Cost: counts" in latex
    assert "ires\\_relu & " in latex
    assert commas.splitlines()[0].startswith("Network,Top-1: %,Parameters: trainable,")
    assert re.match(r"ires,\d\d\.\d,\d{5,},", commas.splitlines()[1])  # no comma inside a number


def test_a_command_is_copied(opened: Any) -> None:
    script = """
        window.taken = [];
        const clipboard = { writeText: async (text) => window.taken.push(text) };
        Object.defineProperty(navigator, 'clipboard', { value: clipboard });
        const code = document.querySelector('code.command, pre.copied');
        code.parentElement.querySelector('button.copy').click();
        return [code.textContent, window.taken[0]];
    """
    shown, taken = opened.execute_script(script)
    assert shown == taken
    assert taken.startswith("fbench run ")


def test_plain_words_or_all_numbers_without_a_reload(opened: Any) -> None:
    table = opened.find_element("xpath", "//caption[starts-with(., 'Against')]/..")
    words = opened.find_element("css selector", ".verdicts.words-view")
    assert (table.is_displayed(), words.is_displayed()) == (True, False)
    folds = "return [...document.querySelectorAll('main details')].filter((fold) => fold.open).length"
    plain, main, numbers = buttons = opened.find_elements("css selector", "button.view")
    pressed = lambda: [button.get_attribute("aria-pressed") for button in buttons]  # noqa: E731
    assert pressed() == ["false", "true", "false"]
    assert opened.execute_script(folds) == 0
    plain.click()
    assert pressed() == ["true", "false", "false"]
    assert (table.is_displayed(), words.is_displayed()) == (False, True)
    seen = [one for one in opened.find_elements("css selector", "main table") if one.is_displayed()]
    captions = [one.find_element("tag name", "caption").text for one in seen]
    assert [one for one in captions if not re.match(r"Claims of|\d+ of \d+ trials failed", one)] == []
    assert opened.find_element("css selector", "details.words p").is_displayed()
    menus = [one for one in opened.find_elements("css selector", "select.copy") if one.is_displayed()]
    assert len(menus) == len(seen)
    numbers.click()
    assert table.is_displayed()
    assert opened.execute_script("return [...document.querySelectorAll('main details')].every((fold) => fold.open)")
    numbers.click()
    assert pressed() == ["false", "true", "false"]
    assert opened.execute_script(folds) == 0
    numbers.click()
    main.click()
    assert opened.execute_script(folds) == 0


def test_search_finds_what_is_folded_and_goes_there(opened: Any) -> None:
    field = opened.find_element("css selector", ".reading .filter")
    field.send_keys("Student’s t over the seeds")
    assert opened.find_element("css selector", ".reading .status").text == "1 found"
    part = opened.find_element("id", "statistics").find_element("xpath", "ancestor::details")
    assert part.get_attribute("open") is None
    field.send_keys(keys.Keys.ENTER)
    assert part.get_attribute("open") is not None
    opened.execute_script("document.getElementById('run1-counters').closest('details').open = true")
    field.clear()
    field.send_keys(" ", keys.Keys.BACKSPACE)
    assert part.get_attribute("open") is None
    assert opened.execute_script("return document.querySelectorAll('main details[open]').length") == 1


def test_a_link_lands_on_what_it_names_wherever_it_is_folded(opened: Any, file: Path) -> None:
    landed = """
        const [done, id] = [arguments[arguments.length - 1], arguments[0]];
        const frames = (left) => (left ? requestAnimationFrame(() => frames(left - 1)) : done([
          document.getElementById(id).getBoundingClientRect().top,
          innerHeight + scrollY >= document.documentElement.scrollHeight - 2]));
        frames(4);
    """
    ids = opened.execute_script("return [...document.querySelectorAll('nav a')].map((link) => link.hash.slice(1))")
    ids += opened.execute_script("return [...document.querySelectorAll('main figure[id]')].map((one) => one.id)")[::6]
    wrong = []
    for key in ids:
        opened.get("about:blank")
        opened.get(f"{file.as_uri()}#{key}")
        top, is_end = opened.execute_async_script(landed, key)
        if not is_end and not 0 <= top <= 60:
            wrong.append((key, top))
    opened.get("about:blank")
    opened.get(file.as_uri())
    for key in ids[::-2]:  # upwards, from what the page has opened before
        opened.execute_script("document.querySelector(`a[href='#${arguments[0]}']`).click()", key)
        top, is_end = opened.execute_async_script(landed, key)
        if not is_end and not 0 <= top <= 60:
            wrong.append((key, top))
    assert wrong == []


def test_headings_with_a_meaning_are_underlined_and_tell_it_below_themselves(opened: Any) -> None:
    opened.execute_script("document.querySelectorAll('main details').forEach((fold) => { fold.open = true; })")
    buttons = opened.find_elements("css selector", "th .explained")
    terms = {one.get_attribute("textContent").split(",")[0].strip(" ↕").lower() for one in buttons}
    for term in ("verdict", "beats it", "right in one only", "price of a point", "behind the best others"):
        assert any(one.startswith(term) for one in terms), term
    one_row = """
        return [...document.querySelectorAll('table')].filter((table) => cells.rowsOf(table).length === 1
          && table.querySelector('.explained')).map((table) => table.querySelectorAll('.sort').length);
    """
    assert set(opened.execute_script(one_row)) <= {0}
    decoration = "return getComputedStyle(arguments[0].querySelector('.words-of-heading')).textDecorationLine"
    for button in buttons[:6]:
        assert opened.execute_script(decoration, button) == "underline"
        opened.execute_script("arguments[0].scrollIntoView({ block: 'center' }); arguments[0].focus()", button)
        tip = opened.find_element("id", button.get_attribute("aria-describedby"))
        assert tip.text == button.get_attribute("data-meaning")
        assert tip.rect["y"] >= button.rect["y"] + button.rect["height"]


def test_a_figure_is_one_stop_and_its_words_cover_no_row_of_a_forest(opened: Any) -> None:
    script = """
        return [...document.querySelectorAll('main figure svg')].filter((svg) => svg.querySelector('.spot')).map(
          (svg) => svg.querySelectorAll(".spot[tabindex='0']").length);
    """
    stops = opened.execute_script(script)
    assert len(stops) >= 5
    assert set(stops) == {1}
    spots = opened.find_elements("css selector", "[id*=ablations].spot")
    opened.execute_script("arguments[0].focus()", spots[2])
    tip = opened.find_element("id", "tip")
    chart = opened.find_element("css selector", "figure[id*=ablations] svg")
    assert tip.rect["x"] >= chart.rect["x"] + chart.rect["width"]


def test_the_verdict_of_a_study_is_seen_on_a_phone(opened: Any) -> None:
    resize(opened, 360)
    script = """
        return [...document.querySelectorAll('.numbers-view td.verdict')].filter((cell) => cell.checkVisibility())
          .map((cell) => cell.getBoundingClientRect().right);
    """
    rights = opened.execute_script(script)
    assert rights
    assert max(rights) <= 360


def test_few_stops_of_the_keyboard_come_before_the_first_figure(opened: Any) -> None:
    script = """
        const figure = document.querySelector('main figure svg');
        const stops = [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex]')].filter(
          (part) => part.tabIndex >= 0 && part.checkVisibility());
        return [stops.filter((part) => figure.compareDocumentPosition(part) & Node.DOCUMENT_POSITION_PRECEDING).length,
                stops.length];
    """
    before, all_of_them = opened.execute_script(script)
    assert before <= 60
    assert all_of_them <= 200


def test_the_page_is_short_before_anything_is_opened(opened: Any) -> None:
    assert opened.execute_script("return document.documentElement.scrollHeight / innerHeight") <= 10


@pytest.mark.parametrize("zoom", [2])
def test_at_200_percent_nothing_is_cut_off(opened: Any, zoom: int) -> None:
    """Zoom halves the CSS pixels of a window (WCAG 2.2, 1.4.10)."""
    resize(opened, 1440 // zoom, 900 // zoom)
    overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert opened.execute_script(overflow) <= 0


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_no_caption_runs_under_the_tools_of_its_table(opened: Any, width: int) -> None:
    resize(opened, width)
    opened.execute_script("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    script = """
        const done = arguments[arguments.length - 1];
        const covered = (table) => {
          const tools = (table.closest('.scroll') ?? table).previousElementSibling;
          if (!tools?.classList.contains('tools') || !table.caption) return false;
          const range = document.createRange();
          range.selectNodeContents(table.caption);
          return [...tools.children].some((tool) => {
            const one = tool.getBoundingClientRect();
            return one.width && [...range.getClientRects()].some((text) => text.left < one.right
              && text.right > one.left && text.top < one.bottom && text.bottom > one.top);
          });
        };
        requestAnimationFrame(() => requestAnimationFrame(() => done(
          [...document.querySelectorAll('main table')].filter(covered).map((table) => table.caption.textContent))));
    """
    assert opened.execute_async_script(script) == []


VERDICTS = ("better", "worse", "equivalent", "undecided")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("deficiency", ["deuteranopia", "protanopia", "tritanopia"])
def test_verdicts_more_and_fewer_are_told_apart_with_every_colour_blindness(
    opened: Any, scheme: str, deficiency: str
) -> None:
    """Chromium simulates the deficiency (Machado et al. 2009); colours are held apart in CIELAB."""
    medium(opened, "screen", scheme)
    verdicts = [f"var(--{verdict})" for verdict in VERDICTS]
    pixels = swatches(opened, [*verdicts, "rgb(5 82 153)", "rgb(179 74 5)"], deficiency)
    *of_verdicts, more, fewer = map(lab_of, pixels)
    apart = {
        (VERDICTS[ours], VERDICTS[theirs]): np.linalg.norm(of_verdicts[ours] - of_verdicts[theirs])
        for ours, theirs in combinations(range(len(VERDICTS)), 2)
    }
    assert {pair: distance for pair, distance in apart.items() if distance <= 20} == {}  # 2.3 is seen side by side
    assert np.linalg.norm(more - fewer) > 20


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_of_verdicts_stand_out_from_paper_and_from_the_band_of_the_margin(opened: Any, scheme: str) -> None:
    """At least 3 to 1 (WCAG 2.2, 1.4.11)."""
    medium(opened, "screen", scheme)
    grounds = [f"var(--{name})" for name in ("paper", "panel", "band")]
    pixels = swatches(opened, [*(f"var(--{verdict})" for verdict in VERDICTS), *grounds])
    luminances = [float(LINEAR_TO_XYZ[1] @ linear_of(pixel)) for pixel in pixels]
    for verdict, ours in zip(VERDICTS, luminances, strict=False):
        for ground in luminances[len(VERDICTS) :]:
            assert (max(ours, ground) + 0.05) / (min(ours, ground) + 0.05) >= 3, verdict


def swatches(browser: Any, colours: Sequence[str], deficiency: str = "none") -> list[Any]:
    """The colours of CSS as the page paints them, pixels of sRGB."""
    browser.execute_script(
        """
        const strip = document.createElement('div');
        strip.style = 'position: fixed; inset: 0 auto auto 0; z-index: 99; display: flex';
        for (const colour of arguments[0]) {
          const swatch = document.createElement('div');
          swatch.style = `width: 40px; height: 40px; background: ${colour}`;
          strip.append(swatch);
        }
        document.body.append(strip);
        """,
        list(colours),
    )
    browser.execute_cdp_cmd("Emulation.setEmulatedVisionDeficiency", {"type": deficiency})
    picture = Image.open(io.BytesIO(base64.b64decode(browser.get_screenshot_as_base64()))).convert("RGB")
    browser.execute_cdp_cmd("Emulation.setEmulatedVisionDeficiency", {"type": "none"})
    return [picture.getpixel((40 * place + 20, 20)) for place in range(len(colours))]


LINEAR_TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear_of(pixel: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Linear light of a colour of sRGB with components from 0 to 255 (IEC 61966-2-1)."""
    share = np.array(pixel) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def lab_of(pixel: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """CIELAB (D65) of a colour of sRGB."""
    ratio = LINEAR_TO_XYZ @ linear_of(pixel) / [0.9505, 1.0, 1.089]
    root = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])
