"""Stage: the tests that need a CUDA device."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import Measurement, NotHereError

ROOT: Final = Path(__file__).parents[3]
MARK: Final = "@on_cuda"
PROCESSES: Final = 4
"""Each takes seconds to import PyTorch, and a context of the device."""
SHOWN: Final = 1500


def measurements(settings: Settings) -> Iterator[Measurement]:
    """All in one call of pytest."""
    yield Measurement("pytest", partial(tests, settings))


def tests(settings: Settings) -> Mapping[str, Any]:
    """How each test ended; those that failed with the end of what they said.

    Raises:
        NotHereError: pytest is not installed.
        RuntimeError: a test failed, or pytest did not come to its end.
    """
    if find_spec("pytest") is None or find_spec("hypothesis") is None:
        raise NotHereError("pytest or hypothesis is not installed")
    report = settings.work / "cuda_tests.jsonl"
    report.unlink(missing_ok=True)
    options = ["-q", "-p", "no:cacheprovider", "-p", "tests.gpu.contact.reporting", "-m", ""]
    if find_spec("xdist") is not None:
        options += ["-p", "xdist.plugin", "-n", str(PROCESSES), "--dist", "worksteal"]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-o",
        "addopts=--strict-markers",
        *options,
        "-k",
        "cuda or accelerator",
        *files(),
    ]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment = kept | {"FBENCH_TEST_REPORT": str(report), "PYTHONPATH": _path()}
    environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # whose warnings would be errors
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    rows = [json.loads(line) for line in report.read_text(encoding="utf-8").splitlines()] if report.exists() else []
    counts = {how: sum(row["outcome"] == how for row in rows) for how in ("passed", "failed", "skipped")}
    failed = [row for row in rows if row["outcome"] == "failed"]
    if done.returncode:
        told = "; ".join(f"{row['test']}: {row['said'][-SHOWN:]}" for row in failed)
        raise RuntimeError(f"pytest ended with {done.returncode}: {counts}; {told}")
    return {**counts, "tests": [[row["test"], row["outcome"], row["took_s"]] for row in rows]}


def files() -> list[str]:
    """The files with tests that need a CUDA device; collecting all others takes longer than these take."""
    found = (ROOT / "tests").rglob("test_*.py")
    return sorted(str(file.relative_to(ROOT)) for file in found if MARK in file.read_text(encoding="utf-8"))


def _path() -> str:
    """Where a test finds what this process found, itself first."""
    return os.pathsep.join([str(ROOT), *(part for part in sys.path if part)])
