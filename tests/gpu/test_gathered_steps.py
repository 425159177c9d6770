"""Trainings whose casts and counters are done together have the bits of those where each layer does its own."""

from __future__ import annotations

from typing import Any

import pytest

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.records.numerics import Precision
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.training import step
from tests.gpu.test_recorded_steps import MIXUP, SGD, _states, same_bits
from tests.gpu.training import cuda_spec, eager, trained

AVERAGED = {"ema_decay": 0.95}
EVERYTHING = {"augmentation": MIXUP, "optimizer": SGD} | AVERAGED


FUSED = {"fused_batch_norm": "eager"}


def in_bf16(spec: TrialSpec, **numerics: Any) -> TrialSpec:
    update = {"precision": "bf16"} | numerics
    return spec.model_copy(update={"numerics": spec.numerics.model_copy(update=update)})


@pytest.mark.parametrize("way", ["recorded", "eager"])
@pytest.mark.parametrize(
    ("architecture", "options", "protocol"),
    [("lenet5", {"dropout": 0.3}, EVERYTHING), ("mini_xception", {}, AVERAGED)],
    ids=["mixup, average, momentum, dropout", "average"],
)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_training_has_the_bits_of_one_in_which_each_layer_casts_and_counts(
    stripes: ImageDataset,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    architecture: str,
    options: dict[str, Any],
    protocol: dict[str, Any],
    precision: Precision,
) -> None:
    spec = in_bf16(cuda_spec(stripes, architecture, options=options, **protocol), precision=precision)
    spec = spec if way == "recorded" else eager(spec)
    gathered = trained(spec, stripes)
    monkeypatch.setattr(step, "gather_small_work", lambda network, numerics: network)
    assert same_bits(gathered, trained(spec, stripes))


@pytest.mark.parametrize("protocol", [EVERYTHING, AVERAGED], ids=["everything", "average"])
@pytest.mark.parametrize("microbatch", [None, 10])
def test_a_recorded_bf16_step_trains_to_the_bits_of_the_eager_one(
    stripes: ImageDataset, protocol: dict[str, Any], microbatch: int | None
) -> None:
    spec = in_bf16(cuda_spec(stripes, options={"dropout": 0.4}, **protocol), microbatch=microbatch)
    assert same_bits(trained(spec, stripes), trained(eager(spec), stripes))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_recorded_step_with_fused_batch_norms_trains_to_the_bits_of_the_eager_one(
    stripes: ImageDataset, precision: Precision
) -> None:
    spec = in_bf16(cuda_spec(stripes, "mini_xception", **AVERAGED), precision=precision, **FUSED)
    fused = trained(spec, stripes)
    assert same_bits(fused, trained(eager(spec), stripes))
    apart = trained(in_bf16(cuda_spec(stripes, "mini_xception", **AVERAGED), precision=precision), stripes)
    assert not same_bits(fused, apart)
    assert fused.weights is not None
    assert apart.weights is not None
    assert list(fused.weights) == list(apart.weights)


@pytest.mark.parametrize(
    ("architecture", "numerics"), [("lenet5", {}), ("mini_xception", {}), ("mini_xception", FUSED)]
)
def test_a_bf16_training_that_goes_on_has_the_bits_of_one_that_never_stopped(
    stripes: ImageDataset, architecture: str, numerics: dict[str, Any]
) -> None:
    """What is cast is no part of what is kept: it follows from the weights."""
    spec = in_bf16(cuda_spec(stripes, architecture, ema_decay=0.9), **numerics)
    assert _states(spec, stripes, stop_after=2) == _states(spec, stripes, stop_after=None)


def test_what_is_kept_of_a_bf16_training_has_the_names_and_types_of_the_network(stripes: ImageDataset) -> None:
    weights, plain = (
        trained(spec, stripes).weights
        for spec in (in_bf16(cuda_spec(stripes, "mini_xception")), cuda_spec(stripes, "mini_xception"))
    )
    assert weights is not None
    assert plain is not None
    kinds = [[(name, value.dtype, value.shape) for name, value in of.items()] for of in (weights, plain)]
    assert kinds[0] == kinds[1]
