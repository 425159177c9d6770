"""Networks, images and trials that stages measure."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.machine.device import device_kind, pick_device
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.numerics import Numerics, Precision, choose_numerics
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.records.specs import DataSpec, NetworkSpec, TrialSpec, data_spec
from fbench.benchmark.training.networks import network_spec
from tests.gpu.contact.settings import Settings

IMAGE_SIZE: Final = 48
CLASSES: Final = 7
PRECISIONS: Final[tuple[Precision, ...]] = ("fp32", "tf32", "bf16")


@cache
def patterned_images(train: int, others: int = 256, seed: int = 0) -> ImageDataset:
    """Gray 48x48 images of seven classes, each of noise around its own stripes: something to learn that is made in a
    moment."""
    generator = np.random.default_rng(seed)
    counts = (train, others, others)
    labels = (np.arange(sum(counts)) % CLASSES).astype(np.uint8)
    rows, columns = np.mgrid[0:IMAGE_SIZE, 0:IMAGE_SIZE]
    waves = np.stack([np.sin(0.15 * (one + 1) * rows + 0.1 * one * columns) for one in range(CLASSES)])
    noise = generator.standard_normal((len(labels), IMAGE_SIZE, IMAGE_SIZE), dtype=np.float32)
    images = np.clip(128 + 30 * waves[labels] + 50 * noise, 0, 255).astype(np.uint8)
    return ImageDataset(
        name="patterned",
        images=images[:, None],
        labels=labels,
        split=np.repeat(np.arange(3), counts).astype(np.uint8),
        sample_ids=np.array([f"row:{row}" for row in range(len(labels))]),
        class_names=tuple(f"stripes {one}" for one in range(CLASSES)),
        may_show_images=True,
        synthetic=True,
        description="noise around stripes",
    )


def data_of(dataset: ImageDataset) -> DataSpec:
    """The specification of images in memory."""
    return data_spec(DataReference(name=dataset.name), dataset)


@cache
def face_network(name: str) -> NetworkSpec:
    """A named network for gray 48x48 images of seven classes."""
    return network_spec(name, name, {}, data_of(patterned_images(CLASSES, CLASSES)))


def numerics_of(settings: Settings, precision: Precision) -> Numerics:
    """As a new run on this device chooses them."""
    return choose_numerics(device_kind(pick_device(settings.device)), precision)


def precisions_of(settings: Settings) -> tuple[Precision, ...]:
    """Those that exist on this kind of device."""
    return PRECISIONS if settings.is_cuda else ("fp32",)


def trial_of(
    network: str, data: DataSpec, numerics: Numerics, budget: Budget, *, seed: int = 0, reads_test: bool = False
) -> TrialSpec:
    """A trial of the default protocol, which does not read the test split unless told to."""
    protocol = load_protocol("fbench")
    return TrialSpec(
        network=network_spec(network, network, {}, data),
        data=data,
        protocol=protocol if reads_test else protocol.model_copy(update={"test": "none"}),
        budget=budget,
        seed=seed,
        numerics=numerics,
    )
