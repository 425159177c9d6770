"""What checks a pull request with results: the commands are the program's own, and it can do no harm."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fbench.cli.app import app
from tests.docs.snippets import usage_error

ROOT = Path(__file__).parent.parent
yaml = pytest.importorskip("yaml", reason="PyYAML comes with pre-commit")
FILE = ROOT / ".github" / "workflows" / "community.yml"


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


def test_it_reads_and_no_secret_is_near(workflow: dict[Any, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    assert list(workflow[True]) == ["pull_request"]  # YAML's "on"; pull_request_target would run with secrets
    assert "secrets" not in FILE.read_text(encoding="utf-8")


def test_the_program_is_that_of_the_base_and_the_results_those_of_the_pull_request(workflow: dict[Any, Any]) -> None:
    steps = workflow["jobs"]["check"]["steps"]
    base, theirs = (step["with"] for step in steps if step.get("uses", "").startswith("actions/checkout"))
    assert base["ref"] == "${{ github.event.pull_request.base.sha }}"
    assert theirs["path"] == "theirs"
    commands = [shlex.split(step["run"]) for step in steps if "run" in step]
    ours = [words[1:] for words in commands if words[0] == "fbench"]
    assert [words[0] for words in ours] == ["submit", "leaderboard"]
    assert [usage_error(words, whole=True) for words in ours] == ["", ""]
    assert all("theirs/results/community" in words for words in ours)
    assert app is not None


def test_bundles_can_be_committed(tmp_path: Path) -> None:
    names = ("results/community/new/submission.json", "results/community/new/trials/0123456789abcdef/predictions.npz")
    ignored = subprocess.run(["git", "check-ignore", *names], cwd=ROOT, capture_output=True, text=True)
    if ignored.returncode == 128:
        pytest.skip("this is no checkout")
    assert ignored.stdout == ""
