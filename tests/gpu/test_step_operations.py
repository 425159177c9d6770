"""What a training step gives a device to do, counted on the pretended one."""

from __future__ import annotations

import csv
from collections import Counter

import pytest
import torch

from fbench.benchmark.machine.device import numerics_in_force
from fbench.benchmark.records.numerics import Precision, choose_numerics
from fbench.benchmark.records.protocol_library import load_protocol
from tests.gpu.pretended import DEVICE, pretended_cuda
from tests.gpu.step_operations import (
    BESIDE_THE_GRAPH,
    CODES,
    TABLE,
    counted_rows,
    is_computation,
    replayed_inputs,
    step_operations,
    training_state,
)

BF16 = choose_numerics("cuda", "bf16").eager()


def hidden_fills(network: str, *, switched_on: bool) -> int:
    """How often new memory is filled in one step, deep inside of what is dispatched."""
    with pretended_cuda(), numerics_in_force(BF16, DEVICE):
        if switched_on:
            torch.utils.deterministic.fill_uninitialized_memory = True  # type: ignore[attr-defined] # made at run time
        state = training_state(network, BF16, load_protocol("fbench"))
        batch = next(state.batches)
        with torch.autograd.profiler.profile() as profile:
            state.train_on(batch)
    makes = ("aten::empty", "aten::resize", "aten::new_empty")
    return sum(
        event.name == "aten::fill_" and event.cpu_parent is not None and event.cpu_parent.name.startswith(makes)
        for event in profile.function_events
    )


def test_no_new_memory_is_filled_though_algorithms_are_deterministic() -> None:
    """With the fills that PyTorch adds there would be a kernel more for each new tensor."""
    assert hidden_fills("lenet5", switched_on=False) == 0
    assert hidden_fills("lenet5", switched_on=True) > 50


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_casts_and_counters_of_all_layers_are_one_operation_each(precision: Precision) -> None:
    found = step_operations("ires", choose_numerics("cuda", precision).eager())
    forward, backward = found["forward"], found["backward"]
    assert forward["aten._to_copy.default"] == (precision == "bf16")  # of the images
    assert backward["aten._to_copy.default"] == (precision == "bf16")  # of the logits
    assert forward["aten._foreach_copy_.default"] == backward["aten._foreach_copy_.default"] == (precision == "bf16")
    assert forward["aten.add_.Tensor"] == 0
    assert forward["aten._foreach_add_.Scalar"] == 1
    assert found["average"] == {"aten._foreach_lerp_.Scalar": 1, "aten._foreach_copy_.default": 1}
    assert found["rate"].total() == 1


def test_gradients_are_neither_cleared_nor_summed_nor_copied_where_each_weight_has_one() -> None:
    found = step_operations("lenet5", BF16)
    whole = sum(found.values(), Counter[str]())
    assert not {"aten.zero_.default", "aten.zeros_like.default", "aten.add_.Tensor"} & found["backward"].keys()
    assert whole["aten.ones_like.default"] == 0
    assert whole["aten.clone.default"] <= 2  # of maps that come flat into the dense layers, and back


def test_a_recorded_step_replays_the_operations_of_the_eager_one() -> None:
    numerics = choose_numerics("cuda", "bf16")
    found = step_operations("lenet5", numerics.eager())
    eager = sum((counts for part, counts in found.items() if part not in BESIDE_THE_GRAPH), Counter[str]())
    with pretended_cuda() as device, numerics_in_force(numerics, DEVICE):
        state = training_state("lenet5", numerics, load_protocol("fbench"))
        state.train_on(next(state.batches))
        assert device.runtime.recorded_last is not None
        calls = device.runtime.recorded_last.calls
    recorded = Counter(str(func) for func, args, kwargs, made in calls if is_computation(func, args, kwargs, made))
    del recorded["aten.copy_.default"]  # of gradients that the pretended graph holds on to, as no graph of CUDA does
    assert recorded == eager


def test_inputs_of_one_type_are_copied_together() -> None:
    counts = replayed_inputs("lenet5", choose_numerics("cuda"), augmentation={"mixup_alpha": 0.2})
    assert counts == {"aten._foreach_copy_.default": 2}  # of images and shares, and of both labels


def test_the_table_is_of_the_code_as_it_is() -> None:
    with TABLE.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["network"] == "lenet5"]
    for code in CODES:
        assert [row for row in rows if row["code"] == code] == counted_rows(code, ("lenet5",))


def test_fused_batch_norms_take_two_kernels_in_each_direction_and_their_activations_none() -> None:
    numerics = BF16.model_copy(update={"fused_batch_norm": "triton"})
    fused, apart = (step_operations("mini_xception", one) for one in (numerics, BF16))
    layers = apart["forward"]["aten.native_batch_norm.default"]
    assert fused["forward"]["Triton"] == fused["backward"]["Triton"] == 2 * layers
    left = apart["forward"]["aten.relu.default"] - fused["forward"]["aten.relu.default"]
    back = apart["backward"]["aten.threshold_backward.default"] - fused["backward"]["aten.threshold_backward.default"]
    assert left == back > 0
    assert not {"aten.native_batch_norm.default", "aten.add_.Tensor"} & fused["forward"].keys()
