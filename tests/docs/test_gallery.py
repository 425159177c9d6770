"""Each example of the gallery runs, draws what it says it draws, and warns of nothing."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import pytest
from coarse_fbench import leave_cost_out
from matplotlib import pyplot as plt

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("plot_*.py"))
FIGURES = {"figures": 2, "own_data": 1, "trade_off": 1}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all, as three of them read one run."""
    return tmp_path_factory.mktemp("examples")


@pytest.mark.usefixtures("faces_at_hand", "same_registry_afterwards")
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda file: file.stem)
def test_an_example_runs(
    example: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    if "three_networks" not in example.read_text(encoding="utf-8"):
        leave_cost_out(monkeypatch)
    shown: list[int] = []
    monkeypatch.setattr(plt, "show", lambda: (shown.extend(plt.get_fignums()), plt.close("all")))
    runpy.run_path(str(shutil.copy(example, folder)), run_name="__main__")
    name = example.stem.split("_", 2)[2]
    assert len(shown) == FIGURES.get(name, 0)
    assert shown or capsys.readouterr().out


def test_there_are_six_and_each_has_a_title() -> None:
    assert len(EXAMPLES) == 6
    for example in EXAMPLES:
        _, title, line, _ = example.read_text(encoding="utf-8").split("\n", 3)
        assert line == "=" * len(title), example.name
