from __future__ import annotations

import math

import pytest

from tests.peers.table import RawBlock, geometric_means, rows


def blocks(network: str, contestant: str, rates: list[float], start_s: float = 1.0) -> list[RawBlock]:
    return [
        RawBlock(network, "fp32", contestant, "two processes", number, int(100 * rate), 100.0, start_s)
        for number, rate in enumerate(rates)
    ]


def test_ratios_are_paired_within_rounds() -> None:
    table = rows([*blocks("ires", "fbench", [200, 400]), *blocks("ires", "plain", [100, 100])])
    fbench, plain = table
    assert fbench.fbench_ratio == 1
    assert plain.images_per_s == 100
    assert plain.fbench_ratio == pytest.approx(math.sqrt(2 * 4))
    half = 12.706205 * (math.log(4) - math.log(2)) / 2  # t(0.975, 1), half the difference of two values
    assert plain.ratio_high == pytest.approx(math.sqrt(8) * math.exp(half), rel=1e-6)
    assert plain.ratio_low == pytest.approx(math.sqrt(8) / math.exp(half), rel=1e-6)


def test_networks_count_alike_in_the_geometric_mean() -> None:
    table = rows(
        [
            *blocks("ires", "fbench", [300, 300]),
            *blocks("ires", "keras", [100, 100]),
            *blocks("arch1", "fbench", [120, 120]),
            *blocks("arch1", "keras", [10, 10]),
        ]
    )
    assert geometric_means(table)["fp32", "keras"] == pytest.approx(6)


def test_ten_epochs_are_the_start_and_two_trainings_at_the_median_rate() -> None:
    table = rows([*blocks("ires", "fbench", [1000, 900, 5000], 4.0), *blocks("ires", "keras", [500, 500, 1], 30.0)])
    fbench, keras = table
    assert fbench.ten_epochs_s == pytest.approx(4 + 574_180 / 1000)  # 2 x 10 x 28,709 images
    assert keras.ten_epochs_s == pytest.approx(30 + 574_180 / 500)
    assert keras.ten_epochs_ratio == pytest.approx(keras.ten_epochs_s / fbench.ten_epochs_s)
