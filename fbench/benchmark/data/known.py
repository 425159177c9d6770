"""What is known of a data set before it is read: what it is, where people get it, and what it expects on disk."""

from __future__ import annotations

from fbench.benchmark.data.options import COPIES, DataOption
from fbench.core.schema import FrozenModel


class KnownData(FrozenModel):
    """One name that ``--data`` accepts.

    ``expects`` says in a clause what its path must be, none where it has no path; ``tree`` shows it. ``obtain`` and
    ``licence`` are a line each. ``is_binary`` says that its file is an npz file. ``options`` are those of its own and
    those that every data set takes. ``images_of`` names the data set whose images these are too, under other labels.
    """

    name: str
    summary: str
    obtain: str
    licence: str
    expects: str | None
    tree: tuple[str, ...] = ()
    may_show_images: bool = False
    is_binary: bool = False
    own_options: tuple[DataOption, ...] = ()
    images_of: str = ""

    @property
    def takes_path(self) -> bool:
        """Whether the data set is read from a place that the user names."""
        return self.expects is not None

    @property
    def options(self) -> tuple[DataOption, ...]:
        """All options that may follow the name."""
        return (*self.own_options, COPIES)
