from __future__ import annotations

import numpy as np
import pytest
import torch
from support import trial_spec_of
from torch import nn

from fbench.architectures.registry import build
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.records.predictions import rounded_logits
from fbench.benchmark.training import final_measure
from fbench.benchmark.training.network_state import put_state
from fbench.benchmark.training.seeds import derive_seeds
from fbench.benchmark.training.tensors import fit_normalisation, split_to_device, stratified_order
from fbench.benchmark.training.trial import TrialContext, run_trial
from tests.on_cuda import on_cuda

CPU = TrialContext(torch.device("cpu"))
LONGER = Budget(image_passes=24 * 60, evaluation_points=4, batch_size=24)


def test_a_network_learns_and_the_chosen_step_is_the_best_on_the_selection_split(
    stripes: ImageDataset,
) -> None:
    result = run_trial(trial_spec_of(stripes, budget=LONGER), stripes, CPU)
    record = result.record
    assert record.status == "finished", record.failure_reason
    assert record.test is not None
    assert record.validation is not None
    assert record.test.top1 > 0.6
    best = max(result.history, key=lambda row: (row.validation_top1, -row.validation_loss))
    assert record.chosen_step == best.step
    assert record.validation.top1 == best.validation_top1
    assert record.images_seen == 24 * 60


def test_the_last_epoch_is_taken_where_the_protocol_says_so(stripes: ImageDataset) -> None:
    result = run_trial(trial_spec_of(stripes, selection="last"), stripes, CPU)
    assert result.record.chosen_step == result.record.steps


def test_the_test_split_is_not_read_where_the_protocol_forbids_it(stripes: ImageDataset) -> None:
    result = run_trial(trial_spec_of(stripes, test="none"), stripes, CPU)
    assert result.record.test is None
    assert result.predictions is not None
    assert set(result.predictions) == {"validation"}


def test_equal_trials_give_equal_bits_and_other_seeds_do_not(stripes: ImageDataset) -> None:
    first, again, other = (run_trial(trial_spec_of(stripes, seed=seed), stripes, CPU) for seed in (1, 1, 2))
    assert first.weights is not None
    assert again.weights is not None
    assert other.weights is not None
    assert all(torch.equal(value, again.weights[name]) for name, value in first.weights.items())
    assert any(not torch.equal(value, other.weights[name]) for name, value in first.weights.items())


