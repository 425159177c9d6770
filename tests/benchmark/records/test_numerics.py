from __future__ import annotations

from pathlib import Path

import pytest

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.records.numerics import Numerics, choose_numerics
from fbench.benchmark.store.run_folder import RunFolder
from fbench.core.errors import UserError
from tests.support import trial_spec_of

COMMITTED = Path(__file__).parents[3] / "results" / "fer2013-standard"
CUDA = choose_numerics("cuda", "bf16")
FUSED = CUDA.model_copy(update={"fused_batch_norm": "triton"})


@pytest.mark.parametrize("kind", ["cpu", "cuda", "mps"])
def test_batch_normalisations_are_fused_where_that_is_asked_for_alone(kind: str) -> None:
    assert choose_numerics(kind).fused_batch_norm is None  # type: ignore[arg-type] # one of the literals


def test_numerics_of_an_older_run_are_read_and_are_equal_to_those_of_a_new_one() -> None:
    older = CUDA.model_dump(mode="json", exclude={"fused_batch_norm"})
    assert Numerics.model_validate(older) == CUDA
    assert Numerics.model_validate_json(FUSED.model_dump_json()) == FUSED


def test_the_switch_is_part_of_a_trials_identity_where_it_is_on_alone(stripes: ImageDataset) -> None:
    spec = trial_spec_of(stripes)
    cuda, spelled, fused = (
        spec.model_copy(update={"numerics": numerics})
        for numerics in (CUDA, CUDA.model_copy(update={"fused_batch_norm": None}), FUSED)
    )
    assert cuda.trial_id == spelled.trial_id != fused.trial_id
    assert "fused_batch_norm" not in cuda.identity()["numerics"]


def test_a_network_that_cannot_be_fused_has_ways_without_it() -> None:
    ways = FUSED.other_ways()
    assert CUDA in ways
    assert ways[-1] == choose_numerics("cuda").model_copy(update={"cuda_graph": False, "memory_format": "contiguous"})
    assert len(set(ways)) == len(ways) == 15
    assert FUSED.words_beside(CUDA) == ("fused",)
    assert CUDA.words_beside(FUSED) == ("unfused",)


def test_fields_that_came_later_leave_the_ids_of_trials_and_of_costs_alone_at_their_defaults() -> None:
    (cost,) = RunFolder(COMMITTED).costs()
    assert cost.spec.cost_id == cost.cost_id
    record = next(iter(RunFolder(COMMITTED).trials().values()))
    assert record.spec.trial_id == record.trial_id
    numerics = choose_numerics("cuda", trials_together=4)
    assert numerics.of_cost() == choose_numerics("cuda").of_cost()
    assert choose_numerics("cuda", fused_batch_norm="eager").of_cost() != choose_numerics("cuda").of_cost()


def test_kernels_of_triton_are_for_cuda() -> None:
    with pytest.raises(
        UserError, match=r"--fused-batch-norm triton was given, .* on cpu leave it out, or give eager\."
    ):
        choose_numerics("cpu", fused_batch_norm="triton")
    assert choose_numerics("cpu", fused_batch_norm="eager").fused_batch_norm == "eager"


def test_a_kind_of_device_has_a_version_of_its_own() -> None:
    assert {choose_numerics(kind).numerics_version for kind in ("cpu", "mps")} == {6}
    assert choose_numerics("cuda").numerics_version == 7
