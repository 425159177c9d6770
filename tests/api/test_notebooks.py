"""Notebooks as people write them, run by the kernel that runs theirs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("machine_at_hand")]
NETWORK = """
@fbench.register("mine")
def build(num_classes=7, in_channels=1, image_size=48, width=4):
    return nn.Sequential(nn.Conv2d(in_channels, width, 5), Mean(), nn.Linear(width, num_classes))
"""
CELLS = [
    "import fbench\nfrom torch import nn",
    "class Mean(nn.Module):\n    def forward(self, x):\n        return x.mean((-2, -1))",
    NETWORK,
    "run = fbench.run(arch=['mine', 'lenet5'], preset='smoke', out='r', jobs=2)\nrun",
    "print(run.trials_frame()[['network', 'status', 'test_top1']].to_string())",
    "print(run.compare('lenet5', 'mine'))",
    "fbench.plots.seeds(run.trials_frame())",
    NETWORK.replace("width=4", "width=5"),
    "again = fbench.run(arch=['mine', 'lenet5'], preset='smoke', out='r2', take_from='r', progress=False)",
    "print(again.networks, sum(one in run.trials for one in again.trials))",
    "print(type(fbench.load_model(again, 'mine:0')).__name__)",
]


def test_a_network_of_a_cell_is_trained_compared_drawn_and_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.delenv("MPLBACKEND", raising=False)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in CELLS])
    nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}}).execute()
    said = [_words(cell) for cell in notebook.cells]
    assert "mine is defined in this session, which worker processes cannot import" in said[3]
    assert "<progress" in said[3]
    assert "<table" in said[3]
    assert said[4].count("finished") == 2
    assert "mine" in said[5]
    assert "image/png" in said[6]
    assert "mine is defined in this session" in said[8]
    assert said[9].split()[-1] == "1"  # lenet5 alone, as the other was changed
    assert "Sequential" in said[10]


def _words(cell: Any) -> str:
    found = []
    for output in cell.outputs:
        found += [output.get("text", "")] + [f"{kind}: {text}" for kind, text in output.get("data", {}).items()]
    return "\n".join(found)


def test_a_script_without_a_guard_runs_once(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import fbench\nprint('begun')\nfbench.run(arch='lenet5', preset='smoke', out='r', jobs=2, progress=False)\n"
    )
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("begun\n", "")
    (costs,) = (tmp_path / "r" / "costs").glob("*.json")
    assert '"peak_memory_mib": null' not in costs.read_text()
