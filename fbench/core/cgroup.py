"""What Linux control groups let this process have: a quota of CPU time, and memory.

Containers, batch systems and systemd limit processes this way, and neither the affinity of a process nor
``/proc/meminfo`` shows it. Files are those of the kernel's documentation: version 2 in
``Documentation/admin-guide/cgroup-v2.rst``, version 1 in ``Documentation/scheduler/sched-bwc.rst`` and
``Documentation/admin-guide/cgroup-v1/memory.rst``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal

Controller = Literal["cpu", "memory"]

_UNLIMITED: Final = 2**60
"""Version 1 writes the largest multiple of a page below 2**63 where there is no limit; no machine has 2**60 bytes."""
_DEFAULT_PERIOD_US: Final = 100_000


@dataclass(frozen=True)
class CpuQuota:
    """CPU time of a group, in CPUs (1.5 is three seconds of CPU time in two seconds), and the file that says so."""

    cpus: float
    file: Path


@dataclass(frozen=True)
class MemoryLimit:
    """Memory that a group may use, what it uses now but for cache that the kernel can drop, and the file of the limit.

    ``used_bytes`` is usage less ``inactive_file``, which is how container tools tell a group's working set.
    """

    limit_bytes: int
    used_bytes: int
    file: Path

    @property
    def free_bytes(self) -> int:
        """What is left; 0 where a group uses more than its limit, as a soft one allows."""
        return max(0, self.limit_bytes - self.used_bytes)


@dataclass(frozen=True)
class _Mount:
    """A hierarchy of groups: the group that is its top here, and the folder where it is mounted."""

    version: Literal[1, 2]
    top: PurePosixPath
    folder: Path

    def holds(self, group: PurePosixPath) -> bool:
        """Whether the path of a group lies in this hierarchy; ``..`` leads out of the namespace of groups."""
        return ".." not in group.parts and group.is_relative_to(self.top)


def cpu_quota(root: Path = Path("/")) -> CpuQuota | None:
    """The smallest quota of this process's group and of every group above it that can be seen; None without one.

    ``root`` is the folder that holds ``proc`` and ``sys``. What cannot be read, or has no such form, is no limit.
    """
    found = [quota for version, group in _groups(root, "cpu") if (quota := _quota_of(version, group)) is not None]
    return min(found, key=lambda quota: quota.cpus, default=None)


def memory_limits(root: Path = Path("/")) -> tuple[MemoryLimit, ...]:
    """The memory limits of this process's group and of every group above it that can be seen; empty without any.

    What one may still use is the smallest ``free_bytes`` among them, which need not be that of the smallest limit.
    """
    return tuple(limit for version, group in _groups(root, "memory") for limit in _limits_of(version, group))


def _quota_of(version: int, group: Path) -> CpuQuota | None:
    if version == 2:
        file = group / "cpu.max"
        fields = (_text(file) or "").split()
        quota = _number(fields[0]) if fields else None
        period = _number(fields[1]) if len(fields) > 1 else _DEFAULT_PERIOD_US
    else:
        file = group / "cpu.cfs_quota_us"
        quota, period = _number(_text(file)), _number(_text(group / "cpu.cfs_period_us"))
    if not quota or not period or quota < 0 or period < 0:
        return None
    return CpuQuota(quota / period, file)


def _limits_of(version: int, group: Path) -> Iterator[MemoryLimit]:
    """A group's limits, hard ones and the one above which version 2 slows a group down."""
    statistics = _statistics(group / "memory.stat")
    if version == 2:
        limits = {group / name: _number(_text(group / name)) for name in ("memory.max", "memory.high")}
        usage = _number(_text(group / "memory.current"))
        cache = statistics.get("inactive_file", 0)
    else:
        file = group / "memory.limit_in_bytes"
        # The statistics also know the limits of groups above that a container cannot see.
        limits = {file: _number(_text(file)), group / "memory.stat": statistics.get("hierarchical_memory_limit")}
        usage = _number(_text(group / "memory.usage_in_bytes"))
        cache = statistics.get("total_inactive_file", statistics.get("inactive_file", 0))
    for file, limit in limits.items():
        if limit is not None and 0 < limit < _UNLIMITED:
            yield MemoryLimit(limit, max(0, (usage or 0) - cache), file)


