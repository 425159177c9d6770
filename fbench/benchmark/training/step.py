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
from fbench.benchmark.training.clipping import clip_gradients
from fbench.benchmark.training.gathered import gather_small_work
from fbench.benchmark.training.outputs import as_logits
from fbench.benchmark.training.prepare import prepare_for_training
from fbench.benchmark.training.smoothed_loss import smoothed_cross_entropy


class Totals:
    """Running sums on the device since the last evaluation, so that no step waits for a number."""

    def __init__(self, device: torch.device) -> None:
        self.loss = torch.zeros((), device=device)
        self.correct = torch.zeros((), device=device)
        self.images = 0

    @torch.no_grad()
    def add(self, loss: torch.Tensor, logits: torch.Tensor, labels: torch.Tensor) -> None:
        """Count some images: their mean loss, logits (N, classes) and labels (N,); the host counts ``images``."""
        if loss.is_cuda:
            self.loss.add_(loss.detach(), alpha=len(labels))  # one operation less, and other rounding
        else:
            self.loss += loss.detach() * len(labels)
        self.correct += (logits.argmax(1) == labels).sum()

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
    forward = gather_small_work(stepping, numerics)
    weights: dict[float, torch.Tensor] = {}

    def step(batch: MixedBatch) -> None:
        _train_on(stepping, forward, optimizer, batch, protocol, numerics, totals, weights)

    if not numerics.cuda_graph:
        return step
    return _CudaGraphStep(step, network, optimizer, totals)


def _train_on(
    network: nn.Module,
    forward: Callable[[torch.Tensor], object],
    optimizer: torch.optim.Optimizer,
    batch: MixedBatch,
    protocol: Protocol,
    numerics: Numerics,
    totals: Totals,
    weights: dict[float, torch.Tensor],
) -> None:
    """One optimizer step over a batch, in microbatches where the numerics say so; ``forward`` runs the network.

    ``weights`` keeps the share of each microbatch in the gradient, which is the same at every step.
    """
    network.train()
    optimizer.zero_grad(set_to_none=True)
    count = batch.images.shape[0]
    for part in _microbatches(batch, numerics.microbatch or count):
        with autocast(numerics):
            output = forward(part.images)
        logits = as_logits(output, len(part.images), "in training")
        loss = batch_loss(logits, part, protocol.label_smoothing)
        weight = part.images.shape[0] / count
        if weight not in weights:
            weights[weight] = torch.full_like(loss, weight)
        loss.backward(weights[weight])
        totals.add(loss, logits, part.labels)
    totals.images += count
    if protocol.gradient_clip_norm is not None:
        clip_gradients(network.parameters(), protocol.gradient_clip_norm)
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
        if logits.is_cuda:
            return smoothed_cross_entropy(logits, batch.labels, label_smoothing)
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
        _copy_batch(self._inputs, batch)
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


def _copy_batch(onto: MixedBatch, given: MixedBatch) -> None:
    """Write a batch over another, in one operation for each type of number."""
    pairs = [(held, getattr(given, name)) for name, held in vars(onto).items() if held is not None]
    for dtype in dict.fromkeys(held.dtype for held, _ in pairs):
        alike = [pair for pair in pairs if pair[0].dtype is dtype]
        torch._foreach_copy_([held for held, _ in alike], [value for _, value in alike])


def _tensors(network: nn.Module) -> list[torch.Tensor]:
    return [value for value in network.state_dict().values() if isinstance(value, torch.Tensor)]
