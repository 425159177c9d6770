from __future__ import annotations

import json
import subprocess
import sys

import pytest

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


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is glibc's")
def test_freed_memory_stays_within_the_block_and_goes_back_after_it() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["several"][-1] < found["fresh"] / 10, found
    assert found["after"] < found["kept"] - MANY_BYTES / 2, found