def _groups(root: Path, controller: Controller) -> Iterator[tuple[int, Path]]:
    """The folders of this process's group and of those above it, for every hierarchy that can limit ``controller``."""
    own = _own_groups(root, controller)
    seen: set[Path] = set()
    for mount in _mounts(root, controller, own):
        group = _folder_of(mount, own.get(mount.version, PurePosixPath("/")))
        while group not in seen:
            seen.add(group)
            yield mount.version, group
            if group == mount.folder or (mount.version == 1 and _text(group.parent / "memory.use_hierarchy") == "0"):
                break
            group = group.parent


def _folder_of(mount: _Mount, group: PurePosixPath) -> Path:
    """The folder of a group below a mount, or of the nearest group above it that can be seen.

    In a container the group's path is often that of the host, of which nothing is mounted; the top of the mount is then
    the container's own group.
    """
    if not mount.holds(group):
        return mount.folder
    folder = mount.folder / group.relative_to(mount.top)
    while folder != mount.folder and not _is_folder(folder):
        folder = folder.parent
    return folder


def _own_groups(root: Path, controller: Controller) -> dict[int, PurePosixPath]:
    """This process's group in the hierarchy of each version (``proc(5)``, ``cgroups(7)``)."""
    groups: dict[int, PurePosixPath] = {}
    for line in (_text(root / "proc/self/cgroup") or "").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            groups[2] = PurePosixPath(path)
        elif controller in controllers.split(","):
            groups[1] = PurePosixPath(path)
    return groups


def _mounts(root: Path, controller: Controller, own: dict[int, PurePosixPath]) -> list[_Mount]:
    """The mounted hierarchies that can limit ``controller``; the usual places where the kernel does not tell.

    Of several mounts of one version those that hold this process's group count, as others may show a stranger's; where
    none does, the first.
    """
    found = list(_mounted(root, controller))
    if not found:
        return [
            _Mount(2, PurePosixPath("/"), root / "sys/fs/cgroup"),
            _Mount(1, PurePosixPath("/"), root / "sys/fs/cgroup" / controller),
        ]
    chosen: list[_Mount] = []
    for version in (2, 1):
        alike = [mount for mount in found if mount.version == version]
        holding = [mount for mount in alike if mount.holds(own.get(version, PurePosixPath("/")))]
        chosen += holding or alike[:1]
    return chosen


def _mounted(root: Path, controller: Controller) -> Iterator[_Mount]:
    """Hierarchies that ``mountinfo`` lists (``proc_pid_mountinfo(5)``)."""
    for line in (_text(root / "proc/self/mountinfo") or "").splitlines():
        before, separator, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if not separator or len(fields) < 5 or len(kind) < 3:
            continue
        top, folder = PurePosixPath(_unescaped(fields[3])), root / _unescaped(fields[4]).lstrip("/")
        if kind[0] == "cgroup2":
            yield _Mount(2, top, folder)
        elif kind[0] == "cgroup" and controller in kind[2].split(","):
            yield _Mount(1, top, folder)


def _unescaped(path: str) -> str:
    """A path of ``mountinfo``, which writes spaces and the like as a backslash and three octal digits."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), path)


def _statistics(file: Path) -> dict[str, int]:
    lines = (line.split() for line in (_text(file) or "").splitlines())
    return {fields[0]: value for fields in lines if len(fields) == 2 and (value := _number(fields[1])) is not None}


def _number(text: str | None) -> int | None:
    """A whole number; None for ``max``, for what is no number, and for what could not be read."""
    return int(text) if text is not None and re.fullmatch(r"-?[0-9]{1,20}", text) else None


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8", errors="surrogateescape").strip()
    except (OSError, ValueError):
        return None


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a folder above it may not be entered
        return False
