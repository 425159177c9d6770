"""Networks that stand in no contract are counted where their counts are shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fbench.cli.app import app

PLUGIN = """
from torch import nn
import fbench

@fbench.register("linear_alone")
def build(num_classes=7, in_channels=1, image_size=48):
    return nn.Sequential(nn.Flatten(), nn.Linear(in_channels * image_size**2, num_classes))

@fbench.register("broken_alone")
def broken(num_classes=7, in_channels=1, image_size=48):
    raise ValueError("no")
"""


@pytest.mark.slow
@pytest.mark.parametrize("command", ["list", "params"])
def test_a_network_without_a_row_is_counted_and_one_that_cannot_be_is_said(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(PLUGIN)
    names = ["*_alone"] if command == "list" else ["linear_alone", "broken_alone", "lenet5"]
    result = CliRunner().invoke(app, [command, *names, "--plugin", "mine.py", "--json"])
    rows = {row["name"]: row for row in json.loads(result.stdout)}
    weights = 48 * 48 * 7
    assert (rows["linear_alone"]["trainable_params"], rows["linear_alone"]["macs"]) == (weights + 7, weights)
    assert rows["broken_alone"]["macs"] is None
    assert "The network 'broken_alone' raised ValueError: no" in result.stderr
    if command == "params":
        assert {name: row["computed"] for name, row in rows.items()} == {
            "linear_alone": True,
            "broken_alone": False,
            "lenet5": False,
        }
