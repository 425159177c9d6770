"""Stage: the faces that trainings need, from the file that travelled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.layouts.arrays import read_arrays
from fbench.benchmark.data.references import parse_reference
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.records.specs import DataSpec, data_spec
from tests.gpu.contact.packed_faces import unpack_to
from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import Measurement, NotHereError
from tests.gpu.contact.trials import data_of, patterned_images

FILE: Final = "faces.npz"


def measurements(settings: Settings) -> Iterator[Measurement]:
    """Unpack them once, for all stages after this one."""
    yield Measurement("unpacked", partial(unpacked, settings))


def unpacked(settings: Settings) -> Mapping[str, Any]:
    """How many there are, and their fingerprint.

    Raises:
        NotHereError: no packed faces were given.
    """
    if settings.faces is None:
        raise NotHereError("no --faces was given; trainings take noise around stripes in place of faces")
    dataset = unpack_to(settings.faces, settings.work / FILE)
    return {"images": len(dataset.images), "fingerprint": dataset.fingerprint}


def images_of(settings: Settings) -> tuple[ImageDataset, DataSpec]:
    """The faces where they were unpacked, else as many patterned images as FER2013 has."""
    file = settings.work / FILE
    if file.exists():
        dataset = read_arrays(file, "faces")
        return dataset, data_spec(reference_of(settings), dataset)
    dataset = patterned_images(256 if settings.small else 28709, 64 if settings.small else 3589)
    return dataset, data_of(dataset)


def reference_of(settings: Settings) -> DataReference:
    """The data as ``--data`` of fbench takes them: the faces, else the synthetic ones that are part of fbench."""
    file = settings.work / FILE
    return parse_reference(f"faces=arrays:{file}" if file.exists() else "synthetic")
