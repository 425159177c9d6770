"""The batch size of a network's best throughput: doubled until it stops helping or memory ends."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Final

from fbench.benchmark.cost.calls import Call
from fbench.benchmark.cost.clock import Clock
from fbench.benchmark.records.cost_records import BatchRate, BatchSearch
from fbench.benchmark.records.cost_specs import Setting
from fbench.core.errors import reason_of

HELPS: Final = 1.03
"""A doubling helps where it brings 3 % more images per second than the best so far."""

FRUITLESS: Final = 2
"""So many doublings in a row that do not help end the search: one alone may be noise."""

TIMED_CALLS: Final = 3


def search_batch_size(
    network: str,
    setting: Setting,
    make: Callable[[int], Call],
    clock: Clock,
    largest: int,
    too_large: Callable[[int], str],
) -> BatchSearch:
    """Double the batch from 1 and keep the best; running out of memory ends the search and is survived.

    Args:
        network: its name.
        setting: mode and backend; its batch size is what is looked for.
        make: builds the call for a batch size.
        clock: times it.
        largest: batch size that is not exceeded.
        too_large: why a batch size cannot fit into memory, or empty.

    Raises:
        Exception: what the call raises at a batch of 1.
    """
    rate = _images_per_s(make(1), clock, 1)
    tried: list[BatchRate] = []
    best, best_rate, fruitless, size, reason = 1, 0.0, 0, 1, ""
    while not reason:
        tried.append(BatchRate(batch_size=size, images_per_s=round(rate, 3)))
        helps = rate >= HELPS * best_rate
        fruitless = 0 if helps else fruitless + 1
        best, best_rate = (size, rate) if helps else (best, best_rate)
        size *= 2
        reason = _why_stop(fruitless, size, largest, too_large)
        if not reason:
            try:
                rate = _images_per_s(make(size), clock, size)
            except (Exception, SystemExit) as error:  # running out of memory has many types
                reason = f"batch {size} failed: {reason_of(error)}".split("\n")[0]
    return BatchSearch(
        network=network,
        mode=setting.mode,
        backend=setting.backend,
        tried=tuple(tried),
        chosen=best,
        stopped_because=reason,
    )


def _why_stop(fruitless: int, size: int, largest: int, too_large: Callable[[int], str]) -> str:
    if fruitless >= FRUITLESS:
        return f"two doublings brought less than {100 * HELPS - 100:.0f} %"
    if size > largest:
        return f"batches above {largest} were not asked for"
    return too_large(size)


def _images_per_s(call: Call, clock: Clock, size: int) -> float:
    call.prepare()
    clock.time(call)
    return size / median(sum(clock.time(call)) for _ in range(TIMED_CALLS))
