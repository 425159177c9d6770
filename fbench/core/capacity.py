"""What this process may use of its machine: cores and memory, and which limit says so.

Affinity (``taskset``, batch systems) and the quotas of control groups (containers, batch systems) both count.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from fbench.core.cgroup import MemoryLimit, cpu_quota, memory_limits

GIB: Final = 2**30
ROOT: Final = Path("/")


def usable_cores(root: Path = ROOT) -> int:
    """Cores that this process can keep busy: those of its affinity, within the quota of its control groups.

    A fraction of a CPU is left unused, though at least one core is: the thread that would take it is stopped for a part
    of every 0.1 s, which would show in its timings and delay all that wait for it.
    """
    quota = cpu_quota(root)
    allowed = _allowed_cores()
    return allowed if quota is None else min(allowed, max(1, int(quota.cpus)))


def cores_because(root: Path = ROOT) -> str:
    """Which limit makes the usable cores fewer than the machine's, in words; empty where none does."""
    quota, allowed, all_cores = cpu_quota(root), _allowed_cores(), os.cpu_count() or 1
    if quota is not None and usable_cores(root) < allowed:
        cpus = f"{quota.cpus:.2f}".rstrip("0").rstrip(".")
        return f"a quota of {cpus} CPU{'' if quota.cpus == 1 else 's'}, {quota.file}"
    if allowed < all_cores:
        return f"this process may run on {allowed} of {all_cores}, as by taskset"
    return ""


def memory_gib(root: Path = ROOT) -> float:
    """Memory that this process and all it shares limits with can have at most."""
    total, _ = _system_memory()
    return min([total, *(limit.limit_bytes for limit in memory_limits(root))]) / GIB


def available_memory_gib(root: Path = ROOT) -> float:
    """Memory that new processes can take without swapping, within the limits of control groups."""
    _, free = _system_memory()
    return min([free, *(limit.free_bytes for limit in memory_limits(root))]) / GIB


def memory_because(root: Path = ROOT) -> str:
    """Which limit leaves less memory free than the system has, in words; empty where none does."""
    limit = _tightest(root)
    return "" if limit is None else f"a limit of {limit.limit_bytes / GIB:.1f} GiB, {limit.file}"


def in_brackets(reason: str) -> str:
    """A reason as it follows a number: in brackets after a space, or nothing."""
    return f" ({reason})" if reason else ""


def library_threads(root: Path = ROOT) -> int | None:
    """Threads for libraries that are told no number; None where their own choice, which knows affinity, is right."""
    cores = usable_cores(root)
    return cores if cores < _allowed_cores() else None


def _tightest(root: Path) -> MemoryLimit | None:
    _, free = _system_memory()
    limit = min(memory_limits(root), key=lambda one: one.free_bytes, default=None)
    return limit if limit is not None and limit.free_bytes < free else None


def _allowed_cores() -> int:
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _system_memory() -> tuple[int, int]:
    """All memory of the system and what is free, in bytes; without ``/proc``, unused pages alone count as free."""
    import psutil

    try:
        memory = psutil.virtual_memory()
    except OSError:
        page = os.sysconf("SC_PAGE_SIZE")
        return page * os.sysconf("SC_PHYS_PAGES"), page * os.sysconf("SC_AVPHYS_PAGES")
    return int(memory.total), int(memory.available)
