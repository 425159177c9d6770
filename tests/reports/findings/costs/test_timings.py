from __future__ import annotations

import math

import pytest

from fbench.benchmark.records.cost_specs import Setting
from fbench.reports.findings.costs.timings import compare_timings, main_setting, setting_timings, timing_of
from tests.reports.fabricated_cost import BEST, BLOCKS, LATENCY, TRAIN, cost, series


def test_a_difference_of_5_percent_is_found_through_weather_of_30() -> None:
    (found,) = setting_timings(cost(series("a", 1.0, seed=1), series("b", 1.05, seed=2), series("c", 0.95, seed=3)))
    verdicts = {one.network: (one.verdict, one.ratio.ratio) for one in found.comparisons}
    assert verdicts["b"] == ("slower", pytest.approx(1.05, abs=0.01))
    assert verdicts["c"] == ("faster", pytest.approx(0.95, abs=0.01))


def test_equal_networks_cannot_be_told_apart_and_the_noise_is_theirs() -> None:
    record = cost(series("a", 1.0, seed=1), series("a", 1.0, instance=1, seed=2), series("b", 1.0, seed=8))
    (found,) = setting_timings(record)
    assert [one.network for one in found.timings] == ["a", "b"]
    assert found.comparisons[0].verdict == "cannot tell"
    assert found.noise is not None
    assert found.noise.low < 1 < found.noise.high
    assert 0.005 < found.noise.spread < 0.03  # two networks with 1 % each make 1.4


def test_networks_in_different_batches_are_held_against_each_other_image_by_image() -> None:
    """Eight images in four times the time of two: two images in one unit, eight in four, so equal an image."""
    (found,) = setting_timings(
        cost(
            series("a", 1.0, BEST, batch_size=2, seed=1),
            series("b", 4.0, BEST, batch_size=8, seed=1),
            settings=(BEST,),
        )
    )
    assert found.comparisons[0].ratio.ratio == pytest.approx(1.0)
    assert [one.images_per_s / found.timings[0].images_per_s for one in found.timings] == pytest.approx([1, 1])


def test_holms_correction_is_that_of_the_whole_table() -> None:
    ours = [series(f"n{index}", 1.0, seed=index + 10) for index in range(5)]
    together = compare_timings(ours, series("a", 1.0, seed=1))
    alone = [compare_timings([one], series("a", 1.0, seed=1))[0] for one in ours]
    smallest = min(one.adjusted_p_value for one in alone)
    assert min(one.adjusted_p_value for one in together) == pytest.approx(min(1.0, 5 * smallest))


def test_the_blocks_still_needed_grow_with_the_family() -> None:
    one = series("b", 1.001, seed=8)
    base = series("a", 1.0, seed=1)
    alone = compare_timings([one], base)[0]
    among = compare_timings([one, *[series(f"n{i}", 1.0, seed=i + 20) for i in range(9)]], base)[0]
    assert among.more_blocks > alone.more_blocks or math.isinf(alone.more_blocks)


def test_the_setting_that_stands_for_a_mode() -> None:
    record = cost(series("a", 1.0), settings=(Setting(batch_size=64), LATENCY, BEST, TRAIN))
    assert main_setting(record, "inference") == LATENCY
    assert main_setting(record, "inference", best=True) == BEST
    assert main_setting(record, "train") == TRAIN


def test_parts_of_a_step_are_shares_of_their_medians() -> None:
    step = series("a", 1.0, TRAIN, batch_size=64).model_copy(
        update={"parts_s": {"forward": (1.0,) * len(BLOCKS), "backward": (3.0,) * len(BLOCKS)}}
    )
    found = timing_of(step)
    assert found is not None
    assert found.parts == {"forward": 0.25, "backward": 0.75}
