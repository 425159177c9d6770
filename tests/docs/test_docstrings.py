"""Examples in the docstrings of the public modules are true."""

from __future__ import annotations

import doctest
from pathlib import Path
from types import ModuleType

import pytest
from coarse_fbench import leave_cost_out
from matplotlib import pyplot as plt
from unpainted import leave_unpainted

import fbench
import fbench.data
import fbench.plots
from fbench.api import results, running

MODULES = (running, results, fbench.data, fbench.plots)
EXAMPLES = [found for module in MODULES for found in doctest.DocTestFinder().find(module) if found.examples]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, rendered_faces: Path) -> Path:
    """A folder in which the run is complete that examples begin or read."""
    folder = tmp_path_factory.mktemp("docstrings")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("FBENCH_CACHE_DIR", str(rendered_faces))
        leave_cost_out(patch)
        fbench.run(arch=["lenet5", "ires"], preset="smoke", out="results/two", jobs=1, progress=False)
    return folder


@pytest.mark.usefixtures("faces_at_hand")
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda found: found.name)
def test_an_example_is_true(example: doctest.DocTest, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    leave_cost_out(monkeypatch)
    leave_unpainted(monkeypatch)
    said: list[str] = []
    failed = doctest.DocTestRunner().run(example, out=said.append, clear_globs=False).failed
    plt.close("all")
    assert not failed, "".join(said)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_every_public_function_has_an_example(module: ModuleType) -> None:
    public = getattr(module, "__all__", None) or [
        name for name in fbench.__all__ if getattr(fbench, name).__module__ == module.__name__
    ]
    assert {f"{module.__name__}.{name}" for name in public} <= {found.name for found in EXAMPLES}
