"""What is measured when a trial has trained: quality and predictions on the splits that its protocol reads, times."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows
from torch import nn

from fbench.benchmark.data.dataset import ImageDataset, SplitName
from fbench.benchmark.data.units import clusters_of_rows
from fbench.benchmark.records.budget import StepPlan
from fbench.benchmark.records.predictions import Predictions, SplitPredictions, rounded_logits
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.records.trial_records import (
    HistoryRow,
    PixelNormalisation,
    SplitMeasures,
    TargetTime,
    TrialTimes,
)
from fbench.benchmark.training.evaluate import measure_split, predict_logits
from fbench.benchmark.training.loop import Training, refuse_not_finite
from fbench.benchmark.training.tensors import Normalisation, SplitNormalisation, SplitTensors, split_to_device

TARGET_TOP1: Final = (0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9)


def measure_splits(
    network: nn.Module,
    dataset: ImageDataset,
    splits: Mapping[SplitName, SplitTensors],
    known: Mapping[SplitName, torch.Tensor],
    normalisation: Normalisation,
    spec: TrialSpec,
    step: int,
    device: torch.device,
    reads: Callable[[SplitName], None],
) -> tuple[dict[SplitName, SplitMeasures], Predictions]:
    """Quality and predictions on each split that the protocol reads.

    ``splits`` are those on the device already, ``known`` the logits that training left: evaluating the validation split
    once less is a twentieth of a trial of ``quick``. ``reads`` is told of each split before it is read.

    Raises:
        DivergedError: a logit is NaN or infinite.
    """
    measures: dict[SplitName, SplitMeasures] = {}
    predictions: Predictions = {}
    for split in _splits_to_read(spec):
        tensors = splits.get(split) or split_to_device(dataset, split, device, spec.numerics)
        reads(split)
        logits = known.get(split)
        if logits is None:
            flip = spec.protocol.test_time_flip
            logits = predict_logits(network, tensors, normalisation, spec.numerics, flip=flip)
        loss = float(F.cross_entropy(logits, tensors.labels))
        refuse_not_finite("test" if split == "test" else "validation", logits, loss, step)
        values, labels = logits.cpu().numpy(), tensors.labels.cpu().numpy()
        measures[split] = measure_split(values, labels)
        predictions[split] = SplitPredictions(
            predicted=values.argmax(1),
            labels=labels,
            logits=rounded_logits(values),
            sample_ids=dataset.sample_ids[tensors.rows],
            clusters=clusters_of_rows(dataset, tensors.rows),
        )
    return measures, predictions


def time_to_targets(history: tuple[HistoryRow, ...]) -> tuple[TargetTime, ...]:
    """For each target accuracy, the first evaluation of the choosing split that reached it."""
    found = []
    for target in TARGET_TOP1:
        first = next((row for row in history if row.validation_top1 >= target), None)
        found.append(
            TargetTime(
                target_top1=target,
                train_time_s=first.train_time_s if first else None,
                image_passes=first.images_seen if first else None,
            )
        )
    return tuple(found)


def kept_normalisation(normalisation: Normalisation) -> PixelNormalisation | None:
    """The numbers of a normalisation that has some; fp32 values come back exactly from JSON."""
    return normalisation.values() if isinstance(normalisation, SplitNormalisation) else None


def _splits_to_read(spec: TrialSpec) -> tuple[SplitName, ...]:
    if spec.protocol.test_split == "merged_with_validation":
        return ("test",)
    return ("validation",) if spec.protocol.test == "none" else ("validation", "test")


def trial_times(
    training: Training, plan: StepPlan, concurrent_trials: int, final_evaluation_s: float, total_time_s: float
) -> TrialTimes:
    """The times of a trial that has trained, with how many trials ran at that time."""
    last = training.history[-1]
    return TrialTimes(
        train_time_s=last.train_time_s,
        data_time_s=last.data_time_s,
        step_time_s=last.step_time_s,
        evaluation_time_s=last.evaluation_time_s + final_evaluation_s,
        total_time_s=total_time_s,
        train_time_per_epoch_s=last.train_time_s * plan.steps_per_epoch / training.steps_done,
        concurrent_trials=concurrent_trials,
    )
