"""The report in a real browser, opened as a reader does: from a file, with nothing to ask of a network."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

CHROMIUM, DRIVER = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="no Chromium with its driver on this machine"),
    pytest.mark.xdist_group("browser"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
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
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser: selenium.Chrome, html: str, tmp_path: Path) -> selenium.Chrome:
    file = tmp_path / "report.html"
    file.write_text(html, encoding="utf-8")
    browser.get_log("performance")  # forgets what came before
    browser.get(file.as_uri())
    return browser


def test_nothing_is_asked_of_a_network_and_no_error_is_logged(opened: selenium.Chrome) -> None:
    messages = [json.loads(entry["message"])["message"] for entry in opened.get_log("performance")]
    asked = [
        message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"
    ]
    assert asked
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert [entry for entry in opened.get_log("browser") if entry["level"] == "SEVERE"] == []


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_the_page_never_scrolls_sideways(opened: selenium.Chrome, width: int) -> None:
    """Set by the device's metrics, since a window of Chromium is at least 500 px wide."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    opened.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    overflow = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert opened.execute_script(overflow) <= 0


def test_every_figure_is_drawn_and_has_words_for_those_who_cannot_see_it(opened: selenium.Chrome) -> None:
    figures = opened.find_elements("css selector", "svg[role=img]")
    assert len(figures) >= 5
    for figure in figures:
        assert figure.size["width"] > 100
        assert figure.get_attribute("aria-label")
