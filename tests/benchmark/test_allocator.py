from __future__ import annotations

import resource
import sys

import psutil
import pytest
import torch

from fbench.benchmark.allocator import freed_memory_kept

MANY_BYTES = 400 << 20


def page_faults_of_an_allocation() -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(MANY_BYTES, dtype=torch.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is glibc's")
def test_freed_memory_stays_within_the_block_and_goes_back_after_it() -> None:
    fresh = page_faults_of_an_allocation()
    with freed_memory_kept():
        last_of_several = [page_faults_of_an_allocation() for _ in range(8)][-1]  # the first find their places
        assert last_of_several < fresh / 10
        kept = psutil.Process().memory_info().rss
    assert psutil.Process().memory_info().rss < kept - MANY_BYTES / 2
