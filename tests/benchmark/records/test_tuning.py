"""The section ``[tuning]`` of a protocol: what a search tries, and what its choice makes of the protocol."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import make_stripes, trial_spec_of

from fbench.benchmark.records.budget import Budget, budget_share
from fbench.benchmark.records.candidates import with_candidate, without_words
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.records.tuning import Candidate, Strength, Tuning
from fbench.core.errors import UserError

STRENGTHS: list[dict[str, Any]] = [{"name": "default"}, {"name": "strong", "weight_decay": 4.0, "augmentation": 1.5}]
SEARCH: dict[str, Any] = {
    "rates": [0.5, 1.0],
    "strengths": STRENGTHS,
    "rungs": [{"share": 0.25, "keep": 1, "seeds": 2}, {"share": 1.0}],
}


def tuned(**changes: Any) -> Protocol:
    base = load_protocol("fbench").model_dump()
    return Protocol.model_validate(base | {"tuning": SEARCH | changes})


def tuning(**changes: Any) -> Tuning:
    return Tuning.model_validate(SEARCH | changes)


def test_candidates_are_rates_by_strengths_with_the_default_first() -> None:
    assert tuning().candidates == (
        Candidate(rate=1.0, strength="default"),
        Candidate(rate=0.5, strength="default"),
        Candidate(rate=0.5, strength="strong"),
        Candidate(rate=1.0, strength="strong"),
    )


def test_the_cost_of_a_search_counts_every_training() -> None:
    assert tuning().entering == (4, 2)
    assert tuning().trials_at_most == 4 * 2 + 2
    assert tuning().budgets_at_most == 4 * 2 * 0.25 + 2 * 1.0


def test_seeds_follow_from_the_number_of_the_search_alone_and_are_no_seeds_of_trials() -> None:
    assert tuning().seeds(0, search=0) == (1_000_000, 1_000_001)
    assert tuning().seeds(1, search=0) == (1_000_000,)
    assert tuning().seeds(0, search=3) == (1_000_006, 1_000_007)


def test_only_per_seed_has_a_search_for_each_seed() -> None:
    assert [tuning().search_of(seed) for seed in range(3)] == [0, 0, 0]
    assert [tuning(mode="per_seed").search_of(seed) for seed in range(3)] == [0, 1, 2]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rates": [0.5, 2.0]}, "give the rate 1.0"),
        ({"strengths": [{"name": "weak", "weight_decay": 0.5}]}, "one strength that multiplies nothing"),
        ({"rates": [1.0, 1.0]}, "twice"),
        ({"strengths": [*STRENGTHS, {"name": "strong"}]}, "twice"),
        ({"rungs": [{"share": 0.5}]}, "ascending shares that end with 1"),
        ({"rungs": [{"share": 0.5, "keep": 1}, {"share": 0.5, "keep": 0}]}, "ascending shares"),
        ({"rungs": [{"share": 0.5, "keep": 4}, {"share": 1.0}]}, "keep"),
        ({"rungs": [{"share": 0.5, "keep": 1}, {"share": 1.0, "keep": 1}]}, "keep"),
    ],
)
def test_a_search_that_cannot_work_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        tuning(**changes)


def test_a_candidate_multiplies_what_its_strength_names() -> None:
    protocol = with_candidate(tuned(), Candidate(rate=0.5, strength="strong"))
    assert (protocol.optimizer.learning_rate, protocol.optimizer.weight_decay) == (0.004, 0.08)
    assert protocol.augmentation.rotation_degrees == 15.0
    assert protocol.augmentation.zoom_fraction == 0.15  # 0.1 * 1.5 has 17 digits in binary
    assert protocol.augmentation.flip_probability == 0.5
    assert protocol.label_smoothing == 0.1
    assert protocol.tuning is None


def test_no_range_leaves_what_is_possible() -> None:
    strong = tuned(strengths=[{"name": "default"}, Strength(name="x", augmentation=50.0, label_smoothing=50.0)])
    protocol = with_candidate(strong, Candidate(rate=1.0, strength="x"))
    assert protocol.augmentation.shift_fraction == 1.0
    assert protocol.augmentation.zoom_fraction < 1.0
    assert protocol.label_smoothing < 1.0


def test_the_default_candidate_is_the_protocol_itself() -> None:
    ours, usual = with_candidate(tuned(), tuning().default), load_protocol("fbench")
    assert ours.settings() == usual.settings()


def test_a_protocol_without_a_search_has_no_candidates() -> None:
    with pytest.raises(ValueError, match="no \\[tuning\\]"):
        with_candidate(load_protocol("fbench"), tuning().default)


def test_the_id_of_a_trial_hashes_the_resolved_values_alone() -> None:
    stripes = make_stripes()
    plain = trial_spec_of(stripes, "lenet5")
    found = plain.model_copy(
        update={"protocol": with_candidate(tuned(), tuning().default), "default_protocol": without_words(tuned())}
    )
    other = plain.model_copy(update={"protocol": with_candidate(tuned(), Candidate(rate=0.5, strength="default"))})
    assert found.trial_id == plain.trial_id
    assert other.trial_id != plain.trial_id


@pytest.mark.parametrize(
    "changes", [{"selection": "test"}, {"selection": "last", "test_split": "merged_with_validation"}]
)
def test_a_search_wants_a_validation_split_of_its_own(changes: dict[str, str]) -> None:
    with pytest.raises(UserError, match="scores candidates on the validation split"):
        Protocol.model_validate(tuned().model_dump() | changes)


def test_any_protocol_can_be_extended_by_a_search(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('extends = "fbench_tuned"\nname = "mine"\n[tuning]\nmode = "per_seed"\n', encoding="utf-8")
    mine, shipped = load_protocol(str(file)).tuning, load_protocol("fbench_tuned").tuning
    assert mine is not None
    assert shipped is not None
    assert mine.mode == "per_seed"
    assert mine.candidates == shipped.candidates


def test_a_protocol_can_be_asked_for_by_its_version() -> None:
    assert load_protocol("fbench@1") == load_protocol("fbench")
    with pytest.raises(UserError, match="'fbench' has version 1 here"):
        load_protocol("fbench@2")


def test_the_shipped_search_changes_nothing_else_of_the_default_protocol() -> None:
    ours = load_protocol("fbench_tuned")
    assert ours.tuning is not None
    assert len(ours.tuning.strengths) == 3
    plain = ours.model_copy(update={"tuning": None, "name": "fbench"})
    assert plain.settings() == load_protocol("fbench").settings()


@pytest.mark.parametrize(
    ("budget", "share", "expected"),
    [
        (Budget(epochs=6), 0.125, Budget(image_passes=168 * 128, evaluation_points=1)),
        (Budget(epochs=6), 1.0, Budget(epochs=6)),
        (
            Budget(image_passes=2560, evaluation_points=2, batch_size=32),
            0.5,
            Budget(image_passes=1280, evaluation_points=1, batch_size=32),
        ),
        (
            Budget(image_passes=64, evaluation_points=1, batch_size=64),
            0.1,
            Budget(image_passes=64, evaluation_points=1, batch_size=64),
        ),
    ],
)
def test_a_share_of_a_budget_is_a_whole_shorter_training(budget: Budget, share: float, expected: Budget) -> None:
    assert budget_share(load_protocol("fbench"), budget, 28_709, share) == expected
