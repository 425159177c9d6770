"""The calls that are timed: one inference, or one training step of the default protocol, on inputs that rotate."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch._dynamo
from torch import nn

from fbench.architectures.network_copy import copy_network
from fbench.architectures.registry import build
from fbench.benchmark.machine.cuda_graph import recorded
from fbench.benchmark.machine.device import Stopwatch, autocast, lay_out, memory_format
from fbench.benchmark.records.budget import StepPlan
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.records.specs import NetworkSpec
from fbench.benchmark.training.augment import MixedBatch
from fbench.benchmark.training.batches import AugmentedBatches
from fbench.benchmark.training.gathered import gather_small_work
from fbench.benchmark.training.optimizers import build_optimizer
from fbench.benchmark.training.prepare import prepare_for_training
from fbench.benchmark.training.seeds import derive_seeds
from fbench.benchmark.training.step import Totals, batch_loss, make_step
from fbench.benchmark.training.tensors import SplitTensors, fit_normalisation

ROTATED_BATCHES = 4
"""Inputs rotate among this many batches, so that a cache that holds the last one does not flatter."""

MOST_PROGRAMS = 10_000

TRAINING_PARTS = ("data", "forward", "backward", "optimizer")

Mark = Callable[[], None]
"""Is called between two parts of a call."""


@dataclass(frozen=True)
class Call:
    """One call of a network, with ``parts`` that are timed apart.

    ``prepare`` puts the network into its mode, untimed. ``run`` is timed. ``place`` copies the network and its inputs
    to another place in memory: where tensors and Python's objects happen to lie makes up to 0.3 % of a compact
    network's time, for the life of a process, so a comparison that never moves them finds differences between equals.
    """

    prepare: Callable[[], object]
    run: Callable[[Mark], None]
    place: Callable[[], None]
    parts: tuple[str, ...] = ("forward",)


def inference_call(
    module: nn.Module, input_shape: tuple[int, int, int], batch_size: int, numerics: Numerics, device: torch.device
) -> Call:
    """A forward pass in evaluation mode on random images (N, C, H, W); compiled where the numerics say so."""
    held = _laid_out(module, numerics, device)
    images = _random_images((batch_size, *input_shape), numerics, device)
    turns = itertools.cycle(range(ROTATED_BATCHES))
    if numerics.cuda_graph:
        return _replayed_inference(_program(held, numerics), held, images, numerics)
    compiled = _program(held, numerics) if numerics.compile else None

    def run(mark: Mark) -> None:
        with torch.inference_mode(), autocast(numerics):
            (compiled or held)(images[next(turns)])

    def place() -> None:
        nonlocal held
        if compiled is None:
            held = copy_network(held)
        else:
            _move(held)
        images[:] = [batch.clone() for batch in images]

    return Call(lambda: held.eval(), run, place)  # noqa: PLW0108 - ``held`` is another one after every ``place``


def training_call(network: NetworkSpec, batch_size: int, numerics: Numerics, device: torch.device) -> Call:
    """A step of the default protocol on random images: augmented batch, forward with loss, backward, optimizer.

    Placing builds the network anew, as a second one that waits to be copied would count as its memory.
    """
    protocol = load_protocol("fbench")
    batches = _training_batches(network, batch_size, numerics, device)
    if numerics.cuda_graph:
        module = _laid_out(build(network.resolved), numerics, device)
        optimizer = build_optimizer(module, protocol, batch_size, numerics)
        step = make_step(module, optimizer, protocol, numerics, Totals(device))

        def replayed(mark: Mark) -> None:
            batch = next(batches)
            mark()
            step(batch)

        return Call(module.train, replayed, _stay, ("data", "step"))

    def built() -> tuple[nn.Module, Callable[[torch.Tensor], Any], torch.optim.Optimizer]:
        learner = _laid_out(build(network.resolved), numerics, device)
        prepare_for_training(learner, numerics)
        forward = gather_small_work(learner, numerics)
        return learner, forward, build_optimizer(learner, protocol, batch_size, numerics)

    held, forward, optimizer = built()
    compiled = _program(held, numerics) if numerics.compile else None

    def run(mark: Mark) -> None:
        batch = next(batches)
        mark()
        optimizer.zero_grad(set_to_none=True)
        with autocast(numerics):
            logits = (compiled or forward)(batch.images)
        loss = batch_loss(logits.float(), batch, protocol.label_smoothing)
        mark()
        loss.backward()
        mark()
        optimizer.step()

    def place() -> None:
        nonlocal held, forward, optimizer
        if compiled is None:
            held, forward, optimizer = built()
        else:
            _move(held)

    return Call(lambda: held.train(), run, place, TRAINING_PARTS)  # noqa: PLW0108 - as above


@contextmanager
def every_program_compiled() -> Iterator[None]:
    """Within the block, each network and batch has a compiled program of its own.

    torch keeps eight programs of one line of code and would run the ninth eagerly without an error: a measurement of
    nine networks would call eager times compiled.
    """
    with torch._dynamo.config.patch(
        recompile_limit=MOST_PROGRAMS, accumulated_recompile_limit=MOST_PROGRAMS, fail_on_recompile_limit_hit=True
    ):
        yield


def _laid_out(module: nn.Module, numerics: Numerics, device: torch.device) -> nn.Module:
    layout = memory_format(numerics)
    return lay_out(module.to(device), layout)


def _program(module: nn.Module, numerics: Numerics) -> Callable[[torch.Tensor], torch.Tensor]:
    """The network, or its compiled form for one shape of batch; a second shape is compiled apart, not made dynamic."""
    if not numerics.compile:
        return module
    program: Callable[[torch.Tensor], torch.Tensor] = torch.compile(module, dynamic=False)
    return program


def _random_images(shape: tuple[int, ...], numerics: Numerics, device: torch.device) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    layout = memory_format(numerics)
    return [
        torch.randn(shape, generator=generator).to(device).contiguous(memory_format=layout)
        for _ in range(ROTATED_BATCHES)
    ]


def _training_batches(
    network: NetworkSpec, batch_size: int, numerics: Numerics, device: torch.device
) -> Iterator[MixedBatch]:
    """Augmented batches of the default protocol, one at a time, from random images of the network's shape."""
    protocol, seeds = load_protocol("fbench"), derive_seeds(0)
    generator = torch.Generator().manual_seed(0)
    total = ROTATED_BATCHES * batch_size
    images = torch.randint(0, 256, (total, *network.input_shape), dtype=torch.uint8, generator=generator)
    labels = torch.randint(int(network.options["num_classes"]), (total,), generator=generator)
    split = SplitTensors(
        images.to(device).contiguous(memory_format=memory_format(numerics)), labels.to(device), labels.numpy()
    )
    plan = StepPlan(ROTATED_BATCHES, batch_size, ROTATED_BATCHES, (ROTATED_BATCHES,))
    normalisation, watch = fit_normalisation(split), Stopwatch(device)
    return AugmentedBatches(
        split, normalisation, protocol.augmentation, plan, numerics, seeds, watch, images_at_once=batch_size
    )


def _replayed_inference(
    program: Callable[[torch.Tensor], torch.Tensor],
    module: nn.Module,
    images: list[torch.Tensor],
    numerics: Numerics,
) -> Call:
    """A forward pass recorded once as a CUDA graph; a call copies a batch in and replays it."""
    module.eval()
    static, inputs = images[0].clone(), itertools.cycle(images)

    def forward() -> None:
        with (
            torch.inference_mode(),
            autocast(numerics),
        ):  # weights that autocast casts are cast in the graph, as eagerly
            program(static)

    graph = recorded(forward, static.device)

    def run(mark: Mark) -> None:
        static.copy_(next(inputs))
        graph.replay()

    return Call(module.eval, run, _stay)


def _move(module: nn.Module) -> None:
    for tensor in itertools.chain(module.parameters(), module.buffers()):
        tensor.data = tensor.data.clone()


def _stay() -> None:
    """A recorded graph knows its tensors by address."""
