"""Four ways to train one network on the same images: fbench, a plain PyTorch loop, Lightning, Keras on TensorFlow.

Each is built once in a process of its own and then trains for blocks of steps; a block's time runs from the end of
its first step to the end of its last, so that no contestant pays for starting an iterator or a trainer. What it has
learned is asked of the same images of the validation split.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F  # noqa: N812 - the name that every PyTorch reader knows
from torch import nn
from torch.utils.data import DataLoader

from fbench.architectures.registry import create
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.machine.allocator import freed_memory_kept
from fbench.benchmark.machine.device import device_kind, memory_format, numerics_in_force, pick_device
from fbench.benchmark.records.budget import StepPlan
from fbench.benchmark.records.numerics import Precision, choose_numerics
from fbench.benchmark.records.protocol import AdamW, Protocol, WarmupCosine
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.training.loop import train
from fbench.benchmark.training.optimizers import decaying_parameters, rate_factor
from fbench.benchmark.training.seeds import derive_seeds
from fbench.benchmark.training.state import TrainingData, TrainingSettings, TrainingState
from fbench.benchmark.training.tensors import choose_normalisation, split_to_device
from tests.peers.faces import AugmentedFaces, Faces


@dataclass(frozen=True)
class Contestant:
    """``block`` trains for so many steps and returns the seconds of all but the first; ``classify`` returns the
    predicted class (N,) of each image float (N, 48, 48), normalised as the training images were."""

    block: Callable[[int], float]
    classify: Callable[[npt.NDArray[np.float32]], npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Task:
    """What every contestant trains: a network on the training split, in one precision, on so many threads.

    The schedule of the learning rate ends after ``scheduled_steps``; measurements of speed get nowhere near.
    """

    network: str
    dataset: ImageDataset
    precision: Precision
    threads: int
    loader_workers: int
    seed: int
    scheduled_steps: int = 100_000
    device: str = "cpu"

    @property
    def protocol(self) -> Protocol:
        """The default protocol, whose optimizer, schedule, augmentation and batch size all share."""
        return load_protocol("fbench")


def faces_of(dataset: ImageDataset) -> Faces:
    """The training split as plain arrays."""
    rows = dataset.rows("train")
    images = dataset.images[rows][:, 0]
    return Faces(images, dataset.labels[rows].astype(np.int64), float(images.mean()), float(images.std()))


def validation_top1(contestant: Contestant, dataset: ImageDataset) -> float:
    """The share of the validation split that it classifies rightly."""
    faces, rows = faces_of(dataset), dataset.rows("validation")
    images = (dataset.images[rows][:, 0].astype(np.float32) - faces.mean) / faces.deviation
    return float((contestant.classify(images) == dataset.labels[rows]).mean())


def classify_with(network: nn.Module, images: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Classes by a PyTorch network in evaluation mode, in batches of 256."""
    network.cpu().eval()
    with torch.inference_mode():
        parts = [network(part.unsqueeze(1)).argmax(1) for part in torch.from_numpy(images).split(256)]
    return torch.cat(parts).numpy()


def make_contestant(name: str, task: Task) -> Contestant:
    """One of ``fbench``, ``plain``, ``lightning`` and ``keras``; TensorFlow is imported for the last alone."""
    if name == "keras":
        from tests.peers.keras_contestant import keras_contestant

        return keras_contestant(task)
    makers = {"fbench": fbench_contestant, "plain": plain_contestant, "lightning": lightning_contestant}
    return makers[name](task)


def fbench_contestant(task: Task) -> Contestant:
    """fbench's own loop, with a handful of images to evaluate on, whose time is not counted."""
    device, protocol = pick_device(task.device), task.protocol
    numerics = choose_numerics(device_kind(device), task.precision)
    torch.manual_seed(task.seed)
    network = create(task.network).to(device).to(memory_format=memory_format(numerics))  # type: ignore[call-overload] # torch's stub lacks memory_format alone
    split = split_to_device(task.dataset, "train", device, numerics)
    choosing = split_to_device(task.dataset, "validation", device, numerics)
    data = TrainingData(
        split,
        replace(choosing, images=choosing.images[:8], labels=choosing.labels[:8]),
        choose_normalisation(protocol, split),
    )
    per_epoch = len(split.labels) // protocol.batch_size

    def block(steps: int) -> float:
        plan = StepPlan(steps, protocol.batch_size, per_epoch, (1, steps))
        with freed_memory_kept(), numerics_in_force(numerics, device):
            settings = TrainingSettings(protocol, plan, numerics, derive_seeds(task.seed))
            history = train(TrainingState(network, data, settings)).history
        return history[-1].train_time_s - history[0].train_time_s

    return Contestant(block, partial(classify_with, network))


