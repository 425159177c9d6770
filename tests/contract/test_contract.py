"""What must work in every environment that pyproject.toml allows; ``scripts/matrix`` makes them and runs this file.

It needs the package, pytest, and nothing else: no fixture of other tests, no package of the extra ``dev``. Where torch
is not installed, what needs it is skipped.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import fbench

pytestmark = pytest.mark.contract

REFERENCE = Path(__file__).parents[2] / "results" / "fer2013-standard"
COMMAND = (sys.executable, "-W", "error", "-m", "fbench.cli")
EXTRAS = frozenset({"cv2", "joblib", "lz4", "mtcnn", "onnx", "onnxruntime", "onnxscript", "pynvml", "triton"})
"""Packages that modules may lack, as they belong to an extra, or come with builds of PyTorch for CUDA."""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read from or written to the user's cache."""
    monkeypatch.setenv("FBENCH_CACHE_DIR", str(tmp_path / "cache"))


needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")


def run(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A command of fbench in a process of its own, with warnings as errors."""
    package = str(Path(fbench.__file__).parents[1])
    path = os.pathsep.join(part for part in (package, os.environ.get("PYTHONPATH")) if part)
    environment = os.environ | {"PYTHONPATH": path, "PYTHONUTF8": "1", "MPLBACKEND": "Agg"}
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, encoding="utf-8", cwd=cwd, env=environment, timeout=120
    )


def test_every_module_can_be_imported() -> None:
    without_torch = importlib.util.find_spec("torch") is None
    may_lack = EXTRAS | ({"torch"} if without_torch else set())
    modules = [module.name for module in pkgutil.walk_packages(fbench.__path__, "fbench.")]
    imported, lacking = 0, {}
    for name in modules:
        if name.endswith("__main__"):
            continue
        try:
            importlib.import_module(name)
            imported += 1
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] not in may_lack:
                raise
            lacking[name] = error.name
    assert len(modules) > 300
    assert imported > (150 if without_torch else 300), lacking


def test_help_names_every_command() -> None:
    done = run("--help")
    assert done.returncode == 0, done.stderr
    for command in ("list", "show", "params", "run", "speed", "status", "report", "claims", "compare", "doctor"):
        assert f" {command} " in done.stdout


def test_the_list_has_the_papers_networks() -> None:
    done = run("list")
    assert done.returncode == 0, done.stderr
    names = {line.split()[0] for line in done.stdout.splitlines() if line.strip()}
    assert {"ires", "arch1", "arch4", "resnet50"} <= names


@pytest.mark.parametrize("arguments", [["run", "--no-such-option"], ["no-such-command"], ["report", "no/such/run"]])
def test_bad_usage_is_one_sentence_and_exit_code_2(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("fbench: ")
    assert len(done.stderr.strip().splitlines()) == 1


@needs_torch
def test_all_networks_have_the_parameters_of_the_contract() -> None:
    done = run("params", "--check")
    assert done.returncode == 0, done.stdout + done.stderr


@needs_torch
def test_a_run_trains_measures_and_reports(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    done = run("run", "--suite", "smoke", "--only", "lenet", "--preset", "smoke", "--out", str(folder), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    records = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("trials/*/record.json"))]
    assert records
    assert {record["status"] for record in records} == {"finished"}
    assert "<html" in (folder / "report.html").read_text(encoding="utf-8")


def test_committed_records_are_read_and_reported(tmp_path: Path) -> None:
    table = fbench.load_run(REFERENCE)
    finished = [record for record in table.trials.values() if record.status == "finished"]
    assert len(finished) == 100  # ten networks, ten seeds
    top1 = [record.test.top1 for record in finished if record.spec.network.name == "ires"]
    assert sum(top1) / len(top1) == pytest.approx(0.550, abs=0.0005)  # as the table of docs/results.md has it
    target = tmp_path / "report.md"
    done = run("report", str(REFERENCE), "--format", "md", "-o", str(target))
    assert done.returncode == 0, done.stderr
    text = target.read_text(encoding="utf-8").replace("\\", "")
    assert "ires_regular_conv gains 1.4" in text
