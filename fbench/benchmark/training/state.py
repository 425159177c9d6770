"""Everything that changes while a network trains, in one place: it can be taken, kept, and gone on from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from fbench.benchmark.machine.device import Stopwatch, generator_state, set_generator_state
from fbench.benchmark.records.budget import StepPlan
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.trial_records import HistoryRow, Seeds
from fbench.benchmark.training.average import MovingAverage
from fbench.benchmark.training.batches import AugmentedBatches
from fbench.benchmark.training.network_state import State, put_state, take_state
from fbench.benchmark.training.optimizers import RateSchedule, build_optimizer, early_stopping
from fbench.benchmark.training.step import Totals, make_step
from fbench.benchmark.training.tensors import Normalisation, SplitTensors


@dataclass(frozen=True)
class TrainingData:
    """The splits of one trial on the device. ``choosing`` is the split that picks the epoch."""

    train: SplitTensors
    choosing: SplitTensors
    normalisation: Normalisation


@dataclass(frozen=True)
class TrainingSettings:
    """What a training follows and never changes."""

    protocol: Protocol
    plan: StepPlan
    numerics: Numerics
    seeds: Seeds


class TrainingState:
    """A training as it stands after ``step`` optimizer steps.

    Attributes:
        trial_id: of which trial it is; empty outside of one.
        network: with its weights and buffers.
        settings: what it follows.
        data: what it trains on and chooses by.
        step: optimizer steps done.
        history: the evaluations so far.
        best: the evaluation that the protocol would choose now, with the network's state then.
        best_logits: of the choosing split then; no part of what is saved, as the weights give them again.
        stopped: whether the stopping rule has ended it before its plan.
    """

    def __init__(
        self,
        network: nn.Module,
        data: TrainingData,
        settings: TrainingSettings,
        *,
        trial_id: str = "",
    ) -> None:
        protocol, plan, numerics = settings.protocol, settings.plan, settings.numerics
        self.device = data.train.images.device
        self.trial_id, self.network, self.data, self.settings = trial_id, network, data, settings
        self.optimizer = build_optimizer(network, protocol, plan.batch_size, numerics)
        self.schedule = RateSchedule(protocol.schedule, self.optimizer, plan.steps)
        self.average = None if protocol.ema_decay is None else MovingAverage(network, protocol.ema_decay)
        self.stopping = early_stopping(protocol.stopping)
        self.data_watch, self.step_watch, self.evaluation_watch = (Stopwatch(self.device) for _ in range(3))
        self.batches = AugmentedBatches(
            data.train,
            data.normalisation,
            protocol.augmentation_of_each_pass,
            plan,
            numerics,
            settings.seeds,
            self.data_watch,
        )
        self.totals = Totals(self.device)
        self.train_on = make_step(network, self.optimizer, protocol, numerics, self.totals)
        self.step = 0
        self.history: list[HistoryRow] = []
        self.best: tuple[HistoryRow, State] | None = None
        self.best_logits: torch.Tensor | None = None
        self.stopped = False

    @property
    def evaluated(self) -> nn.Module:
        """The network that is evaluated and kept: the averaged one where the protocol averages."""
        return self.network if self.average is None else self.average.module

    @property
    def finished(self) -> bool:
        """Whether no step is left to do."""
        return self.stopped or self.step >= self.settings.plan.steps

    def state_dict(self) -> dict[str, Any]:
        """A copy of all that changes, after any step: tensors, and what JSON can hold.

        A network's own Python attributes are not in it; what a network must remember belongs into its buffers or its
        extra state.
        """
        return {
            "step": self.step,
            "stopped": self.stopped,
            "network": take_state(self.network),
            "optimizer": _optimizer_state(self.optimizer),
            "schedule": self.schedule.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "stopping": None if self.stopping is None else self.stopping.state_dict(),
            "batches": self.batches.state_dict(),
            "dropout": generator_state(self.device),
            "totals": self.totals.state_dict(),
            "history": [row.model_dump(mode="json") for row in self.history],
            "best": None if self.best is None else {"row": self.best[0].model_dump(mode="json"), "state": self.best[1]},
            "seconds": [watch.total_s() for watch in (self.data_watch, self.step_watch, self.evaluation_watch)],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where :meth:`state_dict` was taken, in this process or another; the settings must be equal.

        On a CPU the finished training then has the bits of one that was never interrupted.
        """
        self.step, self.stopped = int(state["step"]), bool(state["stopped"])
        put_state(self.network, state["network"])
        _put_optimizer_state(self.optimizer, state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        if self.stopping is not None:
            self.stopping.load_state_dict(state["stopping"])
        self.batches.load_state_dict(state["batches"])
        self.totals.load_state_dict(state["totals"])
        self.history = [HistoryRow.model_validate(row) for row in state["history"]]
        best = state["best"]
        self.best = None if best is None else (HistoryRow.model_validate(best["row"]), best["state"])
        self.best_logits = None
        for watch, seconds in zip(
            (self.data_watch, self.step_watch, self.evaluation_watch), state["seconds"], strict=True
        ):
            watch.go_on_from(float(seconds))
        set_generator_state(self.device, state["dropout"])


def _optimizer_state(optimizer: torch.optim.Optimizer) -> dict[str, dict[str, torch.Tensor]]:
    """What the optimizer keeps for each parameter, by the parameter's number."""
    kept = optimizer.state_dict()["state"]
    return {
        str(number): {name: value.detach().clone() for name, value in values.items() if isinstance(value, torch.Tensor)}
        for number, values in kept.items()
    }


def _put_optimizer_state(optimizer: torch.optim.Optimizer, state: Mapping[str, Mapping[str, torch.Tensor]]) -> None:
    """Put back what :func:`_optimizer_state` took, each in the layout of its parameter."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    whole = optimizer.state_dict()
    whole["state"] = {
        int(number): {name: _like(parameters[int(number)], value) for name, value in values.items()}
        for number, values in state.items()
    }
    optimizer.load_state_dict(whole)


def _like(parameter: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    if value.shape != parameter.shape:
        return value.clone()
    return torch.empty_like(parameter, dtype=value.dtype).copy_(value)
