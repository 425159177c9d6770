"""The report in a real browser, opened as a reader does: from a file, with the network out of reach."""

from __future__ import annotations

import base64
import importlib.resources
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fbench.cli.app import app
from fbench.reports.render.html.build import build_report
from tests.reports.fabricated_run import Recipe, fabricate_run

CHROMIUM, DRIVER = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
keys = pytest.importorskip("selenium.webdriver.common.keys", reason="selenium is not installed")
waiting = pytest.importorskip("selenium.webdriver.support.wait", reason="selenium is not installed")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="no Chromium with its driver on this machine"),
]

WIDTHS = [360, 768, 1440, 3840]
A4_PX = (703, 1017)  # 210 x 297 mm less the page's margins, at 96 px an inch


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = selenium.Chrome(options=options, service=selenium.ChromeService(executable_path=DRIVER))
    driver.get("about:blank")  # leaves the browser's own start page, which asks for things
    driver.execute_cdp_cmd("Network.enable", {})
    driver.execute_cdp_cmd(
        "Network.emulateNetworkConditions",
        {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0},
    )
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of every kind of part: crossed factors, failures, a long name and an Arabic one."""
    crossed = ("ires", "ires_relu", "ires_no_se", "ires_no_se_relu")
    long_name, arabic = "a_network_with_a_name_that_never_ends_" * 5 + "_and_so_on", "شبكة التعرف على المشاعر"
    recipe = Recipe(
        accuracy={"ires": 0.62, "ires_relu": 0.6, "ires_no_se": 0.5, "ires_no_se_relu": 0.5}
        | {long_name: 0.4, arabic: 0.3},
        seeds=range(8),
        images=200,
        failed=(("ires_relu", 7),),
        missing=(("ires_no_se", 7),),
        studies=(
            {
                "name": "crossed",
                "title": "Squeeze-and-excitation and activation",
                "question": "Do they depend on each other?",
                "baseline": "ires",
                "levels": crossed,
                "factors": {
                    name: {"squeeze_excite": "no" if "no_se" in name else "yes",
                           "activation": "ReLU" if "relu" in name else "h_swish"}
                    for name in crossed
                },
            },
            {"name": "names", "title": "Names", "question": "?", "baseline": "ires",
             "levels": ("ires", long_name, arabic)},
        ),
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("page")
    path = folder / "report.html"
    path.write_text(build_report([fabricate_run(folder / "run", recipe)]), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser: Any, file: Path) -> Any:
    """The page, wide and light; what the browser logged before is forgotten."""
    resize(browser, 1440)
    medium(browser, "screen")
    browser.get("about:blank")
    browser.get_log("performance")
    browser.get(file.as_uri())
    return browser


def resize(browser: Any, width: int, height: int = 900) -> None:
    """By the device's metrics, since a window of Chromium is at least 500 px wide."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def medium(browser: Any, name: str, scheme: str = "light") -> None:
    features = [
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "prefers-reduced-motion", "value": "reduce"},
    ]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": name, "features": features})


def violations(browser: Any) -> list[tuple[str, str, int]]:
    """What axe-core finds: the rule, the first part that breaks it, and how many do."""
    package = pytest.importorskip("axe_playwright_python", reason="axe-core is not installed")
    browser.execute_script(importlib.resources.files(package).joinpath("axe.min.js").read_text("utf-8"))
    found = browser.execute_async_script(
        "axe.run(document, {resultTypes: ['violations']}).then(arguments[arguments.length - 1])"
    )
    return [(one["id"], one["nodes"][0]["html"][:200], len(one["nodes"])) for one in found["violations"]]


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
        return Math.min(...[...document.querySelectorAll('main figure svg')].map(
          (svg) => 9 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width));
    """
    assert opened.execute_script(smallest) > 8  # px; the smallest type in a figure is 9 units


def test_every_table_sorts_by_every_column_both_ways(opened: Any) -> None:
    script = """
        const report = [];
        const value = (cell) => (cell.dataset.sort ?? cell.textContent).trim().replace(/\\s+/g, ' ');
        for (const table of document.querySelectorAll('table')) {
          const bodies = [...table.tBodies].map((body) => [...body.rows].filter((row) => row.cells.length > 1));
          if (bodies.flat().length < 2) continue;
          const header = table.tHead.rows[table.tHead.rows.length - 1];
          let place = 0;
          for (const cell of header.cells) {
            const column = place;
            place += cell.colSpan;
            if (cell.tagName !== 'TH') continue;
            const orders = [];
            for (const direction of ['ascending', 'descending']) {
              cell.querySelector('button').click();
              if (cell.getAttribute('aria-sort') !== direction) throw new Error(table.caption.textContent);
              orders.push([...table.tBodies].map(
                (body) => [...body.rows].filter((row) => row.cells.length > 1).map((row) => value(row.cells[column]))));
            }
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


def test_every_table_filters(opened: Any) -> None:
    script = """
        const found = [];
        for (const field of document.querySelectorAll('.filter')) {
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
        "(body) => [...body.rows]).filter((row) => row.cells.length > 1).length > 1).length"
    )
    assert len(found) == tables >= 12
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
    assert values == sorted(values)


def test_points_answer_the_pointer_and_the_keyboard(opened: Any) -> None:
    spots = opened.find_elements("css selector", "[id*=pareto].spot")
    tip = opened.find_element("css selector", ".tip")
    assert len(spots) == 4 * 6
    assert len(opened.find_elements("css selector", "[id*=seeds].spot")) == 6
    assert not tip.is_displayed()
    selenium.ActionChains(opened).scroll_to_element(spots[2]).move_to_element(spots[2]).perform()
    assert tip.is_displayed()
    assert tip.text.startswith("ires_no_se\ntop-1 ")
    opened.execute_script("arguments[0].focus()", spots[0])
    assert tip.text.startswith("ires\ntop-1 ")
    selenium.ActionChains(opened).send_keys(keys.Keys.TAB).perform()
    assert opened.switch_to.active_element.get_attribute("id") == spots[1].get_attribute("id")
    assert tip.text.startswith("ires_relu\ntop-1 ")
    inside = "const box = arguments[0].getBoundingClientRect(); return box.left >= 0 && box.right <= innerWidth"
    assert opened.execute_script(inside, tip)
    selenium.ActionChains(opened).send_keys(keys.Keys.ESCAPE).perform()
    assert not tip.is_displayed()


def test_the_contents_follow_the_reader(opened: Any) -> None:
    opened.execute_script("document.querySelector('[id$=-learning]').scrollIntoView()")
    current = "return document.querySelector('nav a[aria-current]')?.textContent"
    waiting.WebDriverWait(opened, 5).until(lambda page: page.execute_script(current) is not None)
    assert opened.execute_script(current) == "Learning curves"
    links = opened.execute_script("return [...document.querySelectorAll('nav a')].map((link) => link.hash.slice(1))")
    assert all(opened.execute_script("return document.getElementById(arguments[0])", link) for link in links)


def test_every_figure_is_drawn_and_has_words_for_those_who_cannot_see_it(opened: Any) -> None:
    figures = opened.find_elements("css selector", "main figure svg")
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


def test_the_page_of_two_networks_is_as_clean(browser: Any, tmp_path: Path) -> None:
    reference = Path(__file__).parents[4] / "results" / "fer2013-standard"
    page = tmp_path / "diff.html"
    sides = [f"{reference}:ires", f"{reference}:ires_no_se"]
    assert CliRunner().invoke(app, ["compare", *sides, "-o", str(page)]).exit_code == 0
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
