"""Fixtures of all tests: a cache of their own, and a tiny data set that a network learns in seconds."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import matplotlib as mpl
import pytest
from hypothesis import settings
from support import make_stripes

from fbench.benchmark.cost.roofline import measure_roof
from fbench.benchmark.data.dataset import ImageDataset

mpl.use("Agg")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # pytest-xdist already uses every core
settings.register_profile("fbench", deadline=None)  # a test does not fail because the machine is busy
settings.load_profile("fbench")


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the user's cache."""
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("FBENCH_CACHE_DIR", str(cache))
    return cache


@pytest.fixture(autouse=True)
def coarse_roof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs measure their machine's roof in one round over one working set, not in several seconds."""
    coarse = partial(measure_roof.measure_roof, working_sets=(2**18,), rounds=1)
    monkeypatch.setattr(measure_roof, "measure_roof", coarse)


@pytest.fixture(scope="session")
def stripes() -> ImageDataset:
    """Three classes of 16x16 images (horizontal, vertical, diagonal stripes) with noise; 96, 30 and 30 images."""
    return make_stripes()
