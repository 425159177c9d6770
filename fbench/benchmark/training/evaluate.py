"""Evaluation: logits of a split in large batches, and the quality measures that follow from them."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows
from torch import nn

from fbench.benchmark.machine.device import autocast, memory_format
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.trial_records import SplitMeasures
from fbench.benchmark.training.outputs import as_logits
from fbench.benchmark.training.tensors import Normalisation, SplitTensors
from fbench.statistics.classification import measure


def predict_logits(
    network: nn.Module,
    split: SplitTensors,
    normalisation: Normalisation,
    numerics: Numerics,
    *,
    flip: bool,
) -> torch.Tensor:
    """Logits (N, classes) float32 on the device; with ``flip`` the mean log-probabilities of image and mirror.

    Gradients are off, and not more: a tensor that a network makes under ``inference_mode`` and keeps cannot be trained
    with afterwards.
    """
    network.eval()
    batches: list[torch.Tensor] = []
    with torch.no_grad(), autocast(numerics):
        for images in split.images.split(numerics.evaluation_batch_size):
            values = normalisation(images).contiguous(memory_format=memory_format(numerics))
            mirror = values.flip(-1) if flip else None  # before the network, which may write into what it is given
            logits = as_logits(network(values), len(values), "in evaluation")
            if mirror is not None:
                mirrored = as_logits(network(mirror), len(values), "in evaluation")
                logits = (F.log_softmax(logits, 1) + F.log_softmax(mirrored, 1)) / 2
            batches.append(logits)
    return torch.cat(batches)


def measure_split(logits: npt.NDArray[np.float32], labels: npt.NDArray[np.integer]) -> SplitMeasures:
    """Quality measures from fp32 logits (N, classes) and labels (N,); the predicted class is the argmax."""
    found = measure(labels, logits.argmax(1), logits)
    return SplitMeasures(
        images=int(labels.size),
        top1=found.top1,
        balanced_accuracy=found.balanced_accuracy,
        macro_f1=found.macro_f1,
        recall_by_class=tuple(None if math.isnan(value) else value for value in found.per_class_recall),
        loss=found.log_loss,
        expected_calibration_error=found.expected_calibration_error,
    )
