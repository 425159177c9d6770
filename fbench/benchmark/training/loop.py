"""The one training loop. Everything it needs is on the device; nothing waits for the device between evaluations."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows

from fbench.benchmark.records.events import Evaluated, Listen, Stepped, ignore
from fbench.benchmark.records.trial_records import HistoryRow
from fbench.benchmark.training.evaluate import predict_logits
from fbench.benchmark.training.network_state import take_state
from fbench.benchmark.training.state import TrainingState

STEPS_BETWEEN_EVENTS: Final = 20


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
class Training:
    """What the loop found: the weights of the chosen step, its place, and the history of evaluations.

    ``logits`` are those of the choosing split at the chosen step, where they are at hand: a training that went on from
    a checkpoint after that step has none.
    """

    weights: dict[str, Any]
    chosen: HistoryRow
    logits: torch.Tensor | None
    history: tuple[HistoryRow, ...]
    steps_done: int


Found = TypeVar("Found")
AfterStep = Callable[[TrainingState], None]


def train(state: TrainingState, listen: Listen = ignore, after_step: AfterStep = lambda state: None) -> Training:
    """As :func:`training_steps`, all at once."""
    return to_the_end(training_steps(state, listen, after_step))


def to_the_end(steps: Generator[None, None, Found]) -> Found:
    """Take all steps and return what comes of them."""
    while True:
        try:
            next(steps)
        except StopIteration as ended:
            found: Found = ended.value
            return found


def training_steps(
    state: TrainingState, listen: Listen = ignore, after_step: AfterStep = lambda state: None
) -> Generator[None, None, Training]:
    """Train on from where ``state`` stands, a step at a time, and return the weights of the step that the protocol
    chooses.

    ``listen`` is told of steps, at least at every evaluation, and of each evaluation when ``state`` holds it.
    ``after_step`` is called after each step, and its evaluation where it has one, when the state can be kept.

    Raises:
        DivergedError: a loss was NaN or infinite.
    """
    protocol, evaluate_after = state.settings.protocol, frozenset(state.settings.plan.evaluate_after)
    while not state.finished:
        rate = state.schedule.before_step(state.step)
        batch = next(state.batches)
        with state.step_watch.section():
            state.train_on(batch)
            if state.average is not None:
                state.average.follow(state.network)
        state.step += 1
        if state.step not in evaluate_after:
            if state.step % STEPS_BETWEEN_EVENTS == 0:
                listen(Stepped(state.trial_id, state.step))
            after_step(state)
            yield
            continue
        row, logits = _evaluation_row(state, rate)
        state.history.append(row)
        state.totals.clear()
        if protocol.selection == "last" or state.best is None or _better(row, state.best[0]):
            state.best, state.best_logits = (row, take_state(state.evaluated)), logits
        state.schedule.after_evaluation(row.validation_loss)
        state.stopped = state.stopping is not None and state.stopping.exhausted_after(row.validation_loss)
        listen(Stepped(state.trial_id, state.step))
        listen(Evaluated(state.trial_id, row))
        after_step(state)
        yield
    if state.best is None:
        raise ValueError("a plan must evaluate after its last step")
    chosen, weights = state.best
    return Training(weights, chosen, state.best_logits, tuple(state.history), state.history[-1].step)


def _better(row: HistoryRow, best: HistoryRow) -> bool:
    """Higher accuracy on the choosing split; at equal accuracy the lower loss."""
    return (row.validation_top1, -row.validation_loss) > (best.validation_top1, -best.validation_loss)


def _evaluation_row(state: TrainingState, rate: float) -> tuple[HistoryRow, torch.Tensor]:
    """Read the choosing split and write down where training stands; its logits too.

    Raises:
        DivergedError: the loss of either split is NaN or infinite.
    """
    protocol, plan, numerics = state.settings.protocol, state.settings.plan, state.settings.numerics
    choosing, totals, step = state.data.choosing, state.totals, state.step
    train_loss = float(totals.loss) / totals.images
    if not math.isfinite(train_loss):
        raise DivergedError("training", f"loss was not finite at step {step} ({train_loss})")
    with state.evaluation_watch.section():
        normalisation, flip = state.data.normalisation, protocol.test_time_flip
        logits = predict_logits(state.evaluated, choosing, normalisation, numerics, flip=flip)
        loss = F.cross_entropy(logits, choosing.labels)
        correct = int((logits.argmax(1) == choosing.labels).sum())  # an exact count, so top-1 is an exact ratio
    refuse_not_finite("test" if protocol.selection == "test" else "validation", logits, float(loss), step)
    data_time_s, step_time_s = state.data_watch.total_s(), state.step_watch.total_s()
    row = HistoryRow(
        evaluation=len(state.history) + 1,
        step=step,
        epoch=step / plan.steps_per_epoch,
        images_seen=step * plan.batch_size,
        learning_rate=rate,
        train_loss=train_loss,
        train_top1=float(totals.correct) / totals.images,
        validation_loss=float(loss),
        validation_top1=correct / choosing.labels.numel(),
        data_time_s=data_time_s,
        step_time_s=step_time_s,
        evaluation_time_s=state.evaluation_watch.total_s(),
        train_time_s=data_time_s + step_time_s,
    )
    return row, logits