def plain_contestant(task: Task) -> Contestant:
    """A loop as people write it: loader, eager steps, loss and accuracy read after each."""
    torch.set_num_threads(task.threads)
    torch.manual_seed(task.seed)
    network, protocol, device = create(task.network).to(task.device), task.protocol, task.device
    if task.precision == "tf32":
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    optimizer = adamw(network, protocol)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: factor(task, step))
    batches = endless(loader(task))

    def block(steps: int) -> float:
        network.train()
        ends, loss_sum, correct = [], 0.0, 0.0
        for batch in itertools.islice(batches, steps):
            images, labels = (part.to(device) for part in batch)
            optimizer.zero_grad()
            loss, logits = forward(network, images, labels, task)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), protocol.gradient_clip_norm or 1e9)
            optimizer.step()
            schedule.step()
            loss_sum += loss.item()
            correct += (logits.argmax(1) == labels).float().mean().item()
            ends.append(time.perf_counter())
        return ends[-1] - ends[0]

    return Contestant(block, partial(classify_with, network))


def lightning_contestant(task: Task) -> Contestant:
    """Lightning's trainer without bar, logger or checkpoints, on the plain loop's loader."""
    import lightning

    torch.set_num_threads(task.threads)
    torch.manual_seed(task.seed)
    protocol = task.protocol

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network = create(task.network)
            self.ends: list[float] = []

        def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], index: int) -> torch.Tensor:
            loss, logits = forward(self.network, *batch, task)
            self.log("accuracy", (logits.argmax(1) == batch[1]).float().mean())
            return loss

        def on_train_batch_end(self, *ignored: object) -> None:
            self.ends.append(time.perf_counter())

        def configure_optimizers(self) -> dict[str, Any]:
            optimizer = adamw(self.network, protocol)
            schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: factor(task, step))
            return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    module, batches = Module(), loader(task)

    def block(steps: int) -> float:
        module.ends.clear()
        lightning.Trainer(
            max_steps=steps,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            gradient_clip_val=protocol.gradient_clip_norm,
        ).fit(module, batches)
        return module.ends[-1] - module.ends[0]

    return Contestant(block, partial(classify_with, module.network))


def forward(
    network: nn.Module, images: torch.Tensor, labels: torch.Tensor, task: Task
) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss and logits, under autocast where the task asks for bf16."""
    with torch.autocast(task.device, torch.bfloat16, enabled=task.precision == "bf16"):
        logits = network(images)
    return F.cross_entropy(logits.float(), labels, label_smoothing=task.protocol.label_smoothing), logits


def adamw(network: nn.Module, protocol: Protocol) -> torch.optim.AdamW:
    """AdamW as PyTorch makes it, kernels decaying."""
    settings = protocol.optimizer
    if not isinstance(settings, AdamW):
        raise TypeError("the peers are written for a protocol with AdamW")
    decaying = decaying_parameters(network, protocol.weight_decay_on)
    chosen = {id(parameter) for parameter in decaying}
    others = [parameter for parameter in network.parameters() if id(parameter) not in chosen]
    groups = [{"params": decaying, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=settings.learning_rate)


def factor(task: Task, step: int) -> float:
    """The schedule's factor at a step; after its end the last one stays."""
    if not isinstance(task.protocol.schedule, WarmupCosine):
        raise TypeError("the peers are written for a protocol with warm-up and cosine")
    return rate_factor(task.protocol.schedule, min(step, task.scheduled_steps - 1), task.scheduled_steps)


def loader(task: Task) -> DataLoader[tuple[torch.Tensor, int]]:
    """Shuffled batches of PIL-augmented images."""
    faces = AugmentedFaces(faces_of(task.dataset), task.protocol.augmentation)
    return DataLoader(
        faces,
        batch_size=task.protocol.batch_size,
        shuffle=True,
        drop_last=True,
        num_workers=task.loader_workers,
        persistent_workers=task.loader_workers > 0,
    )


def endless(batches: DataLoader[tuple[torch.Tensor, int]]) -> Iterator[Any]:
    """Epoch after epoch."""
    while True:
        yield from batches
