"""Networks that other packages bring: announced by name as entry points, or known to a resolver by their own names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any, Final

from fbench.architectures.resolvers import other_name
from fbench.core.errors import UserError, reason_on_a_line

ENTRY_POINT_GROUP: Final = "fbench.architectures"


@dataclass(frozen=True)
class AnnouncedBuilder:
    """A builder that a package brought under a name; ``source`` is its identity where its text is not that."""

    build: Callable[..., Any]
    source: str | None = None
    description: str = ""


def is_announced(name: str) -> bool:
    """Whether an installed package announces a network of this name, or one of its name is known to a resolver, so that
    any process can load it."""
    return name in entry_points() or other_name(name) is not None


def announced_names() -> tuple[str, ...]:
    """The names that installed packages announce."""
    return tuple(entry_points())


def module_of(name: str) -> str:
    """The module in which an installed package announces a name, or the package that a resolver takes it from; else
    empty."""
    if name in entry_points():
        return entry_points()[name].module
    found = other_name(name)
    return "" if found is None else found.resolver.package


def load_announced(name: str) -> AnnouncedBuilder | None:
    """Import what brings an announced network; its builder, unless the import itself registers it.

    Raises:
        UserError: the package raises, is not installed, or has no such network.
    """
    if (found := other_name(name)) is not None:
        builder, version = found.builder(), found.version
        return AnnouncedBuilder(builder, hashlib.sha256(f"{version} {found.name}".encode()).hexdigest(), version)
    point = entry_points()[name]
    try:
        loaded = point.load()
    except Exception as error:
        raise UserError(
            f"The package behind '{name}' ({point.value}) raised {reason_on_a_line(error)}; mend it."
        ) from error
    return AnnouncedBuilder(loaded) if callable(loaded) else None


@cache
def entry_points() -> dict[str, metadata.EntryPoint]:
    """Names announced by installed packages; found once, because the search takes 8 ms."""
    return {point.name: point for point in metadata.entry_points(group=ENTRY_POINT_GROUP)}
