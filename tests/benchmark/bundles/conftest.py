"""A run of two networks with two seeds, and its bundle; tests work on copies."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from bundled_run import make_run
from once import made_once

from fbench.benchmark.bundles.making import make_bundle, write_bundle
from fbench.benchmark.store.run_table import load_run


@pytest.fixture(scope="session")
def made_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run; read it only."""
    return made_once(tmp_path_factory, "bundled-run", make_run)


@pytest.fixture
def run(made_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_run, tmp_path / "run"))


@pytest.fixture(scope="session")
def made_bundle(made_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its bundle; read it only."""
    folder = tmp_path_factory.mktemp("made") / "bundle"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FBENCH_CACHE_DIR", str(folder.parent / "cache"))
        write_bundle(make_bundle(load_run(made_run)), folder)
    return folder


@pytest.fixture
def bundle(made_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_bundle, tmp_path / "bundle"))
