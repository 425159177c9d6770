"""Fixtures of all tests: a cache of their own, and a tiny data set that a network learns in seconds.

What imports PyTorch or matplotlib is imported where it is used: the process that hands out tests needs neither, and
workers start when it has read this file.
"""

from __future__ import annotations

import functools
import gc
import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from coarse_fbench import measure_coarsely
from hypothesis import settings
from once import made_once

if TYPE_CHECKING:
    from fbench.benchmark.data.dataset import ImageDataset

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # pytest-xdist already uses every core
settings.register_profile("fbench", deadline=None)  # a test does not fail because the machine is busy
settings.load_profile("fbench")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect without the garbage collector: going through modules that stay was 4 of 12 s that a worker collected.

    What is there when the tests begin stays until they end, and the collector passes over it from then on; of what they
    make, most goes without it, and looking after each 700 new objects was a twentieth of the time of making reports.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes least comes last, file by file, so that all workers end together."""
    items.sort(key=lambda item: "statistics" in item.path.parts)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the user's cache."""
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("FBENCH_CACHE_DIR", str(cache))
    return cache


@pytest.fixture(scope="session")
def rendered_faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds the synthetic faces, which take two seconds to render; read it only."""
    from fbench.benchmark.data.load import load_dataset
    from fbench.benchmark.data.source import DataReference

    def render(cache: Path) -> Path:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FBENCH_CACHE_DIR", str(cache))
            load_dataset(DataReference(name="synthetic"))
        return cache

    return made_once(tmp_path_factory, "rendered-faces", render)


@pytest.fixture
def faces_at_hand(own_cache: Path, rendered_faces: Path) -> None:
    """The test's own cache holds the synthetic faces from the start."""
    shutil.copytree(rendered_faces, own_cache, copy_function=os.link, dirs_exist_ok=True)


@pytest.fixture(scope="session")
def measured_machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that holds the ceilings of this machine, measured coarsely; read it only."""

    def measure(cache: Path) -> Path:
        import torch

        from fbench.benchmark.cost.roofline.measure_roofline import roofline_of_this_machine
        from fbench.benchmark.records.numerics import choose_numerics

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("FBENCH_CACHE_DIR", str(cache))
            roofline_of_this_machine(choose_numerics("cpu"), torch.device("cpu"))
        return cache

    return made_once(tmp_path_factory, "measured-machine", measure)


@pytest.fixture
def machine_at_hand(own_cache: Path, measured_machine: Path) -> None:
    """The test's own cache holds the ceilings of this machine: other processes that it starts measure none."""
    shutil.copytree(measured_machine, own_cache, copy_function=os.link, dirs_exist_ok=True)


@pytest.fixture
def unpainted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports whose figures are made and described but not painted: for tests of words and numbers."""
    from unpainted import leave_unpainted

    leave_unpainted(monkeypatch)


@pytest.fixture(autouse=True, scope="session")
def coarse_measurement() -> Iterator[None]:
    """Runs measure their machine in a second, not in half a minute."""
    with pytest.MonkeyPatch.context() as patch:
        measure_coarsely(patch)
        yield


@pytest.fixture(autouse=True, scope="session")
def commands_built_once() -> Iterator[None]:
    """The tree of commands is built at the first call of the command line in a process, not for each: it takes 30 ms,
    and nothing of a call stays in it."""
    import typer.main

    built = functools.cache(typer.main.get_command)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.main.get_command", built)
        patch.setattr("typer.testing._get_command", built)
        yield


@pytest.fixture
def same_registry_afterwards() -> Iterator[None]:
    """What a test registers is forgotten."""
    from support import registry_as_before

    with registry_as_before():
        yield


@pytest.fixture(scope="session")
def stripes() -> ImageDataset:
    """Three classes of 16x16 images (horizontal, vertical, diagonal stripes) with noise; 96, 30 and 30 images."""
    from support import make_stripes

    return make_stripes()
