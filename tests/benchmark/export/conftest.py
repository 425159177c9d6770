"""One small run for all tests of exports."""

from __future__ import annotations

import pytest
from trained_run import TrainedRun, striped_run

from fbench.benchmark.store.run_folder import RunFolder


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    """Read it only: every test of the session has the same."""
    return striped_run(RunFolder(tmp_path_factory.mktemp("trained") / "run"))