def test_logits_of_the_chosen_step_are_those_of_the_kept_weights_and_are_read_once(
    stripes: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    original = final_measure.predict_logits
    monkeypatch.setattr(
        final_measure, "predict_logits", lambda *a, **k: (read.append(len(a[1].labels)), original(*a, **k))[1]
    )
    budget = Budget(image_passes=24 * 8, evaluation_points=8, batch_size=24)
    spec = trial_spec_of(stripes, seed=4, budget=budget)
    result = run_trial(spec, stripes, CPU)
    assert result.record.chosen_step is not None
    assert result.record.chosen_step < result.record.steps_done  # the last evaluation is another one
    assert read == [stripes.rows("test").size]
    assert result.weights is not None
    assert result.record.normalisation is not None
    network = build(spec.network.resolved)
    put_state(network, result.weights)
    splits = {split: split_to_device(stripes, split, CPU.device, spec.numerics) for split in ("train", "validation")}
    logits = original(network, splits["validation"], fit_normalisation(splits["train"]), spec.numerics, flip=False)
    found = result.predictions["validation"]
    np.testing.assert_array_equal(found.predicted, logits.argmax(1).numpy())
    np.testing.assert_array_equal(found.logits, rounded_logits(logits.numpy()))


def test_a_diverging_trial_fails_with_its_reason_and_keeps_its_history(stripes: ImageDataset) -> None:
    wild = {"kind": "sgd", "learning_rate": 1e30}
    result = run_trial(
        trial_spec_of(stripes, optimizer=wild, gradient_clip_norm=None, architecture_options={}), stripes, CPU
    )
    assert result.record.status == "failed"
    assert "diverged" in (result.record.failure_reason or "")
    assert "not finite" in (result.record.failure_reason or "")


def test_a_raising_network_fails_with_its_reason(stripes: ImageDataset) -> None:
    spec = trial_spec_of(stripes)
    broken = spec.model_copy(
        update={"network": spec.network.model_copy(update={"options": spec.network.options | {"head": "no such head"}})}
    )
    result = run_trial(broken, stripes, CPU)
    assert result.record.status == "failed"
    assert "no such head" in (result.record.failure_reason or "")


def test_an_average_of_weights_differs_from_the_last_weights(stripes: ImageDataset) -> None:
    plain = run_trial(trial_spec_of(stripes), stripes, CPU)
    averaged = run_trial(trial_spec_of(stripes, ema_decay=0.9), stripes, CPU)
    assert plain.weights is not None
    assert averaged.weights is not None
    assert plain.weights.keys() == averaged.weights.keys()
    assert any(not torch.equal(value, averaged.weights[name]) for name, value in plain.weights.items())


def test_flipping_at_test_time_averages_image_and_mirror(stripes: ImageDataset) -> None:
    from fbench.architectures.registry import create
    from fbench.benchmark.training.evaluate import predict_logits

    torch.manual_seed(0)
    network = create("lenet5", num_classes=3, image_size=16)
    split = split_to_device(stripes, "test", torch.device("cpu"), choose_numerics("cpu"))
    normalise = fit_normalisation(split_to_device(stripes, "train", torch.device("cpu"), choose_numerics("cpu")))
    flipped = predict_logits(network, split, normalise, choose_numerics("cpu"), flip=True)
    with torch.no_grad():
        values = normalise(split.images)
        expected = (network(values).log_softmax(1) + network(values.flip(-1)).log_softmax(1)) / 2
    torch.testing.assert_close(flipped, expected)


def test_a_network_that_writes_into_its_input_gives_what_one_that_copies_it_gives(stripes: ImageDataset) -> None:
    from fbench.benchmark.training.evaluate import predict_logits

    class Scaled(nn.Module):
        def __init__(self, in_place: bool) -> None:
            super().__init__()
            self.in_place, self.linear = in_place, nn.Linear(256, 3)

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            images = images.mul_(0.5).sub_(1.0) if self.in_place else images * 0.5 - 1.0
            logits: torch.Tensor = self.linear(images.flatten(1))
            return logits

    numerics, found = choose_numerics("cpu"), []
    split = split_to_device(stripes, "test", torch.device("cpu"), numerics)
    for in_place in (False, True):
        torch.manual_seed(0)
        network = Scaled(in_place)
        normalise = fit_normalisation(split_to_device(stripes, "train", torch.device("cpu"), numerics))
        found.append(predict_logits(network, split, normalise, numerics, flip=True))
    torch.testing.assert_close(found[1], found[0], rtol=0, atol=0)


def test_microbatches_of_a_network_without_batch_norm_change_only_rounding(stripes: ImageDataset) -> None:
    spec = trial_spec_of(stripes, architecture="lenet5", budget=Budget(image_passes=48, batch_size=24))
    parts = spec.model_copy(update={"numerics": spec.numerics.model_copy(update={"microbatch": 7})})
    whole, split = run_trial(spec, stripes, CPU), run_trial(parts, stripes, CPU)
    assert spec.trial_id != parts.trial_id
    assert whole.weights is not None
    assert split.weights is not None
    for name, value in whole.weights.items():
        torch.testing.assert_close(value, split.weights[name], atol=2e-3, rtol=1e-2)


def test_the_layout_of_maps_changes_only_rounding(stripes: ImageDataset) -> None:
    spec = trial_spec_of(stripes, budget=Budget(image_passes=48, batch_size=24))
    assert spec.numerics.memory_format == "channels_last"
    contiguous = spec.numerics.model_copy(update={"memory_format": "contiguous"})
    first = run_trial(spec, stripes, CPU)
    other = run_trial(spec.model_copy(update={"numerics": contiguous}), stripes, CPU)
    assert first.history[0].train_loss == pytest.approx(other.history[0].train_loss, rel=1e-3)


def test_early_stopping_ends_a_trial_that_no_longer_improves(stripes: ImageDataset) -> None:
    still = {"kind": "sgd", "learning_rate": 1e-12}
    budget = Budget(image_passes=24 * 20, evaluation_points=20, batch_size=24)
    stopping = {"patience": 3, "minimum_improvement": 10.0}
    result = run_trial(trial_spec_of(stripes, optimizer=still, stopping=stopping, budget=budget), stripes, CPU)
    assert result.record.status == "finished", result.record.failure_reason
    assert result.record.steps_done == 4


def test_seeds_are_three_different_streams_that_depend_on_the_number_alone() -> None:
    seeds = derive_seeds(3)
    assert seeds == derive_seeds(3)
    assert len({seeds.initialisation, seeds.order, seeds.augmentation}) == 3
    assert derive_seeds(4).order != seeds.order


def test_a_capped_training_split_keeps_the_class_proportions(stripes: ImageDataset) -> None:
    rows = stripes.rows("train")
    order = stratified_order(stripes.labels[rows], rows)
    assert sorted(order) == sorted(rows)
    for size in (3, 9, 30):
        counts = [int((stripes.labels[order[:size]] == label).sum()) for label in range(3)]
        assert max(counts) - min(counts) <= 1


def test_times_add_up_to_no_more_than_the_whole(stripes: ImageDataset) -> None:
    record = run_trial(trial_spec_of(stripes), stripes, CPU).record
    assert record.times is not None
    parts = record.times.data_time_s + record.times.step_time_s
    assert record.times.train_time_s == pytest.approx(parts)
    assert parts + record.times.evaluation_time_s <= record.times.total_time_s


@on_cuda
def test_a_recorded_step_on_cuda_learns_what_the_eager_step_learns(stripes: ImageDataset) -> None:
    cuda = TrialContext(torch.device("cuda"))
    recorded = trial_spec_of(stripes, budget=LONGER).model_copy(update={"numerics": choose_numerics("cuda")})
    assert recorded.numerics.cuda_graph
    eager_numerics = recorded.numerics.model_copy(update={"cuda_graph": False})
    first = run_trial(recorded, stripes, cuda)
    eager = run_trial(recorded.model_copy(update={"numerics": eager_numerics}), stripes, cuda)
    assert first.record.status == "finished", first.record.failure_reason
    assert first.history[0].train_loss == pytest.approx(eager.history[0].train_loss, rel=0.02)


@on_cuda
def test_a_trial_on_cuda_learns_and_repeats_itself(stripes: ImageDataset) -> None:
    spec = trial_spec_of(stripes, budget=LONGER).model_copy(update={"numerics": choose_numerics("cuda")})
    first, again = (run_trial(spec, stripes, TrialContext(torch.device("cuda"))) for _ in range(2))
    assert first.record.status == "finished", first.record.failure_reason
    assert first.record.test == again.record.test
