"""One fabricated run and its report for all tests that only read."""

from __future__ import annotations

from pathlib import Path

import pytest
from once import made_once

from fbench.benchmark.store.run_table import RunTable
from fbench.reports.render.html.build import build_report
from tests.reports.fabricated_run import fabricate_run
from tests.reports.read_page import Page


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunTable:
    return fabricate_run(tmp_path_factory.mktemp("runs") / "example")


@pytest.fixture(scope="session")
def html(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of the run; its figures take a second to paint."""
    return made_once(tmp_path_factory, "page", lambda folder: build_report([fabricate_run(folder / "example")]))


@pytest.fixture(scope="session")
def page(html: str) -> Page:
    return Page(html)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run"
