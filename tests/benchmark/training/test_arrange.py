"""What a protocol makes of the data before training: merged splits, and fixed copies that double an epoch."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from support import data_spec_of, make_stripes, trial_spec_of

from fbench.benchmark.data.dataset import ImageDataset, LeftOutImages
from fbench.benchmark.records.budget import Budget, plan_steps
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.records.protocol import Augmentation
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.training.arrange import arrange_splits, with_fixed_copies
from fbench.benchmark.training.tensors import split_to_device
from fbench.benchmark.training.trial import TrialContext, run_trial

CPU = TrialContext(torch.device("cpu"))
CHOWANDA = load_protocol("chowanda2021")


def test_the_selection_split_joins_the_test_split(stripes: ImageDataset) -> None:
    merged = arrange_splits(stripes, CHOWANDA)
    assert merged.rows("validation").size == 0
    assert merged.rows("test").size == stripes.rows("validation").size + stripes.rows("test").size
    assert arrange_splits(stripes, load_protocol("fbench")) is stripes


def test_fer2013_has_57418_training_images_with_a_copy_of_each() -> None:
    """Chowanda 2021, Pre-processing and initial hyper-parameters settings."""
    assert CHOWANDA.training_images(28709) == 57418
    plan = plan_steps(CHOWANDA, Budget(), 28709)
    assert (plan.batch_size, plan.steps_per_epoch) == (256, 57418 // 256)


def test_copies_follow_the_images_and_are_drawn_once_from_the_seed(stripes: ImageDataset) -> None:
    train = split_to_device(stripes, "train", torch.device("cpu"), choose_numerics("cpu"))
    doubled, again, other = (with_fixed_copies(train, CHOWANDA.augmentation, seed) for seed in (5, 5, 6))
    count = len(train.labels)
    assert torch.equal(doubled.images[:count], train.images)
    assert torch.equal(doubled.labels, train.labels.repeat(2))
    assert torch.equal(doubled.images, again.images)
    assert not torch.equal(doubled.images[count:], other.images[count:])
    assert not torch.equal(doubled.images[count:], train.images)


def test_a_copy_under_no_augmentation_is_the_image_itself(stripes: ImageDataset) -> None:
    train = split_to_device(stripes, "train", torch.device("cpu"), choose_numerics("cpu"))
    doubled = with_fixed_copies(train, Augmentation(), 0)
    assert torch.equal(doubled.images, train.images.repeat(2, 1, 1, 1))


def test_a_sure_flip_makes_mirrored_copies(stripes: ImageDataset) -> None:
    train = split_to_device(stripes, "train", torch.device("cpu"), choose_numerics("cpu"))
    doubled = with_fixed_copies(train, Augmentation(flip_probability=1.0), 0)
    assert torch.equal(doubled.images[len(train.labels) :], train.images.flip(-1))


def test_a_trial_selected_on_the_merged_test_split_says_so(stripes: ImageDataset) -> None:
    spec = trial_spec_of(
        stripes, "arch1", selection="test", test_split="merged_with_validation", augmentation_use="one_fixed_copy"
    )
    result = run_trial(spec, stripes, CPU)
    record = result.record
    assert record.status == "finished", record.failure_reason
    assert record.selected_on == "test"
    assert record.validation is None
    assert record.test is not None
    assert record.test.images == 60
    assert record.test.top1 == max(row.validation_top1 for row in result.history)
    assert set(result.predictions or {}) == {"test"}


def test_label_shares_are_the_targets_and_labels_what_is_counted() -> None:
    base = make_stripes()
    certain = np.eye(3, dtype=np.float32)[base.labels]
    shares = ImageDataset(**{**vars(base), "label_shares": certain})
    plain, taught = (run_trial(trial_spec_of(data), data, CPU) for data in (base, shares))
    assert taught.record.status == "finished", taught.record.failure_reason
    assert taught.record.trial_id != plain.record.trial_id
    for mine, theirs in zip(taught.history, plain.history, strict=True):
        assert mine.train_loss == pytest.approx(theirs.train_loss, rel=1e-3)


def test_a_data_specification_reads_back_and_keeps_paths_out_of_files(stripes: ImageDataset) -> None:
    spec = data_spec_of(stripes).model_copy(update={"path": "/secret/place"})
    assert "/secret" not in json.dumps(spec.model_dump(mode="json"))
    assert spec.reference.path == Path("/secret/place")


def test_records_count_what_was_left_out_and_name_the_first_few(stripes: ImageDataset) -> None:
    names = tuple(f"row:{row}" for row in range(5000))
    dataset = replace(stripes, left_out=(LeftOutImages(reason="is empty", names=names),))
    (counted,) = data_spec_of(dataset).left_out
    assert (counted.count, counted.examples) == (5000, ("row:0", "row:1", "row:2"))
