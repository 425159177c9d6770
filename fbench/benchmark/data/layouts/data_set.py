"""What the module of a data set declares: what is known of it, and the layouts in which it is found.

A module of its own has all that is said here of one data set, under the name ``DATA_SET``, and a line in the
catalogue leads to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fbench.benchmark.data.known import KnownData
from fbench.benchmark.data.source import DataReference, ResolvedReference

if TYPE_CHECKING:  # the catalogue's names come without NumPy
    from fbench.benchmark.data.dataset import ImageDataset


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
class Derived:
    """A data set that was found and is made of another one.

    ``source`` names the other one as ``--data`` does. ``require_source`` raises a UserError where that one is not fit,
    before it is read; ``make`` makes the data set of it.
    """

    source: str
    require_source: Callable[[DataReference], None]
    make: Callable[[ImageDataset], ImageDataset]


@dataclass(frozen=True)
class Layout:
    """One form of a data set; ``version`` rises when the same files (or the same seed) give another data set.

    ``find`` looks at a reference's path and returns what could be read there under its label and options, or None
    where the path is something else. A data set without a path is always found.
    """

    name: str
    version: int
    find: Callable[[ResolvedReference], Readable | Derived | None]


@dataclass(frozen=True)
class DataSet:
    """A data set by what is known of it, and its layouts, of which the first that finds something is read."""

    known: KnownData
    layouts: tuple[Layout, ...]
