"""Stage: a PyTorch loop as people write it, on the same images, for comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from fbench.benchmark.machine.device import pick_device
from fbench.benchmark.records.numerics import Precision
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.core.capacity import usable_cores
from tests.gpu.contact.faces import images_of
from tests.gpu.contact.lines import latest, read
from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import Measurement
from tests.gpu.contact.timing import seconds_of
from tests.gpu.contact.trainings import EPOCHS, trained
from tests.peers.contestants import Task, forward, plain_contestant

STEPS: Final = 300
"""More than an epoch of FER2013, which has 224."""


def measurements(settings: Settings) -> Iterator[Measurement]:
    """The loop with its loader for each training, and then its steps alone on one batch."""
    for what, measure in (("", with_loader), (" steps alone", steps_alone)):
        for network, precision in trained(settings)[: 1 if settings.small else None]:
            name = f"{network} {precision}{what}"
            yield Measurement(name, partial(measure, network, precision, settings))


def with_loader(network: str, precision: Precision, settings: Settings) -> Mapping[str, Any]:
    """Images read and changed one by one by loader workers on all but two cores, eager steps, loss and accuracy read
    after each, as in :mod:`tests.peers.contestants`. The time of 100 epochs is drawn out from some steps."""
    task = _task(network, precision, settings)
    steps = 4 if settings.small else STEPS
    contestant = plain_contestant(task)
    contestant.block(2 if settings.small else 30)  # starts workers, and lets libraries choose
    step_s = contestant.block(steps) / (steps - 1)
    return _drawn_out(network, precision, step_s, steps, settings) | {"loader_workers": task.loader_workers}


def steps_alone(network: str, precision: Precision, settings: Settings) -> Mapping[str, Any]:
    """Eager steps of the same loop on one batch that lies on the device: no loop is faster that launches each kernel
    of its own accord."""
    import torch

    from fbench.architectures.registry import create
    from tests.peers.contestants import adamw

    task, device = _task(network, precision, settings), pick_device(settings.device)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    module = create(network).to(device).train()
    optimizer = adamw(module, task.protocol)
    images = torch.randn(task.protocol.batch_size, 1, 48, 48, device=device)
    labels = torch.arange(task.protocol.batch_size, device=device) % 7

    def step() -> None:
        optimizer.zero_grad()
        forward(module, images, labels, task)[0].backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), task.protocol.gradient_clip_norm or 1e9)
        optimizer.step()

    steps = 2 if settings.small else 100
    return _drawn_out(network, precision, seconds_of(step, steps, device), steps, settings)


def _drawn_out(network: str, precision: Precision, step_s: float, steps: int, settings: Settings) -> dict[str, Any]:
    """What so many seconds a step make in 100 epochs, and how many times fbench's time that is, where its training was
    measured."""
    per_epoch = len(images_of(settings)[0].rows("train")) // load_protocol("fbench").batch_size
    training_s = step_s * max(1, per_epoch) * EPOCHS
    found = {"step_us": 1e6 * step_s, "extrapolated_100_epochs_s": training_s, "steps_measured": steps}
    for line in latest(read(settings.out)):
        if (line.stage, line.result, line.status) == ("trainings", f"{network} {precision}", "done"):
            own_s = line.found["train_time_s"] / line.found["epochs"] * EPOCHS
            return found | {"times_fbench": training_s / own_s}
    return found


def _task(network: str, precision: Precision, settings: Settings) -> Task:
    workers = 0 if settings.small else max(1, usable_cores() - 2)
    return Task(network, images_of(settings)[0], precision, 1, workers, seed=0, device=settings.device)
