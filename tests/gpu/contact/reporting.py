"""A plug-in of pytest: how each test ended, as a line of a file, as soon as it is known."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest


@pytest.hookimpl
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Write a line for each test, and for each fixture that failed."""
    place = os.environ.get("FBENCH_TEST_REPORT")
    if place is None or "PYTEST_XDIST_WORKER" in os.environ or (report.when != "call" and report.passed):
        return
    said = "" if report.passed else str(report.longrepr)[-6000:]
    row = {"test": report.nodeid, "outcome": report.outcome, "took_s": round(report.duration, 2), "said": said}
    with Path(place).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(row) + "\n")
