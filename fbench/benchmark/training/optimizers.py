"""From a protocol to an optimizer with its parameter groups, and to the learning rate of each step."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.protocol import (
    Adam,
    AdamW,
    ConstantRate,
    Protocol,
    ReduceOnPlateau,
    Schedule,
    Sgd,
    Stopping,
    WarmupCosine,
)


def build_optimizer(
    network: nn.Module, protocol: Protocol, batch_size: int, numerics: Numerics
) -> torch.optim.Optimizer:
    """The protocol's optimizer over ``network``, with the parameters that decay in the first group.

    Every device updates all parameters in one fused call, unless some are complex. On CUDA the learning rate is a
    tensor, so that a schedule can change it between replays of a graph; an eager step has it too, and its bits.
    """
    settings = protocol.optimizer
    decaying = decaying_parameters(network, protocol.weight_decay_on)
    chosen = {id(p) for p in decaying}
    others = [p for p in network.parameters() if p.requires_grad and id(p) not in chosen]
    groups = [
        {"params": decaying, "weight_decay": settings.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    rate: float | torch.Tensor = settings.learning_rate * _rate_scale(protocol, batch_size)
    if numerics.device_kind == "cuda":
        rate = torch.tensor(rate, device=next(network.parameters()).device)
    graph = numerics.cuda_graph
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    fused = all(parameter.is_floating_point() for parameter in trained)  # no such kernel takes complex numbers
    match settings:
        case AdamW():
            betas = (settings.beta1, settings.beta2)
            return torch.optim.AdamW(groups, lr=rate, betas=betas, eps=settings.epsilon, fused=fused, capturable=graph)
        case Adam():
            betas = (settings.beta1, settings.beta2)
            return torch.optim.Adam(groups, lr=rate, betas=betas, eps=settings.epsilon, fused=fused, capturable=graph)
        case Sgd():
            momentum, nesterov = settings.momentum, settings.nesterov
            return torch.optim.SGD(groups, lr=rate, momentum=momentum, nesterov=nesterov, fused=fused)


def decaying_parameters(network: nn.Module, which: str) -> list[nn.Parameter]:
    """The trainable parameters that decay, in the network's order.

    ``kernels`` are those of two or more dimensions; ``dense_kernels`` those of linear layers;
    ``convolution_kernels_3x3`` those of convolutions over 3x3 pixels, depthwise ones among them.
    """
    tests: dict[str, Callable[[nn.Parameter], bool]] = {
        "kernels": lambda p: p.ndim >= 2,
        "dense_kernels": lambda p: p.ndim == 2,
        "convolution_kernels_3x3": lambda p: p.ndim == 4 and tuple(p.shape[2:]) == (3, 3),
        "all_parameters": lambda p: True,
    }
    return [p for p in network.parameters() if p.requires_grad and tests[which](p)]


def _rate_scale(protocol: Protocol, batch_size: int) -> float:
    if protocol.learning_rate_scaling == "none":
        return 1.0
    return math.sqrt(batch_size / protocol.reference_batch_size)


class RateSchedule:
    """The factor on the learning rate: a function of the step, and of validation losses where it waits for a
    plateau."""

    def __init__(self, schedule: Schedule, optimizer: torch.optim.Optimizer, steps: int) -> None:
        self._schedule = schedule
        self._optimizer = optimizer
        self._steps = steps
        self._peaks = [float(group["lr"]) for group in optimizer.param_groups]
        self._plateau = (
            Patience(schedule.patience, schedule.minimum_improvement) if isinstance(schedule, ReduceOnPlateau) else None
        )
        self._factor = 1.0

    def before_step(self, step: int) -> float:
        """Set the learning rate of 0-based ``step`` and return it (first group)."""
        factor = self._factor * rate_factor(self._schedule, step, self._steps)
        written: set[int] = set()  # on CUDA the groups share one tensor
        for group, peak in zip(self._optimizer.param_groups, self._peaks, strict=True):
            if not isinstance(group["lr"], torch.Tensor):
                group["lr"] = peak * factor
            elif id(group["lr"]) not in written:
                group["lr"].fill_(peak * factor)
                written.add(id(group["lr"]))
        return self._peaks[0] * factor

    def after_evaluation(self, validation_loss: float) -> None:
        """Tell the schedule how the validation split stands."""
        if not isinstance(self._schedule, ReduceOnPlateau) or self._plateau is None:
            return
        if self._plateau.exhausted_after(validation_loss):
            self._factor = max(self._factor * self._schedule.factor, self._schedule.minimum_fraction)
            self._plateau.start_again()

    def state_dict(self) -> dict[str, Any]:
        """What it has learned of the validation losses; the rest follows from the step."""
        return {"factor": self._factor, "plateau": self._plateau.state_dict() if self._plateau else None}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where :meth:`state_dict` was taken."""
        self._factor = float(state["factor"])
        if self._plateau is not None:
            self._plateau.load_state_dict(state["plateau"])


def rate_factor(schedule: Schedule, step: int, steps: int) -> float:
    """The factor on the peak learning rate at 0-based ``step`` of ``steps``."""
    match schedule:
        case WarmupCosine():
            warmup = max(1, round(schedule.warmup_fraction * steps))
            if step < warmup:
                return (step + 1) / warmup
            progress = (step - warmup) / max(1, steps - warmup)
            cosine = 0.5 * (1.0 + math.cos(math.pi * progress))
            return schedule.final_fraction + (1.0 - schedule.final_fraction) * cosine
        case ConstantRate() | ReduceOnPlateau():
            return 1.0


class Patience:
    """Counts evaluations without a loss lower than the best by more than ``minimum_improvement``."""

    def __init__(self, patience: int, minimum_improvement: float) -> None:
        self._patience = patience
        self._minimum_improvement = minimum_improvement
        self._best = math.inf
        self._waited = 0

    def exhausted_after(self, loss: float) -> bool:
        """Whether, with this loss, ``patience`` evaluations in a row brought nothing."""
        if loss < self._best - self._minimum_improvement:
            self._best, self._waited = loss, 0
        else:
            self._waited += 1
        return self._waited >= self._patience

    def start_again(self) -> None:
        """Forget how long was waited, keep the best loss."""
        self._waited = 0

    def state_dict(self) -> dict[str, Any]:
        """The best loss so far, none before the first, and how long was waited for a better one."""
        return {"best": None if math.isinf(self._best) else self._best, "waited": self._waited}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where :meth:`state_dict` was taken."""
        self._best = math.inf if state["best"] is None else float(state["best"])
        self._waited = int(state["waited"])


def early_stopping(stopping: Stopping | None) -> Patience | None:
    """The patience of a protocol's stopping rule, or none where it has none."""
    return Patience(stopping.patience, stopping.minimum_improvement) if stopping else None
