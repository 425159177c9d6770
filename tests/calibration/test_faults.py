"""The harness that disturbs runs refuses and kills where it says, and its networks are Python."""

from __future__ import annotations

import ast
import errno
import inspect
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fbench.benchmark.cost import measure
from fbench.benchmark.runs import run_cost
from tests.calibration.faults import bench
from tests.calibration.faults.bench import Ended
from tests.calibration.faults.networks import NETWORKS, source_of

WRITES = """
import os, sys
from pathlib import Path
place = Path(sys.argv[1])
place.with_name("outside").write_text("not counted")
(place / "a").write_text("0123456789")
os.rename(place / "a", place / "b")
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not sys.platform.startswith("linux") or shutil.which("cc") is None:
        pytest.skip("Linux and a C compiler")
    file = tmp_path_factory.mktemp("shim") / "shim.so"
    source = Path(bench.__file__).with_name("shim.c")
    subprocess.run(["cc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", file, source, "-ldl"], check=True)
    return file


def disturbed(shim: Path, place: Path, at: int, error: int = 0) -> tuple[int, str, int]:
    """How the program above ended, what it said, and how many changes it made."""
    (place / "run").mkdir()
    counter = place / "counter"
    counter.write_bytes(bytes(8))
    told = {"FAULT_ROOT": str(place / "run"), "FAULT_COUNTER": str(counter), "FAULT_AT": str(at)}
    environment = os.environ | told | {"FAULT_ERROR": str(error), "LD_PRELOAD": str(shim)}
    command = [sys.executable, "-c", WRITES, str(place / "run")]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stderr, int.from_bytes(counter.read_bytes(), "little")


def test_changes_below_the_folder_are_counted_alone(shim: Path, tmp_path: Path) -> None:
    assert disturbed(shim, tmp_path, at=0) == (0, "", 3)  # open, write, rename


def test_a_change_is_refused_once(shim: Path, tmp_path: Path) -> None:
    status, said, count = disturbed(shim, tmp_path, at=2, error=errno.ENOSPC)
    assert (status, count >= 2) == (1, True)  # Python tries what is left to write again when it closes a file
    assert "No space left" in said


def test_a_process_is_killed_after_half_of_a_write(shim: Path, tmp_path: Path) -> None:
    assert disturbed(shim, tmp_path, at=2)[0] == -signal.SIGKILL
    assert (tmp_path / "run" / "a").read_text() == "01234"


def test_a_process_is_killed_before_a_rename(shim: Path, tmp_path: Path) -> None:
    assert disturbed(shim, tmp_path, at=3)[0] == -signal.SIGKILL
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["a"]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_bad_network_is_python_with_its_fault_in_it(name: str) -> None:
    source = source_of(NETWORKS[name])
    ast.parse(source)
    assert NETWORKS[name].code in source


@pytest.mark.parametrize(
    ("status", "said", "clean"),
    [
        (0, "", True),
        (2, "planning\nfbench: The disk is full; make room.\n", True),
        (2, "planning\n", False),
        (2, "fbench: one\nfbench: two\n", False),
        (70, "fbench: fbench itself failed\n", False),
        (0, "Traceback (most recent call last):\n", False),
        (-9, "", True),
    ],
)
def test_one_sentence_is_asked_of_a_command_that_did_not_do_its_work(status: int, said: str, clean: bool) -> None:
    assert Ended(status, said).is_clean == clean


def test_the_plan_of_quick_costs_is_asked_for_as_the_package_asks_for_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measure, "_read_memory", measure._read_memory)  # to be put back
    monkeypatch.setattr(run_cost, "_cost_plan", run_cost._cost_plan)
    before = inspect.signature(run_cost._cost_plan)
    bench.make_costs_quick()
    assert inspect.signature(run_cost._cost_plan) == before
