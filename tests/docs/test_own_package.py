"""The package of the examples: installed, its network is known by name, counted, trained and tested."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from install_package import PACKAGE, install_own_package

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    site = install_own_package(tmp_path_factory.mktemp("package"))
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])}


def fbench(*words: str, cwd: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    coarse = [sys.executable, str(ROOT / "tests" / "coarse_fbench.py")]
    return subprocess.run([*coarse, *words], cwd=cwd, env=environment, capture_output=True, text=True)


def test_its_network_is_listed_and_has_the_counts_of_its_contract(environment: dict[str, str], tmp_path: Path) -> None:
    listed = fbench("list", "small*", "--json", cwd=tmp_path, environment=environment)
    assert listed.returncode == 0, listed.stderr
    assert "small_separable" in listed.stdout
    checked = fbench("params", "--check", "small_separable", cwd=tmp_path, environment=environment)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.usefixtures("faces_at_hand")
def test_its_network_is_trained_beside_ires(environment: dict[str, str], own_cache: Path, tmp_path: Path) -> None:
    names = ["--arch", "small_separable", "--against", "ires"]
    mine = environment | {"FBENCH_CACHE_DIR": str(own_cache)}
    ran = fbench("run", *names, "--preset", "smoke", "--out", "run", "--json", cwd=tmp_path, environment=mine)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout.splitlines()[-1])["failed"] == 0
    assert (tmp_path / "run" / "report.html").is_file()


def test_its_own_tests_pass(environment: dict[str, str]) -> None:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "pyproject.toml", "tests"]
    ran = subprocess.run(words, cwd=PACKAGE, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
