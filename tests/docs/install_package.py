"""The package of the examples, installed in a folder as its users would in an environment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

PACKAGE = Path(__file__).parents[2] / "examples" / "own_package"


def install_own_package(folder: Path) -> Path:
    """Install a copy of it below ``folder``, without what it needs; the folder that Python finds it in."""
    source = copytree(PACKAGE, folder / "source", ignore=ignore_patterns("build", "*.egg-info", "__pycache__"))
    site = folder / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--target", str(site), str(source)], check=True, capture_output=True)
    return site
