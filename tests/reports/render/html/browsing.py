"""Chromium with a report of every kind of part in it, for tests that read as a person does."""

from __future__ import annotations

import importlib.resources
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fbench.reports.render.html.build import build_report
from tests.reports.fabricated_run import Recipe, fabricate_run

CHROMIUM, DRIVER = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
selenium = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
keys = pytest.importorskip("selenium.webdriver.common.keys", reason="selenium is not installed")
waiting = pytest.importorskip("selenium.webdriver.support.wait", reason="selenium is not installed")

in_browser = [
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
        | {long_name: 0.4, arabic: 0.3, "lenet5": 0.45, "arch1": 0.55, "arch2": 0.5},
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
             "levels": ("ires", long_name, arabic, "lenet5", "arch1", "arch2")},
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
