"""``fbench export`` and ``fbench predict``, as a user types them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from coarse_fbench import leave_cost_out
from PIL import Image
from support import two_lenets
from typer.testing import CliRunner

import fbench
from fbench.benchmark.store.run_table import RunTable
from fbench.cli.app import app
from fbench.core.errors import UserError

runner = CliRunner()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, rendered_faces: Path) -> RunTable:
    """Two LeNets on synthetic faces, one seed."""
    folder = tmp_path_factory.mktemp("export") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FBENCH_CACHE_DIR", str(shutil.copytree(rendered_faces, folder.parent / "cache")))
        leave_cost_out(patch)
        return fbench.run(suite=two_lenets(), preset="smoke", out=folder, seeds=1, jobs=1)


def told(*arguments: str) -> str:
    result = runner.invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.slow
def test_a_trial_is_exported_by_network_and_seed_and_predicts_faces(run: RunTable, tmp_path: Path) -> None:
    folder, file = str(run.folder.path), tmp_path / "lenet.onnx"
    text = told("export", folder, "lenet5:0", "--to", "onnx", "-o", str(file))
    assert text.splitlines()[-1] == str(file)
    assert "checked: logits within" in text
    face = tmp_path / "face.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)).save(face)
    by_weights = json.loads(told("predict", folder, "lenet5", str(face), "--json"))
    by_file = json.loads(told("predict", folder, "lenet5", str(face), "--model", str(file), "--json"))
    assert by_weights["images"][0]["probabilities"] == pytest.approx(by_file["images"][0]["probabilities"], abs=1e-5)
    printed = told("predict", folder, "lenet5", str(face))
    assert f"{face}: {by_weights['images'][0]['predicted']}" in printed


@pytest.mark.slow
def test_int8_learns_its_ranges_from_training_images(run: RunTable, tmp_path: Path) -> None:
    file = tmp_path / "lenet.onnx"
    arguments = ["--calibration-images", "64", "-o", str(file)]
    text = told("export", str(run.folder.path), "lenet5", "--to", "onnx-int8", *arguments)
    assert "of 64 training images the class that fp32 gives" in text
    assert file.is_file()


def test_without_a_name_the_file_lies_in_the_run(run: RunTable) -> None:
    text = told("export", str(run.folder.path), "lenet5", "--to", "safetensors")
    (trial_id,) = (row.trial_id for row in run.plan if row.network == "lenet5")
    assert Path(text.splitlines()[-1]) == run.folder.path / "exports" / f"lenet5-{trial_id}.safetensors"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["lenet5", "--to", "onx"], "Did you mean 'onnx'?"),
        (["lenet5", "--to", "onnx", "-o", "net.pt2"], "give a file name that ends in .onnx"),
        (["ires", "--to", "onnx"], "has no trial 'ires'"),
    ],
)
def test_what_cannot_be_exported_is_told(arguments: list[str], sentence: str, run: RunTable) -> None:
    result = runner.invoke(app, ["export", str(run.folder.path), *arguments])
    assert isinstance(result.exception, UserError)
    assert sentence in str(result.exception)
