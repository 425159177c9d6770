"""The one training loop. Everything it needs is on the device; nothing waits for the device between evaluations."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fbench.benchmark.budget import StepPlan
from fbench.benchmark.device import Stopwatch, autocast, memory_format
from fbench.benchmark.numerics import Numerics
from fbench.benchmark.protocol import Protocol
from fbench.benchmark.records import HistoryRow, Seeds
from fbench.benchmark.training.augment import MixedBatch, augment
from fbench.benchmark.training.evaluate import predict_logits
from fbench.benchmark.training.optimizers import RateSchedule, build_optimizer, early_stopping
from fbench.benchmark.training.tensors import Normalisation, SplitTensors


class DivergedError(Exception):
    """The training loss became NaN or infinite; carries the history up to there."""

    def __init__(self, step: int, history: list[HistoryRow]) -> None:
        super().__init__(f"the training loss was not finite at step {step}")
        self.step = step
        self.history = tuple(history)


@dataclass(frozen=True)
class TrainingData:
    """The splits of one trial on the device. ``choosing`` is the split that picks the epoch."""

    train: SplitTensors
    choosing: SplitTensors
    normalisation: Normalisation


@dataclass(frozen=True)
class Training:
    """What the loop found: the weights of the chosen step, its place, and the history of evaluations."""

    weights: dict[str, torch.Tensor]
    chosen: HistoryRow
    history: tuple[HistoryRow, ...]
    steps_done: int


@dataclass
class _Watches:
    """Where training time goes."""

    data: Stopwatch
    step: Stopwatch
    evaluation: Stopwatch


@dataclass
class _Totals:
    """Running sums on the device since the last evaluation, so that no step waits for a number."""

    loss: torch.Tensor
    correct: torch.Tensor
    images: int = 0

    @classmethod
    def on(cls, device: torch.device) -> _Totals:
        zero = torch.zeros((), device=device)
        return cls(zero.clone(), zero.clone())


def train(
    network: nn.Module,
    data: TrainingData,
    protocol: Protocol,
    plan: StepPlan,
    numerics: Numerics,
    seeds: Seeds,
    progress: Callable[[int], None],
) -> Training:
    """Train ``network`` in place and return the weights of the step that the protocol chooses.

    ``progress`` is called with the number of steps done, at least at every evaluation.

    Raises:
        DivergedError: the loss was NaN or infinite.
    """
    device = data.train.images.device
    stepping: nn.Module = torch.compile(network) if numerics.compile else network  # type: ignore[assignment] # torch types compile() as a function
    optimizer = build_optimizer(network, protocol, plan.batch_size)
    schedule = RateSchedule(protocol.schedule, optimizer, plan.steps)
    average = _moving_average(network, protocol)
    evaluated = average.module if average is not None else network
    stopping = early_stopping(protocol.stopping)
    watches = _Watches(Stopwatch(device), Stopwatch(device), Stopwatch(device))
    batches = _batches(data, protocol, plan, numerics, seeds, watches.data)
    totals, history, best = _Totals.on(device), list[HistoryRow](), None
    for step in range(1, plan.steps + 1):
        rate = schedule.before_step(step - 1)
        batch = next(batches)
        with watches.step.section():
            _step(stepping, optimizer, batch, protocol, numerics, totals)
            if average is not None:
                average.update_parameters(network)
        if step not in plan.evaluate_after:
            if step % 20 == 0:
                progress(step)
            continue
        row = _evaluation_row(evaluated, data, protocol, plan, numerics, watches, totals, step, rate, len(history))
        if not (math.isfinite(row.train_loss) and math.isfinite(row.selection_loss)):
            raise DivergedError(step, history)
        history.append(row)
        totals = _Totals.on(device)
        progress(step)
        if protocol.selection == "last" or best is None or _better(row, best[0]):
            best = (row, copy.deepcopy(evaluated.state_dict()))
        schedule.after_evaluation(row.selection_loss)
        if stopping is not None and stopping.exhausted_after(row.selection_loss):
            break
    if best is None:
        raise ValueError("a plan must evaluate after its last step")
    return Training(weights=best[1], chosen=best[0], history=tuple(history), steps_done=history[-1].step)


def _better(row: HistoryRow, best: HistoryRow) -> bool:
    """Higher accuracy on the choosing split; at equal accuracy the lower loss."""
    return (row.selection_top1, -row.selection_loss) > (best.selection_top1, -best.selection_loss)


def _moving_average(network: nn.Module, protocol: Protocol) -> AveragedModel | None:
    if protocol.ema_decay is None:
        return None
    return AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(protocol.ema_decay), use_buffers=True)


def _batches(
    data: TrainingData,
    protocol: Protocol,
    plan: StepPlan,
    numerics: Numerics,
    seeds: Seeds,
    watch: Stopwatch,
) -> Iterator[MixedBatch]:
    """Augmented batches without end; the order is drawn on the CPU so that every device sees the same."""
    train = data.train
    device = train.images.device
    order_generator = torch.Generator().manual_seed(seeds.order)
    augmentation_generator = torch.Generator(device).manual_seed(seeds.augmentation)
    while True:
        order = torch.randperm(train.images.shape[0], generator=order_generator).to(device)
        for batch in range(plan.steps_per_epoch):
            with watch.section():
                rows = order[batch * plan.batch_size : (batch + 1) * plan.batch_size]
                images = data.normalisation(train.images[rows])
                shares = None if train.label_shares is None else train.label_shares[rows]
                mixed = augment(
                    images, train.labels[rows], protocol.augmentation_of_each_pass, augmentation_generator, shares
                )
            yield replace(mixed, images=mixed.images.contiguous(memory_format=memory_format(numerics)))


def _step(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: MixedBatch,
    protocol: Protocol,
    numerics: Numerics,
    totals: _Totals,
) -> None:
    """One optimizer step over a batch, in microbatches where the numerics say so."""
    network.train()
    optimizer.zero_grad(set_to_none=True)
    count = batch.images.shape[0]
    for part in _microbatches(batch, numerics.microbatch or count):
        with autocast(numerics):
            logits = network(part.images)
        loss = _loss(logits.float(), part, protocol.label_smoothing)
        weight = part.images.shape[0] / count
        (loss * weight if weight < 1 else loss).backward()
        with torch.no_grad():
            totals.loss += loss.detach() * part.images.shape[0]
            totals.correct += (logits.argmax(1) == part.labels).sum()
    totals.images += count
    if protocol.gradient_clip_norm is not None:
        nn.utils.clip_grad_norm_(network.parameters(), protocol.gradient_clip_norm)
    optimizer.step()


def _microbatches(batch: MixedBatch, size: int) -> Iterator[MixedBatch]:
    if size >= batch.images.shape[0]:
        yield batch
        return
    for start in range(0, batch.images.shape[0], size):
        part = slice(start, start + size)
        yield MixedBatch(
            batch.images[part],
            batch.labels[part],
            None if batch.other_labels is None else batch.other_labels[part],
            None if batch.share is None else batch.share[part],
            None if batch.label_shares is None else batch.label_shares[part],
        )


def _loss(logits: torch.Tensor, batch: MixedBatch, label_smoothing: float) -> torch.Tensor:
    if batch.label_shares is not None:
        return F.cross_entropy(logits, batch.label_shares, label_smoothing=label_smoothing)
    if batch.other_labels is None or batch.share is None:
        return F.cross_entropy(logits, batch.labels, label_smoothing=label_smoothing)
    first = F.cross_entropy(logits, batch.labels, label_smoothing=label_smoothing, reduction="none")
    second = F.cross_entropy(logits, batch.other_labels, label_smoothing=label_smoothing, reduction="none")
    return (batch.share * first + (1 - batch.share) * second).mean()


def _evaluation_row(
    network: nn.Module,
    data: TrainingData,
    protocol: Protocol,
    plan: StepPlan,
    numerics: Numerics,
    watches: _Watches,
    totals: _Totals,
    step: int,
    rate: float,
    evaluations: int,
) -> HistoryRow:
    """Read the choosing split and write down where training stands."""
    choosing = data.choosing
    with watches.evaluation.section():
        logits = predict_logits(network, choosing, data.normalisation, numerics, flip=protocol.test_time_flip)
        loss = F.cross_entropy(logits, choosing.labels)
        correct = int((logits.argmax(1) == choosing.labels).sum())  # an exact count, so top-1 is an exact ratio
    data_time_s, step_time_s = watches.data.total_s(), watches.step.total_s()
    return HistoryRow(
        evaluation=evaluations + 1,
        step=step,
        epoch=step / plan.steps_per_epoch,
        images_seen=step * plan.batch_size,
        learning_rate=rate,
        train_loss=float(totals.loss) / totals.images,
        train_top1=float(totals.correct) / totals.images,
        selection_loss=float(loss),
        selection_top1=correct / choosing.labels.numel(),
        data_time_s=data_time_s,
        step_time_s=step_time_s,
        evaluation_time_s=watches.evaluation.total_s(),
        train_time_s=data_time_s + step_time_s,
    )
