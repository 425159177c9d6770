from __future__ import annotations

import json
import subprocess
import sys

import pytest

MANY_BYTES = 400 << 20

# In a process of its own: what other tests have left in the heap decides whether it can grow by so much in one piece.
SCRIPT = f"""
import json, resource
import psutil, torch
from fbench.benchmark.allocator import freed_memory_kept

def page_faults_of_an_allocation():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones({MANY_BYTES}, dtype=torch.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident():
    return psutil.Process().memory_info().rss

fresh = page_faults_of_an_allocation()
with freed_memory_kept():
    several = [page_faults_of_an_allocation() for _ in range(8)]  # the first find their places
    kept = resident()
print(json.dumps({{"fresh": fresh, "last": several[-1], "kept": kept, "after": resident()}}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is glibc's")
def test_freed_memory_stays_within_the_block_and_goes_back_after_it() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["last"] < found["fresh"] / 10
    assert found["after"] < found["kept"] - MANY_BYTES / 2
