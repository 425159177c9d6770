"""Fixtures of all tests: a cache of their own, and a tiny data set that a network learns in seconds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import pytest
from hypothesis import settings

from fbench.benchmark.data.dataset import ImageDataset
from support import make_stripes

mpl.use("Agg")
settings.register_profile("fbench", deadline=None)  # a test does not fail because the machine is busy
settings.load_profile("fbench")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """No test reads or writes the user's cache."""
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("FBENCH_CACHE_DIR", str(cache))
    yield cache


@pytest.fixture(scope="session")
def stripes() -> ImageDataset:
    """Three classes of 16x16 images (horizontal, vertical, diagonal stripes) with noise; 96, 30 and 30 images."""
    return make_stripes()
