"""What people copy into a repository of their own does there what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
yaml = pytest.importorskip("yaml", reason="PyYAML comes with pre-commit")


def bash(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a text in a folder, where ``fbench`` is the command of this checkout that measures coarsely."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    (programs / "fbench").write_text(
        f'#!/bin/sh\nexec "{sys.executable}" "{ROOT / "tests" / "coarse_fbench.py"}" "$@"\n'
    )
    (programs / "fbench").chmod(0o755)
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
    python = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PATH": path, "PYTHONPATH": python}
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text], cwd=folder, env=environment, capture_output=True, text=True
    )


def the_hook() -> str:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert (hook["id"], hook["pass_filenames"]) == ("fbench-params", False)
    return f"{hook['entry']} --plugin my_net.py"


def test_pre_commit_reads_the_hooks() -> None:
    clientlib = pytest.importorskip("pre_commit.clientlib", reason="pre-commit comes with the extra [dev]")
    assert [hook["id"] for hook in clientlib.load_manifest(str(ROOT / ".pre-commit-hooks.yaml"))] == ["fbench-params"]


@pytest.mark.slow
@pytest.mark.usefixtures("machine_at_hand")
def test_the_workflow_passes_with_a_new_network_and_fails_with_a_changed_one(tmp_path: Path) -> None:
    workflow = yaml.safe_load((ROOT / "examples" / "github-workflow.yml").read_text(encoding="utf-8"))
    steps = {step["name"]: step["run"] for step in workflow["jobs"]["gate"]["steps"] if "run" in step}
    assert list(steps) == ["install", "parameters and MACs", "tests", "speed"]
    assert bash("fbench new-arch my_net", tmp_path).returncode == 0
    for name in ("parameters and MACs", "tests", "speed"):
        done = bash(steps[name], tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
    assert the_hook() == steps["parameters and MACs"].strip()
    plugin = tmp_path / "my_net.py"
    plugin.write_text(
        plugin.read_text(encoding="utf-8").replace("width: int = 16", "width: int = 32"), encoding="utf-8"
    )
    for command in (steps["parameters and MACs"], steps["tests"], steps["speed"]):
        assert bash(command, tmp_path).returncode == 1
