from __future__ import annotations

from collections.abc import Callable

from fbench.benchmark.cost.batch_search import search_batch_size
from fbench.benchmark.cost.calls import Call
from fbench.benchmark.records.cost_records import BatchSearch
from fbench.benchmark.records.cost_specs import Setting


class RateClock:
    """Takes as long as the latest call's batch at its rate."""

    def __init__(self, images_per_s: Callable[[int], float]) -> None:
        self.images_per_s = images_per_s
        self.size = 0

    def make(self, size: int) -> Call:
        self.size = size
        return Call(lambda: None, lambda mark: None, lambda: None)

    def time(self, call: Call) -> tuple[float, ...]:
        return (self.size / self.images_per_s(self.size),)


def search(images_per_s: Callable[[int], float], largest: int = 256, fits: int = 10**9) -> BatchSearch:
    clock = RateClock(images_per_s)
    too_large = lambda size: "" if size <= fits else f"out of memory at {size}"  # noqa: E731 - a rule of one line
    return search_batch_size("a", Setting(batch_size=None), clock.make, clock, largest, too_large)


def test_doubling_ends_after_two_that_do_not_help() -> None:
    found = search(lambda size: min(size, 16) * 100.0)
    assert [one.batch_size for one in found.tried] == [1, 2, 4, 8, 16, 32, 64]
    assert found.chosen == 16
    assert "two doublings" in found.stopped_because


def test_one_fruitless_doubling_may_be_noise() -> None:
    rates = {1: 100.0, 2: 90.0, 4: 300.0, 8: 300.0, 16: 300.0}
    found = search(rates.__getitem__)
    assert found.chosen == 4


def test_batches_above_the_largest_are_not_tried() -> None:
    found = search(lambda size: 100.0 * size, largest=8)
    assert (found.tried[-1].batch_size, found.chosen) == (8, 8)


def test_a_batch_that_cannot_fit_is_not_tried() -> None:
    found = search(lambda size: 100.0 * size, fits=4)
    assert (found.tried[-1].batch_size, found.stopped_because) == (4, "out of memory at 8")


def test_running_out_of_memory_is_recorded_and_survived() -> None:
    def rate(size: int) -> float:
        if size > 2:
            raise MemoryError("no room")
        return 100.0 * size

    found = search(rate)
    assert (found.chosen, found.stopped_because) == (2, "batch 4 failed: MemoryError: no room")
