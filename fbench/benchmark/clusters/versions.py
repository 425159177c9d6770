"""What must be alike on all nodes, for results to be those of one machine."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache

from fbench.core.machine import minor_version, package_version

Versions = Mapping[str, str]


@cache
def versions_here() -> Versions:
    """The versions of fbench, PyTorch and Python in this process; of PyTorch without what it was built for."""
    return {
        "fbench": package_version("fbench"),
        "torch": package_version("torch").partition("+")[0],
        "Python": minor_version(platform.python_version()),
    }


def difference(there: Versions, here: Versions) -> str:
    """How versions of a node differ from those of the driver, in words; empty where they do not."""
    other = [name for name, version in here.items() if there.get(name) != version]
    return ", ".join(f"{name} {there.get(name, 'not at all')} (here {here[name]})" for name in other)
