"""The one training loop. Everything it needs is on the device; nothing waits for the device between evaluations."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows
from torch import nn

from fbench.benchmark.machine.device import Stopwatch
from fbench.benchmark.records.budget import StepPlan
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.trial_records import HistoryRow, Seeds
from fbench.benchmark.training.augment import MixedBatch
from fbench.benchmark.training.average import MovingAverage
from fbench.benchmark.training.batches import augmented_batches
from fbench.benchmark.training.evaluate import predict_logits
from fbench.benchmark.training.network_state import take_state
from fbench.benchmark.training.optimizers import RateSchedule, build_optimizer, early_stopping
from fbench.benchmark.training.step import Totals, make_step
from fbench.benchmark.training.tensors import Normalisation, SplitTensors


class DivergedError(Exception):
    """A loss became NaN or infinite, that of ``split``; the message says so, and at which step."""

    def __init__(self, split: Literal["training", "validation", "test"], rest: str) -> None:
        super().__init__(f"the {split} {rest}")
        self.split = split


def refuse_not_finite(split: Literal["validation", "test"], logits: torch.Tensor, loss: float, step: int) -> None:
    """Hold the logits (N, classes) of a split and their loss to be numbers.

    A class that gets minus infinity leaves the loss of other classes finite, but such logits cannot be measured.

    Raises:
        DivergedError: the loss or a logit is NaN or infinite.
    """
    images = len(logits) - int(logits.isfinite().all(1).sum())
    of_images = f"{images} of {len(logits)} images have a logit that is NaN or infinite"
    if not math.isfinite(loss):
        raise DivergedError(split, f"loss was not finite at step {step} ({loss}): {of_images}")
    if images:
        raise DivergedError(split, f"logits were not finite at step {step}: {of_images}")


@dataclass(frozen=True)
class TrainingData:
    """The splits of one trial on the device. ``choosing`` is the split that picks the epoch."""

    train: SplitTensors
    choosing: SplitTensors
    normalisation: Normalisation


@dataclass(frozen=True)
class Training:
    """What the loop found: the weights of the chosen step, its place, and the history of evaluations."""

    weights: dict[str, Any]
    chosen: HistoryRow
    history: tuple[HistoryRow, ...]
    steps_done: int


@dataclass
class _Watches:
    """Where training time goes."""

    data: Stopwatch
    step: Stopwatch
    evaluation: Stopwatch


def train(
    network: nn.Module,
    data: TrainingData,
    protocol: Protocol,
    plan: StepPlan,
    numerics: Numerics,
    seeds: Seeds,
    progress: Callable[[int], None],
    images_augmented_at_once: int | None = None,
    evaluated_at: Callable[[HistoryRow], None] = lambda row: None,
) -> Training:
    """Train ``network`` in place and return the weights of the step that the protocol chooses.

    ``progress`` is called with the number of steps done, at least at every evaluation, and ``evaluated_at`` with each
    row of the history as it is known. ``images_augmented_at_once`` is a matter of speed alone.

    Raises:
        DivergedError: a loss was NaN or infinite.
    """
    device = data.train.images.device
    optimizer = build_optimizer(network, protocol, plan.batch_size, numerics)
    schedule = RateSchedule(protocol.schedule, optimizer, plan.steps)
    average = None if protocol.ema_decay is None else MovingAverage(network, protocol.ema_decay)
    evaluated = network if average is None else average.module
    stopping = early_stopping(protocol.stopping)
    watches = _Watches(Stopwatch(device), Stopwatch(device), Stopwatch(device))
    batches = _batches(data, protocol, plan, numerics, seeds, watches.data, images_augmented_at_once)
    totals, history, best = Totals(device), list[HistoryRow](), None
    train_on = make_step(network, optimizer, protocol, numerics, totals)
    for step in range(1, plan.steps + 1):
        rate = schedule.before_step(step - 1)
        batch = next(batches)
        with watches.step.section():
            train_on(batch)
            if average is not None:
                average.follow(network)
        if step not in plan.evaluate_after:
            if step % 20 == 0:
                progress(step)
            continue
        row = _evaluation_row(evaluated, data, protocol, plan, numerics, watches, totals, step, rate, len(history))
        history.append(row)
        evaluated_at(row)
        totals.clear()
        progress(step)
        if protocol.selection == "last" or best is None or _better(row, best[0]):
            best = (row, take_state(evaluated))
        schedule.after_evaluation(row.selection_loss)
        if stopping is not None and stopping.exhausted_after(row.selection_loss):
            break
    if best is None:
        raise ValueError("a plan must evaluate after its last step")
    return Training(weights=best[1], chosen=best[0], history=tuple(history), steps_done=history[-1].step)


def _batches(
    data: TrainingData,
    protocol: Protocol,
    plan: StepPlan,
    numerics: Numerics,
    seeds: Seeds,
    watch: Stopwatch,
    images_at_once: int | None,
) -> Iterator[MixedBatch]:
    augmentation = protocol.augmentation_of_each_pass
    return augmented_batches(data.train, data.normalisation, augmentation, plan, numerics, seeds, watch, images_at_once)


def _better(row: HistoryRow, best: HistoryRow) -> bool:
    """Higher accuracy on the choosing split; at equal accuracy the lower loss."""
    return (row.selection_top1, -row.selection_loss) > (best.selection_top1, -best.selection_loss)


def _evaluation_row(
    network: nn.Module,
    data: TrainingData,
    protocol: Protocol,
    plan: StepPlan,
    numerics: Numerics,
    watches: _Watches,
    totals: Totals,
    step: int,
    rate: float,
    evaluations: int,
) -> HistoryRow:
    """Read the choosing split and write down where training stands.

    Raises:
        DivergedError: the loss of either split is NaN or infinite.
    """
    choosing, train_loss = data.choosing, float(totals.loss) / totals.images
    if not math.isfinite(train_loss):
        raise DivergedError("training", f"loss was not finite at step {step} ({train_loss})")
    with watches.evaluation.section():
        logits = predict_logits(network, choosing, data.normalisation, numerics, flip=protocol.test_time_flip)
        loss = F.cross_entropy(logits, choosing.labels)
        correct = int((logits.argmax(1) == choosing.labels).sum())  # an exact count, so top-1 is an exact ratio
    refuse_not_finite("test" if protocol.selection == "test" else "validation", logits, float(loss), step)
    data_time_s, step_time_s = watches.data.total_s(), watches.step.total_s()
    return HistoryRow(
        evaluation=evaluations + 1,
        step=step,
        epoch=step / plan.steps_per_epoch,
        images_seen=step * plan.batch_size,
        learning_rate=rate,
        train_loss=train_loss,
        train_top1=float(totals.correct) / totals.images,
        selection_loss=float(loss),
        selection_top1=correct / choosing.labels.numel(),
        data_time_s=data_time_s,
        step_time_s=step_time_s,
        evaluation_time_s=watches.evaluation.total_s(),
        train_time_s=data_time_s + step_time_s,
    )
