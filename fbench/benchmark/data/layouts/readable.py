"""What a layout's function returns for a path that it knows: something that can be read, and told from others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.source import DataReference


@dataclass(frozen=True)
class Readable:
    """A data set that was found and not yet read.

    ``key`` identifies the content that was found, or is None where a cache must not be trusted; ``key_now``
    looks again; ``read`` reads the data set.
    """

    key: str | None
    key_now: Callable[[], str | None]
    read: Callable[[], ImageDataset]


@dataclass(frozen=True)
class Layout:
    """One way in which data lie on disk; ``version`` rises when the same files give another data set.

    ``find`` looks at a path and returns what could be read there under the reference's name and options, or None
    where the path is something else.
    """

    name: str
    version: int
    find: Callable[[DataReference, Path], Readable | None]
