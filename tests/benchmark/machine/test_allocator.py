from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fbench.benchmark.machine.allocator import huge_pages_in_new_processes

MANY_BYTES = 64 << 20

SETTLED = 20
"""Allocations until one is sure to find its place. glibc keeps the odd bytes before each aligned tensor apart until its
cache of 7 small pieces is full, and only then joins them: in 30 processes places had settled after 2 to 7 of 40."""

# In a process of its own: where other tests left a hole of so many bytes in the heap, even the first costs no fault.
SCRIPT = f"""
import json, resource
import psutil, torch
from fbench.benchmark.machine.allocator import freed_memory_kept

def page_faults_of_an_allocation():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones({MANY_BYTES}, dtype=torch.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    return psutil.Process().memory_info().rss

fresh = page_faults_of_an_allocation()
with freed_memory_kept():
    several = [page_faults_of_an_allocation() for _ in range({SETTLED})]
    kept = resident()
print(json.dumps({{"fresh": fresh, "several": several, "kept": kept, "after": resident()}}))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is glibc's")
def test_freed_memory_stays_within_the_block_and_goes_back_after_it() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["several"][-1] < found["fresh"] / 10, found
    assert found["after"] < found["kept"] - MANY_BYTES / 2, found


HUGE = """
import re
from pathlib import Path
from fbench.benchmark.machine.allocator import freed_memory_kept
with freed_memory_kept():
    held = b"1" * (64 << 20)
    print(re.search(r"AnonHugePages:\\s+(\\d+) kB", Path("/proc/self/smaps_rollup").read_text())[1])
"""


def huge_kib() -> int:
    """KiB in huge pages of a process of its own that holds 64 MiB."""
    done = subprocess.run([sys.executable, "-c", HUGE], capture_output=True, text=True, check=True)
    return int(done.stdout)


def system_offers_huge_pages() -> bool:
    enabled = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    return sys.platform == "linux" and enabled.exists() and "[madvise]" in enabled.read_text(encoding="utf-8")


@pytest.mark.skipif(not system_offers_huge_pages(), reason="this system gives no huge pages to those that ask")
def test_processes_started_within_the_block_have_huge_pages() -> None:
    assert huge_kib() < 32 << 10
    with huge_pages_in_new_processes():
        assert huge_kib() > 32 << 10


@pytest.mark.parametrize(
    ("before", "within"),
    [
        (None, "glibc.malloc.hugetlb=1"),
        ("glibc.malloc.arena_max=2", "glibc.malloc.arena_max=2:glibc.malloc.hugetlb=1"),
        ("glibc.malloc.hugetlb=0", "glibc.malloc.hugetlb=0"),
    ],
)
def test_what_the_user_set_for_glibc_stays(before: str | None, within: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if before is None:
        monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    else:
        monkeypatch.setenv("GLIBC_TUNABLES", before)
    with huge_pages_in_new_processes():
        assert os.environ["GLIBC_TUNABLES"] == within
    assert os.environ.get("GLIBC_TUNABLES") == before
