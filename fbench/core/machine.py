"""What a result was made on: processor, accelerator, operating system, versions, and the code's revision."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Final

from fbench.core.capacity import memory_gib, usable_cores
from fbench.core.schema import FrozenModel

BUSY_PERCENT: Final = 15.0
"""Of all cores that other work takes, beyond which times are those of a busy machine."""

PACKAGES = ("fbench", "torch", "numpy", "scipy", "fvcore", "ptflops")


class Machine(FrozenModel):
    """The machine and software of one measurement.

    ``logical_cores`` are the machine's; ``usable_cores`` and ``memory_gib`` are what affinity and the limits of control
    groups leave of it.
    """

    processor: str
    logical_cores: int
    usable_cores: int
    memory_gib: float
    accelerator: str | None
    system: str
    python: str
    versions: dict[str, str]
    git_revision: str | None
    git_dirty: bool | None

    @property
    def pytorch(self) -> str:
        """The minor version of PyTorch, such as ``2.13``; trainings of two of them need not be alike."""
        return minor_version(self.versions.get("torch", ""))


@functools.cache
def describe_machine(accelerator: int = 0) -> Machine:
    """Describe this machine, with the accelerator of this number; torch is imported to name it."""
    import torch

    revision, dirty = _git_state()
    return Machine(
        processor=_processor(),
        logical_cores=os.cpu_count() or 1,
        usable_cores=usable_cores(),
        memory_gib=max(0.1, round(memory_gib(), 1)),
        accelerator=torch.cuda.get_device_name(accelerator) if torch.cuda.is_available() else None,
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        python=platform.python_version(),
        versions={name: package_version(name) for name in PACKAGES},
        git_revision=revision,
        git_dirty=dirty,
    )


def busy_percent(seconds: float) -> float | None:
    """Share of all cores that was busy over so long, in percent; None where the system does not tell."""
    import psutil

    try:
        return float(psutil.cpu_percent(interval=seconds))
    except OSError:
        return None


def _processor() -> str:
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def package_version(package: str) -> str:
    """The installed version of a distribution, or ``not installed``; of one that runs from a checkout its module's."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return str(getattr(sys.modules.get(package), "__version__", "not installed"))


def minor_version(version: str) -> str:
    """The first two numbers of a version: ``2.13`` of ``2.13.0+cpu``."""
    return ".".join(version.split(".")[:2])


def _git_state() -> tuple[str | None, bool | None]:
    """Revision of the checkout that holds this package, and whether it has uncommitted changes."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None, None
    try:
        # git is found on the user's own PATH, as every tool of a checkout finds it.
        revision, status = (
            subprocess.run(  # noqa: S603 - fixed arguments, no user input
                ["git", "-C", str(root), *arguments],  # noqa: S607 - see above
                capture_output=True,
                text=True,
                check=True,
                timeout=10,
            ).stdout.strip()
            for arguments in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        )
    except (OSError, subprocess.SubprocessError):
        return None, None
    return revision, bool(status)
