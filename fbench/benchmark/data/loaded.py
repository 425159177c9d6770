"""The data set of a specification, read once per process."""

from __future__ import annotations

from functools import lru_cache

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
    dataset = _load_once(str(data.reference))
    if dataset.fingerprint != data.fingerprint:
        raise UserError(
            f"The data set {data.name} has changed since this run was planned; put its files back, or give the same "
            "command with another --out."
        )
    return dataset


@lru_cache(maxsize=2)
def _load_once(reference: str) -> ImageDataset:
    return load_dataset(parse_reference(reference))
