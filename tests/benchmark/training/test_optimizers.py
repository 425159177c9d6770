from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.records.protocol import Adam, ConstantRate, ReduceOnPlateau, Sgd, WarmupCosine
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.training.optimizers import Patience, RateSchedule, build_optimizer, rate_factor

PROTOCOL = load_protocol("fbench")
CPU = choose_numerics("cpu")


def network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))


def test_kernels_decay_and_biases_and_normalisation_do_not() -> None:
    decaying, still = build_optimizer(network(), PROTOCOL, PROTOCOL.reference_batch_size, CPU).param_groups
    assert {tuple(p.shape) for p in decaying["params"]} == {(2, 1, 3, 3), (3, 8)}
    assert {tuple(p.shape) for p in still["params"]} == {(2,), (3,)}
    assert (decaying["weight_decay"], still["weight_decay"]) == (PROTOCOL.optimizer.weight_decay, 0.0)


@pytest.mark.parametrize(
    ("which", "shapes"),
    [
        ("kernels", {(2, 1, 3, 3), (3, 8)}),
        ("dense_kernels", {(3, 8)}),
        ("convolution_kernels_3x3", {(2, 1, 3, 3)}),
        ("all_parameters", {(2, 1, 3, 3), (3, 8), (2,), (3,)}),
    ],
)
def test_the_protocol_says_which_parameters_decay(which: str, shapes: set[tuple[int, ...]]) -> None:
    protocol = PROTOCOL.model_copy(update={"weight_decay_on": which})
    decaying, still = build_optimizer(network(), protocol, 64, CPU).param_groups
    assert {tuple(p.shape) for p in decaying["params"]} == shapes
    assert len(decaying["params"]) + len(still["params"]) == 6


def test_the_learning_rate_goes_with_the_square_root_of_the_batch() -> None:
    reference = PROTOCOL.reference_batch_size
    rate = PROTOCOL.optimizer.learning_rate
    assert build_optimizer(network(), PROTOCOL, reference, CPU).param_groups[0]["lr"] == pytest.approx(rate)
    assert build_optimizer(network(), PROTOCOL, 4 * reference, CPU).param_groups[0]["lr"] == pytest.approx(2 * rate)


def test_the_learning_rate_is_the_same_at_every_batch_where_the_protocol_says_so() -> None:
    protocol = PROTOCOL.model_copy(update={"learning_rate_scaling": "none"})
    assert build_optimizer(network(), protocol, 4, CPU).param_groups[0]["lr"] == PROTOCOL.optimizer.learning_rate


@pytest.mark.parametrize(
    ("settings", "kind"),
    [(Adam(learning_rate=0.1), torch.optim.Adam), (Sgd(learning_rate=0.1), torch.optim.SGD)],
)
def test_other_optimizers_are_torchs_own(settings: Adam | Sgd, kind: type) -> None:
    protocol = PROTOCOL.model_copy(update={"optimizer": settings})
    assert type(build_optimizer(network(), protocol, 64, CPU)) is kind


def test_warm_up_is_linear_and_cosine_ends_at_its_final_fraction() -> None:
    schedule = WarmupCosine(warmup_fraction=0.1, final_fraction=0.2)
    assert [rate_factor(schedule, step, 100) for step in (0, 4, 9)] == pytest.approx([0.1, 0.5, 1.0])
    middle = rate_factor(schedule, 55, 100)
    assert middle == pytest.approx(0.2 + 0.8 * 0.5 * (1 + math.cos(math.pi * 0.5)))
    assert rate_factor(schedule, 99, 100) == pytest.approx(0.2, abs=1e-3)


def test_a_constant_rate_stays() -> None:
    assert {rate_factor(ConstantRate(), step, 10) for step in range(10)} == {1.0}


def test_a_plateau_divides_the_rate_after_its_patience() -> None:
    optimizer = torch.optim.SGD(network().parameters(), lr=1.0)
    schedule = RateSchedule(ReduceOnPlateau(factor=0.1, patience=2), optimizer, steps=10)
    rates = []
    for step, loss in enumerate([1.0, 0.9, 0.95, 0.91, 0.8, 0.85, 0.85]):
        rates.append(schedule.before_step(step))
        schedule.after_evaluation(loss)
    assert rates == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.1])
    assert schedule.before_step(7) == pytest.approx(0.01)


def test_patience_counts_evaluations_without_a_lower_loss() -> None:
    patience = Patience(2, 0.05)
    assert [patience.exhausted_after(loss) for loss in (1.0, 0.97, 0.9, 0.9, 0.89)] == [
        False,
        False,
        False,
        False,
        True,
    ]
