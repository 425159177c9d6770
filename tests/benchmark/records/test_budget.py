from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fbench.benchmark.records.budget import Budget, load_preset, load_presets, plan_steps
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.core.errors import UserError
from fbench.core.schema import parse

PROTOCOL = load_protocol("fbench")


def test_quick_is_forty_eight_steps_of_thirty_two_with_one_evaluation() -> None:
    plan = plan_steps(PROTOCOL, load_preset("quick").budget, available=4096)
    assert (plan.steps, plan.batch_size, plan.evaluate_after) == (48, 32, (48,))


def test_standard_is_six_epochs_of_all_full_batches() -> None:
    plan = plan_steps(PROTOCOL, load_preset("standard").budget, available=28709)
    per_epoch = 28709 // PROTOCOL.batch_size
    assert plan.steps == 6 * per_epoch
    assert plan.evaluate_after == tuple(per_epoch * k for k in range(1, 7))


def test_full_takes_the_protocols_own_epochs() -> None:
    plan = plan_steps(PROTOCOL, load_preset("full").budget, available=4096)
    assert len(plan.evaluate_after) == PROTOCOL.epochs


def test_presets_come_smallest_first() -> None:
    assert list(load_presets()) == ["smoke", "quick", "standard", "full"]
    assert [preset.seeds for preset in load_presets().values()] == [1, 11, 3, 10]


def test_an_unknown_preset_suggests_the_nearest() -> None:
    with pytest.raises(UserError, match=r"no preset 'qick'\. Did you mean 'quick'\?"):
        load_preset("qick")


@pytest.mark.parametrize(
    "values",
    [{"epochs": 3, "image_passes": 100}, {"epochs": 3, "evaluation_points": 2}, {"image_passes": 0}],
)
def test_a_contradictory_budget_is_refused(values: dict[str, int]) -> None:
    with pytest.raises(UserError):
        parse(Budget, values, "budget")


@given(
    passes=st.integers(1, 5000),
    points=st.integers(1, 20),
    batch=st.integers(1, 200),
    images=st.integers(1, 3000),
)
def test_every_plan_evaluates_after_its_last_step_and_never_twice(
    passes: int, points: int, batch: int, images: int
) -> None:
    budget = Budget(image_passes=passes, evaluation_points=points, batch_size=batch)
    plan = plan_steps(PROTOCOL, budget, images)
    assert plan.batch_size <= images
    assert plan.evaluate_after[-1] == plan.steps
    assert list(plan.evaluate_after) == sorted(set(plan.evaluate_after))
    assert plan.evaluate_after[0] >= 1
