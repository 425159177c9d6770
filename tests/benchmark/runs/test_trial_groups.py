"""Which trials run together."""

from __future__ import annotations

import pytest
import torch
from support import make_stripes, trial_spec_of

from fbench.benchmark.machine import streams
from fbench.benchmark.records.numerics import MOST_TOGETHER, choose_numerics
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.runs import session
from fbench.benchmark.runs.trial_groups import groups_of
from fbench.core.errors import UserError

STRIPES = make_stripes()


def spec(name: str, seed: int, together: int = 3) -> TrialSpec:
    found = trial_spec_of(STRIPES, name, seed=seed)
    return found.model_copy(update={"numerics": choose_numerics("cuda", trials_together=together)})


def of_user(found: TrialSpec) -> TrialSpec:
    network = found.network.model_copy(update={"source_sha256": "0" * 64})
    return found.model_copy(update={"network": network})


def test_seeds_of_a_network_run_together_and_what_is_left_joins_another() -> None:
    lenets, exceptions = ([spec(name, seed) for seed in range(4)] for name in ("lenet5", "mini_xception"))
    mixed = [one for pair in zip(lenets, exceptions, strict=True) for one in pair]
    assert groups_of(mixed) == [tuple(lenets[:3]), tuple(exceptions[:3]), (lenets[3], exceptions[3])]


def test_every_trial_is_in_one_group_in_the_order_of_the_first() -> None:
    specs = [spec(name, seed) for seed in range(5) for name in ("lenet5", "mini_xception", "ires")]
    groups = groups_of(specs)
    assert sorted(one.trial_id for group in groups for one in group) == sorted(one.trial_id for one in specs)
    firsts = [specs.index(group[0]) for group in groups]
    assert firsts == sorted(firsts)
    assert all(len(group) == 3 for group in groups)


def test_networks_of_users_and_trials_of_other_numerics_or_data_are_apart() -> None:
    own, user = spec("lenet5", 0), of_user(spec("lenet5", 1))
    other = spec("lenet5", 2).model_copy(update={"numerics": choose_numerics("cuda", "bf16", trials_together=3)})
    elsewhere = spec("lenet5", 3)
    elsewhere = elsewhere.model_copy(update={"data": elsewhere.data.model_copy(update={"fingerprint": "f" * 64})})
    assert groups_of([own, user, other, elsewhere]) == [(own,), (user,), (other,), (elsewhere,)]


def test_where_one_runs_at_a_time_each_is_alone() -> None:
    specs = [spec("lenet5", seed, together=1) for seed in range(3)]
    assert groups_of(specs) == [(one,) for one in specs]


@pytest.mark.parametrize(
    ("device", "given", "compiled", "said"),
    [
        ("cpu", 2, False, "needs streams of CUDA; on cpu give --jobs"),
        ("mps", 2, False, "needs streams of CUDA; on mps"),
        ("cuda", 0, False, f"give 1 to {MOST_TOGETHER}"),
        ("cuda", MOST_TOGETHER + 1, False, f"give 1 to {MOST_TOGETHER}"),
        ("cuda", 4, True, "leave one out"),
    ],
)
def test_what_cannot_run_together_is_said(device: str, given: int, compiled: bool, said: str) -> None:
    with pytest.raises(UserError, match=said):
        choose_numerics(device, trials_together=given, compile=compiled)  # type: ignore[arg-type] # a device's kind


def test_how_many_run_together_is_part_of_a_trial_and_one_is_what_it_was_before() -> None:
    ids = [spec("lenet5", 0, together).trial_id for together in (1, 2, 3)]
    assert len(set(ids)) == 3
    assert "trials_together" not in str(spec("lenet5", 0, 1).identity())


def test_where_the_number_changes_no_bits_so_many_run_together_as_were_chosen() -> None:
    specs = [spec("lenet5", seed, together=1) for seed in range(4)]
    assert groups_of(specs, 4) == [tuple(specs)]


def test_a_device_is_asked_for_the_fastest_number_only_where_that_was_shown_to_change_no_bits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Networks:
        def trials_together(self, spec: TrialSpec, device: torch.device) -> int:
            return 4

    class Plan:
        remaining = tuple(spec("lenet5", seed, together=1) for seed in range(4))
        device = torch.device("cuda", 0)
        together = 1

    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Pretended")
    assert session._together(Plan(), Networks()) == 1  # type: ignore[arg-type] # as far as it is looked at
    monkeypatch.setattr(streams, "EQUAL_BITS_ON", frozenset({("Pretended", "1.0")}))  # with another PyTorch
    assert session._together(Plan(), Networks()) == 1  # type: ignore[arg-type] # as above
    monkeypatch.setattr(streams, "EQUAL_BITS_ON", frozenset({("Pretended", str(torch.__version__))}))
    assert session._together(Plan(), Networks()) == 4  # type: ignore[arg-type] # as above
    Plan.together = 2
    assert session._together(Plan(), Networks()) == 2  # type: ignore[arg-type] # as above


def test_groups_are_as_equal_as_can_be() -> None:
    specs = [spec("lenet5", seed, together=8) for seed in range(10)]
    assert [len(group) for group in groups_of(specs)] == [5, 5]
