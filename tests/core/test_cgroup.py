from __future__ import annotations

from pathlib import Path

import pytest

from fbench.core.cgroup import cpu_quota, memory_limits

GIB = 2**30
V2_MOUNT = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate"


def system(root: Path, cgroup: str, mounts: list[str], files: dict[str, str]) -> Path:
    """A folder that looks like the root of a Linux system; ``files`` lie below ``/sys/fs/cgroup``."""
    contents = {"proc/self/cgroup": cgroup, "proc/self/mountinfo": "\n".join(mounts)}
    contents |= {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    for name, text in contents.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n", encoding="utf-8")
    return root


def version_2(root: Path, files: dict[str, str], group: str = "/") -> Path:
    return system(root, f"0::{group}", [V2_MOUNT], files)


def version_1(root: Path, files: dict[str, str], group: str = "/", top: str = "/") -> Path:
    cgroup = f"4:memory:{group}\n2:cpu,cpuacct:{group}\n1:name=systemd:/elsewhere"
    mounts = [
        f"32 31 0:29 {top} /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct",
        f"35 31 0:32 {top} /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory",
        "36 31 0:33 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd",
    ]
    return system(root, cgroup, mounts, files)


def quota(root: Path) -> float | None:
    found = cpu_quota(root)
    return None if found is None else found.cpus


def free(root: Path) -> int | None:
    return min((limit.free_bytes for limit in memory_limits(root)), default=None)


@pytest.mark.parametrize(
    ("text", "cpus"),
    [
        ("100000 100000", 1.0),
        ("150000 100000", 1.5),
        ("20000 50000", 0.4),
        ("800000", 8.0),  # without a period, which is 0.1 s then
        ("max 100000", None),
        ("max", None),
        ("", None),
        ("many 100000", None),
        ("100000 0", None),
        ("-1 100000", None),
        ("1e5 100000", None),
        ("100000 often", None),
    ],
)
def test_a_quota_is_cpu_time_over_period(tmp_path: Path, text: str, cpus: float | None) -> None:
    root = version_2(tmp_path, {"cpu.max": text})
    assert quota(root) == cpus
    if cpus is not None:
        assert cpu_quota(root).file == root / "sys/fs/cgroup/cpu.max"  # type: ignore[union-attr]


def test_the_smallest_quota_from_the_group_up_to_the_top_holds(tmp_path: Path) -> None:
    files = {
        "batch/cpu.max": "200000 100000",
        "batch/job/cpu.max": "400000 100000",
        "batch/job/step/cpu.max": "max 100000",
        "other/cpu.max": "10000 100000",
    }
    assert quota(version_2(tmp_path, files, "/batch/job/step")) == 2.0


def test_a_path_of_the_host_that_a_container_cannot_see_stands_for_the_top_of_the_mount(tmp_path: Path) -> None:
    files = {"cpu.max": "300000 100000", "memory.max": str(GIB)}
    for number, group in enumerate(["/kubepods/pod1/container", "/../../host.slice", "", "/gone.scope (deleted)"]):
        root = version_2(tmp_path / str(number), files, group)
        assert quota(root) == 3.0, group
        assert [limit.limit_bytes for limit in memory_limits(root)] == [GIB], group


def test_a_mount_of_a_strangers_group_does_not_count(tmp_path: Path) -> None:
    stranger = "40 23 0:26 /../other /sys/fs/cgroup/stranger rw - cgroup2 cgroup2 rw"
    files = {"stranger/cpu.max": "10000 100000", "cpu.max": "200000 100000"}
    assert quota(system(tmp_path, "0::/", [stranger, V2_MOUNT], files)) == 2.0


def test_a_mount_may_have_a_blank_in_its_name(tmp_path: Path) -> None:
    mount = r"30 23 0:26 / /sys/fs/cgroup/of\040mine rw - cgroup2 cgroup2 rw"
    assert quota(system(tmp_path, "0::/", [mount], {"of mine/cpu.max": "100000 100000"})) == 1.0


@pytest.mark.parametrize(
    ("quota_us", "period_us", "cpus"),
    [("-1", "100000", None), ("50000", "100000", 0.5), ("250000", "100000", 2.5), ("50000", "0", None), ("", "", None)],
)
def test_version_1_keeps_quota_and_period_apart(
    tmp_path: Path, quota_us: str, period_us: str, cpus: float | None
) -> None:
    files = {"cpu,cpuacct/cpu.cfs_quota_us": quota_us, "cpu,cpuacct/cpu.cfs_period_us": period_us}
    assert quota(version_1(tmp_path, files)) == cpus


def test_version_1_in_a_container_starts_at_the_group_that_is_mounted(tmp_path: Path) -> None:
    files = {
        "cpu,cpuacct/cpu.cfs_quota_us": "400000",
        "cpu,cpuacct/cpu.cfs_period_us": "100000",
        "cpu,cpuacct/inner/cpu.cfs_quota_us": "100000",
        "cpu,cpuacct/inner/cpu.cfs_period_us": "100000",
        "memory/inner/memory.limit_in_bytes": str(2 * GIB),
        "memory/inner/memory.usage_in_bytes": str(GIB),
    }
    root = version_1(tmp_path, files, group="/docker/abc/inner", top="/docker/abc")
    assert quota(root) == 1.0
    assert free(root) == GIB


def test_both_versions_at_once_each_count(tmp_path: Path) -> None:
    mounts = [
        "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu",
        "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
    ]
    files = {
        "cpu/a/cpu.cfs_quota_us": "300000",
        "cpu/a/cpu.cfs_period_us": "100000",
        "unified/b/memory.max": str(GIB),
    }
    root = system(tmp_path, "1:cpu:/a\n0::/b", mounts, files)
    assert quota(root) == 3.0
    assert free(root) == GIB


def test_memory_that_is_used_counts_without_the_cache_that_can_be_dropped(tmp_path: Path) -> None:
    files = {
        "job/memory.max": str(4 * GIB),
        "job/memory.high": "max",
        "job/memory.current": str(3 * GIB),
        "job/memory.stat": f"anon {GIB}\ninactive_file {2 * GIB}\nactive_file {GIB // 2}",
    }
    (limit,) = memory_limits(version_2(tmp_path, files, "/job"))
    assert (limit.limit_bytes, limit.used_bytes, limit.free_bytes) == (4 * GIB, GIB, 3 * GIB)
    assert limit.file == tmp_path / "sys/fs/cgroup/job/memory.max"


def test_what_slows_a_group_down_is_a_limit_too(tmp_path: Path) -> None:
    files = {"memory.max": str(8 * GIB), "memory.high": str(2 * GIB), "memory.current": str(3 * GIB)}
    assert {limit.limit_bytes for limit in memory_limits(version_2(tmp_path, files))} == {2 * GIB, 8 * GIB}
    assert free(tmp_path) == 0  # it uses more than the soft limit already


def test_a_larger_limit_above_may_leave_less_than_a_smaller_one_below(tmp_path: Path) -> None:
    files = {
        "batch/memory.max": str(16 * GIB),
        "batch/memory.current": str(15 * GIB),  # neighbours took it
        "batch/job/memory.max": str(8 * GIB),
        "batch/job/memory.current": str(GIB),
    }
    assert free(version_2(tmp_path, files, "/batch/job")) == GIB


def test_version_1_writes_no_limit_as_a_huge_number_and_knows_limits_above_the_container(tmp_path: Path) -> None:
    files = {
        "memory/memory.limit_in_bytes": "9223372036854771712",
        "memory/memory.usage_in_bytes": str(3 * GIB),
        "memory/memory.stat": f"inactive_file 7\nhierarchical_memory_limit {4 * GIB}\ntotal_inactive_file {GIB}",
    }
    assert free(version_1(tmp_path, files)) == 2 * GIB
    (tmp_path / "sys/fs/cgroup/memory/memory.stat").write_text("hierarchical_memory_limit 9223372036854771712\n")
    assert memory_limits(tmp_path) == ()


def test_version_1_without_hierarchy_is_not_limited_from_above(tmp_path: Path) -> None:
    files = {
        "memory/a/memory.limit_in_bytes": str(GIB),
        "memory/a/memory.use_hierarchy": "0",
        "memory/a/b/memory.limit_in_bytes": str(2 * GIB),
    }
    root = version_1(tmp_path, files, "/a/b")
    assert [limit.limit_bytes for limit in memory_limits(root)] == [2 * GIB]
    (root / "sys/fs/cgroup/memory/a/memory.use_hierarchy").write_text("1\n")
    assert sorted(limit.limit_bytes for limit in memory_limits(root)) == [GIB, 2 * GIB]


def test_without_proc_the_usual_places_are_looked_at(tmp_path: Path) -> None:
    folder = tmp_path / "sys/fs/cgroup"
    folder.mkdir(parents=True)
    (folder / "cpu.max").write_text("100000 100000\n")
    (folder / "memory.max").write_text(f"{GIB}\n")
    assert quota(tmp_path) == 1.0
    assert free(tmp_path) == GIB


@pytest.mark.parametrize("damage", ["nothing", "folders", "bytes", "fragments"])
def test_what_cannot_be_read_is_no_limit(tmp_path: Path, damage: str) -> None:
    root = version_2(tmp_path, {"cpu.max": "100000 100000", "memory.max": str(GIB)})
    for file in [path for path in root.rglob("*") if path.is_file()]:
        file.unlink()
        if damage == "folders":
            file.mkdir()
        elif damage == "bytes":
            file.write_bytes(b"\xff\xfe\x00:\xff - \n" * 3)
        elif damage == "fragments":
            file.write_text("::\n0\n1 2 - cgroup2\n - \n", encoding="utf-8")
    assert cpu_quota(root) is None
    assert memory_limits(root) == ()


def test_a_limit_whose_use_is_not_told_is_free_as_a_whole(tmp_path: Path) -> None:
    assert free(version_2(tmp_path, {"memory.max": str(GIB), "memory.current": "?"})) == GIB
