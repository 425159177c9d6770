"""Which registered network a name, an alias or a wildcard pattern stands for."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from typing import Final

from fbench.core.errors import UserError, did_you_mean

WHERE_NAMES_ARE: Final = "`fbench list` prints all names; a network of your own comes with --plugin FILE.py."


def names_like(pattern: str, names: Sequence[str], aliases: Mapping[str, str]) -> list[str]:
    """The names that match a wildcard pattern, in their order; where none does, the name behind an alias like it."""
    found = fnmatch.filter(names, pattern)
    return found or [name for alias, name in aliases.items() if alias == pattern]


def meant(given: str, names: Sequence[str], aliases: Mapping[str, str]) -> str:
    """The name behind a name or alias.

    Raises:
        UserError: unknown; the closest name is suggested.
    """
    if given in names:
        return given
    if given in aliases:
        return aliases[given]
    hint = did_you_mean(given, [*names, *aliases])
    raise UserError(f"There is no architecture '{given}'.{hint} {WHERE_NAMES_ARE}")
