"""One training step: forward, loss, backward, optimizer; as it is, or recorded once as a CUDA graph and replayed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows
from torch import nn

from fbench.benchmark.machine.cuda_graph import recorded
from fbench.benchmark.machine.device import autocast
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.training.augment import MixedBatch
from fbench.benchmark.training.outputs import as_logits
from fbench.benchmark.training.prepare import prepare_for_training


class Totals:
    """Running sums on the device since the last evaluation, so that no step waits for a number."""

    def __init__(self, device: torch.device) -> None:
        self.loss = torch.zeros((), device=device)
        self.correct = torch.zeros((), device=device)
        self.images = 0

    def clear(self) -> None:
        """Start again at zero, in place."""
        self.loss.zero_()
        self.correct.zero_()
        self.images = 0

    def state_dict(self) -> dict[str, Any]:
        """The sums since the last evaluation."""
        return {"loss": self.loss.clone(), "correct": self.correct.clone(), "images": self.images}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where :meth:`state_dict` was taken, in place."""
        self.loss.copy_(state["loss"])
        self.correct.copy_(state["correct"])
        self.images = int(state["images"])


Step = Callable[[MixedBatch], None]
"""Trains on one batch and adds to the totals."""


def make_step(
    network: nn.Module, optimizer: torch.optim.Optimizer, protocol: Protocol, numerics: Numerics, totals: Totals
) -> Step:
    """The step that ``numerics`` asks for: eager, compiled, or a CUDA graph of either.

    A compiled network of an earlier trial is forgotten first: torch keeps eight versions of one line of code and
    would run the ninth eagerly without a word. What was compiled stays on disk, so that each architecture pays once
    (ARCH-1 on one core: 15 s, then 3 s).
    """
    prepare_for_training(network, numerics)
    stepping: nn.Module = network
    if numerics.compile:
        torch.compiler.reset()
        stepping = torch.compile(network)  # type: ignore[assignment] # torch types compile() as a function

    def step(batch: MixedBatch) -> None:
        _train_on(stepping, optimizer, batch, protocol, numerics, totals)

    if not numerics.cuda_graph:
        return step
    return _CudaGraphStep(step, network, optimizer, totals)


def _train_on(
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch: MixedBatch,
    protocol: Protocol,
    numerics: Numerics,
    totals: Totals,
) -> None:
    """One optimizer step over a batch, in microbatches where the numerics say so."""
    network.train()
    optimizer.zero_grad(set_to_none=True)
    count = batch.images.shape[0]
    for part in _microbatches(batch, numerics.microbatch or count):
        with autocast(numerics):
            output = network(part.images)
        logits = as_logits(output, len(part.images), "in training")
        loss = batch_loss(logits, part, protocol.label_smoothing)
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
        yield batch.part(slice(start, start + size))


def batch_loss(logits: torch.Tensor, batch: MixedBatch, label_smoothing: float) -> torch.Tensor:
    """The mean cross-entropy of logits (N, classes) against the batch's targets, a scalar."""
    if batch.label_shares is not None:
        return F.cross_entropy(logits, batch.label_shares, label_smoothing=label_smoothing)
    if batch.other_labels is None or batch.share is None:
        return F.cross_entropy(logits, batch.labels, label_smoothing=label_smoothing)
    first = F.cross_entropy(logits, batch.labels, label_smoothing=label_smoothing, reduction="none")
    second = F.cross_entropy(logits, batch.other_labels, label_smoothing=label_smoothing, reduction="none")
    return (batch.share * first + (1 - batch.share) * second).mean()


class _CudaGraphStep:
    """A whole step recorded once and replayed: one launch in place of several hundred.

    The first call trains on its batch to warm up and to record, and then puts weights, optimizer (also one that goes on
    with an earlier training) and totals back in place. The optimizer must be capturable, with its rate in a tensor.
    """

    def __init__(self, step: Step, network: nn.Module, optimizer: torch.optim.Optimizer, totals: Totals) -> None:
        self._step = step
        self._network = network
        self._optimizer = optimizer
        self._totals = totals
        self._graph: torch.cuda.CUDAGraph | None = None
        self._inputs: MixedBatch | None = None

    def __call__(self, batch: MixedBatch) -> None:
        if self._graph is None or self._inputs is None:
            self._graph, self._inputs = self._record(batch)
        for name, held in vars(self._inputs).items():
            if held is not None:
                held.copy_(getattr(batch, name))
        self._graph.replay()
        self._totals.images += batch.images.shape[0]

    def _record(self, batch: MixedBatch) -> tuple[torch.cuda.CUDAGraph, MixedBatch]:
        held: dict[str, Any] = {key: None if value is None else value.clone() for key, value in vars(batch).items()}
        inputs = MixedBatch(**held)
        before = [value.detach().clone() for value in _tensors(self._network)]
        moments = [value.clone() for value in self._moments()]
        totals = self._totals.state_dict()
        graph = recorded(
            lambda: self._step(inputs), batch.images.device, lambda: self._optimizer.zero_grad(set_to_none=True)
        )
        with torch.no_grad():
            for value, old in zip(_tensors(self._network), before, strict=True):
                value.copy_(old)
            for index, value in enumerate(self._moments()):
                value.copy_(moments[index]) if moments else value.zero_()
        self._totals.load_state_dict(totals)
        return graph, inputs

    def _moments(self) -> list[torch.Tensor]:
        """What the optimizer keeps for each parameter; nothing before its first step."""
        states = self._optimizer.state.values()
        return [value for state in states for value in state.values() if isinstance(value, torch.Tensor)]


def _tensors(network: nn.Module) -> list[torch.Tensor]:
    return [value for value in network.state_dict().values() if isinstance(value, torch.Tensor)]
