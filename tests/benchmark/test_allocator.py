from __future__ import annotations

import resource
import sys

import psutil
import pytest
import torch

from fbench.benchmark.allocator import freed_memory_kept

MANY_BYTES = 64 << 20

SETTLED = 20
"""Allocations until one is sure to find its place. glibc keeps the odd bytes before each aligned tensor apart until its
cache of 7 small pieces is full, and only then joins them: in 30 processes places had settled after 2 to 7 of 40."""


def page_faults_of_an_allocation() -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(MANY_BYTES, dtype=torch.uint8)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(sys.platform != "linux", reason="mallopt is glibc's")
def test_freed_memory_stays_within_the_block_and_goes_back_after_it() -> None:
    fresh = page_faults_of_an_allocation()
    with freed_memory_kept():
        several = [page_faults_of_an_allocation() for _ in range(SETTLED)]
        assert several[-1] < fresh / 10, several
        kept = psutil.Process().memory_info().rss
    assert psutil.Process().memory_info().rss < kept - MANY_BYTES / 2
