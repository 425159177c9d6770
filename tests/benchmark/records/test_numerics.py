from __future__ import annotations

import pytest

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.records.numerics import Numerics, choose_numerics
from tests.support import trial_spec_of

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
