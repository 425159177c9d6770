from __future__ import annotations

import json
import subprocess
import sys

import pytest

MANY_BYTES = 400 << 20

# In processes of its own: where the system happens to place the heap decides whether it can grow by so much in one
# piece, so one of a few has to show it.
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
    tries = []
    for _ in range(6):
        tries.append(json.loads(_output()))
        if tries[-1]["last"] < tries[-1]["fresh"] / 10:
            break
    assert tries[-1]["last"] < tries[-1]["fresh"] / 10, tries
    assert tries[-1]["after"] < tries[-1]["kept"] - MANY_BYTES / 2


def _output() -> str:
    return subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stdout
