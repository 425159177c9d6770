"""The data set of a specification, read once per process."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from fbench.benchmark.data.cache import read_whole
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.references import parse_reference
from fbench.benchmark.records.specs import DataSpec
from fbench.core.errors import UserError


def load_for(data: DataSpec) -> ImageDataset:
    """Load the data set of a specification once per process, and hold it against its fingerprint.

    Raises:
        UserError: the data has changed since the run was planned.
    """
    sent = _SENT.get(data.fingerprint)
    dataset = _load_once(str(data.reference)) if sent is None else _read_once(sent)
    if dataset.fingerprint != data.fingerprint:
        raise UserError(
            f"The data set {data.name} has changed since this run was planned; put its files back, or give the same "
            "command with another --out."
        )
    return dataset


def take_sent(fingerprint: str, file: Path) -> None:
    """From now on this process reads the data set of a fingerprint from a file of
    :func:`fbench.benchmark.data.cache.write_whole`: where it was trained before, the data lie elsewhere."""
    _SENT[fingerprint] = file


def read_sent(file: Path) -> ImageDataset:
    """The data set of a file that was sent; its fingerprint is computed anew, of what is there.

    Raises:
        Exception: of :data:`fbench.benchmark.data.cache.DAMAGED`, where it is not whole.
    """
    with file.open("rb") as stream:
        return replace(read_whole(stream))  # a copy, without the fingerprint that was written with it


_SENT: Final[dict[str, Path]] = {}


@lru_cache(maxsize=2)
def _read_once(file: Path) -> ImageDataset:
    return read_sent(file)


@lru_cache(maxsize=2)
def _load_once(reference: str) -> ImageDataset:
    return load_dataset(parse_reference(reference))
