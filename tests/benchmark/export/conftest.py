"""One small run for all tests of exports, and each file of it once."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pytest
from trained_run import FILE_NAMES, TrainedRun, striped_run

from fbench.benchmark.export.formats import ExportReport, write_export
from fbench.benchmark.export.metadata import ExportFormat
from fbench.benchmark.export.trained import load_trained
from fbench.benchmark.store.run_folder import RunFolder


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    """Read it only: every test of the session has the same."""
    return striped_run(RunFolder(tmp_path_factory.mktemp("trained") / "run"))


@pytest.fixture(scope="session")
def exported(
    trained: TrainedRun, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, ExportFormat], ExportReport]:
    """The file of a trial (``plain``, ``other``, ``flipped``) in a format, made when first asked for; read it only."""
    folder = tmp_path_factory.mktemp("exported")

    @functools.cache
    def file_of(kind: str, export_format: ExportFormat) -> ExportReport:
        network = load_trained(trained.folder, getattr(trained, kind))
        return write_export(network, export_format, folder / f"{kind}-{FILE_NAMES[export_format]}")

    return file_of
