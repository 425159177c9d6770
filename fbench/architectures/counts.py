"""The counts of the registered networks against their contracts: the gate of ``fbench params --check``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fbench.architectures.builders import Description
from fbench.architectures.contract import (
    BUILT_IN_CONTRACT,
    USER_CONTRACT_NAME,
    ContractRow,
    Counts,
    built_in_contract,
    render_contract,
    user_contract,
    with_counts,
)
from fbench.architectures.listing import ListedNetwork
from fbench.architectures.registry import describe, loaded_names, resolve
from fbench.core.errors import UserError

if TYPE_CHECKING:
    from fbench.architectures.tracing.graph import NetworkTrace

NOT_REGISTERED = "has a row but is not registered; load its file with --plugin, or delete the row by hand"
COUNT_NAMES = ("trainable_params", "frozen_params", "bn_running_stats", "total_params_keras", "macs")


@dataclass(frozen=True)
class Drift:
    """One disagreement between a contract and the networks.

    Attributes:
        name: the network.
        contract: the file that the row is in, or belongs in.
        message: what was expected and what was found, in one line.
    """

    name: str
    contract: Path
    message: str


@dataclass(frozen=True)
class Counted:
    """What is counted of a network; ``missing`` has a line for each operation whose MACs are not in the counts."""

    counts: Counts
    missing: tuple[str, ...]


Count = Callable[[str], Counted]
"""As :func:`count`."""


def count(name: str) -> Counted:
    """Count a named network with its default options, on the meta device where that can be.

    Raises:
        UserError: the name is unknown, or the network cannot be built or run.
    """
    from fbench.architectures.building import build_and_trace  # imports torch

    traced = build_and_trace(resolve(name))[1]
    counts = Counts(traced.trainable_params, traced.bn_running_stats, traced.macs, traced.frozen_params)
    return Counted(counts, missing_macs(traced))


def check_contract(networks: Iterable[ListedNetwork], names: Sequence[str] = (), count: Count = count) -> list[Drift]:
    """Compare networks with their rows: fbench's own, and those of users with the contracts beside their code and the
    one in the working directory.

    Args:
        networks: all that are registered.
        names: the registered names that are compared; without any, all networks and all rows.
        count: counts a network, wherever its code may run.

    Raises:
        UserError: a user's contract cannot be read.
    """
    users = {one.name: one for one in networks if not one.built_in}
    own = loaded_names(built_in=True)
    places = {**dict.fromkeys(own, BUILT_IN_CONTRACT), **{name: one.contract for name, one in users.items()}}
    drifts: list[Drift] = []
    for path, rows in {BUILT_IN_CONTRACT: built_in_contract(), **_user_contracts(users.values())}.items():
        here = [name for name, place in places.items() if place == path]
        elsewhere = file_of_rows([name for name in rows if name not in places], path)
        wanted = [name for name in dict.fromkeys([*rows, *here]) if name not in elsewhere]
        for name in [name for name in wanted if not names or name in names]:
            drifts += _compare(name, rows.get(name), path, count) if name in here else [_stray(name, path, places)]
    return drifts


def file_of_rows(names: Iterable[str], contract: Path) -> dict[str, Path]:
    """The files beside a contract that speak of networks which are not registered, and so were not loaded: their rows
    are checked with these files, and not before."""
    texts = {file: file.read_text(encoding="utf-8", errors="replace") for file in sorted(contract.parent.glob("*.py"))}
    found: dict[str, Path] = {}
    for name in names:
        quoted = re.compile(rf"""["']{re.escape(name)}["']""")
        files = [file for file, text in texts.items() if quoted.search(text) and not file.name.startswith("test_")]
        found |= {name: files[0]} if files else {}
    return found


def unchecked_rows(networks: Iterable[ListedNetwork]) -> dict[str, Path]:
    """The rows of users' contracts whose network is in a file that was not loaded, each with that file."""
    users = {one.name: one for one in networks if not one.built_in}
    contracts = _user_contracts(users.values()).items()
    found = [file_of_rows([name for name in rows if name not in users], path) for path, rows in contracts]
    return {name: file for files in found for name, file in files.items()}


def rows_without_network(networks: Iterable[ListedNetwork]) -> dict[str, Path]:
    """The rows of users' contracts that no registered network and no file beside claims, each with its contract."""
    users = {one.name: one for one in networks if not one.built_in}
    found: dict[str, Path] = {}
    for path, rows in _user_contracts(users.values()).items():
        absent = [name for name in rows if name not in users]
        elsewhere = file_of_rows(absent, path)
        found |= {name: path for name in absent if name not in elsewhere}
    return found


def update_contract(networks: Iterable[ListedNetwork], names: Sequence[str] = (), count: Count = count) -> list[Path]:
    """Write the present counts of networks into their contracts; arguments as of :func:`check_contract`.

    Texts and printed figures of a row are kept; a network without a row gets one. A row whose network is
    gone is removed from the built-in contract, and kept in a user's, whose plug-in may not be loaded.

    Returns:
        The files that changed.

    Raises:
        UserError: a contract cannot be read or written, or, after all others were written, a network cannot be counted.
    """
    users = [one for one in networks if not one.built_in]
    built_in = loaded_names(built_in=True)
    kept = {name: row for name, row in built_in_contract().items() if name in built_in}
    about = {name: describe(name) for name in built_in} | {one.name: one.about for one in users}
    members = [
        (path, rows, [one.name for one in users if one.contract == path])
        for path, rows in _user_contracts(users).items()
    ]
    changed, failures = list[Path](), dict[str, str]()
    for path, rows, registered in [(BUILT_IN_CONTRACT, kept, built_in), *members]:
        updated = dict(rows)
        for name in [name for name in registered if not names or name in names]:
            try:
                updated[name] = with_counts(rows.get(name) or _new_row(name, about[name]), count(name).counts)
            except UserError as error:
                failures[name] = str(error)
        if updated and _write(path, render_contract(updated)):
            changed.append(path)
    built_in_contract.cache_clear()
    if failures:
        name, reason = next(iter(failures.items()))
        others = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        raise UserError(f"'{name}'{others} has no new counts, all others have: {reason}")
    return changed


def _user_contracts(users: Iterable[ListedNetwork]) -> dict[Path, Mapping[str, ContractRow]]:
    """The rows of each file that holds users' networks, or should, and of the one in the working directory."""
    paths = dict.fromkeys([*(one.contract for one in users), Path.cwd() / USER_CONTRACT_NAME])
    return {path: user_contract(path) for path in paths}


def _stray(name: str, path: Path, places: Mapping[str, Path]) -> Drift:
    """A row without its network, or in a file that is not its network's."""
    if name in places:
        return Drift(name, path, f"has a row here, and its contract is {places[name]}; move or delete the row")
    return Drift(name, path, NOT_REGISTERED)


def _compare(name: str, row: ContractRow | None, path: Path, count: Count) -> list[Drift]:
    try:
        found = count(name)
    except UserError as error:
        return [Drift(name, path, f"cannot be counted: {error}")]
    if row is None or row.counts is None:
        return [Drift(name, path, "has no counts in the contract; run `fbench params --update`")]
    return [
        Drift(name, path, f"{key}: contract {expected:,}, counted {counted:,} ({counted - expected:+,})")
        for key in COUNT_NAMES
        if (expected := getattr(row.counts, key)) != (counted := getattr(found.counts, key))
    ] + [Drift(name, path, f"macs: {reason}") for reason in found.missing]


def missing_macs(traced: NetworkTrace) -> tuple[str, ...]:
    """What of an image's multiply-accumulates is not in the count, a line for each operation."""
    return tuple(
        f"{one.operation} is not counted ({one.calls} call{'' if one.calls == 1 else 's'}); no formula is known for it"
        for one in traced.not_counted
        if not one.on_parameters
    )


def _new_row(name: str, about: Description) -> ContractRow:
    return ContractRow(
        name,
        None,
        paper=about.paper,
        role=about.role,
        description=about.description,
        aliases=about.aliases,
        open_choices=about.open_choices,
    )


def _write(path: Path, text: str) -> bool:
    """Write a contract when its text differs; whether it did."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    if path.is_symlink() and not path.exists():
        raise UserError(f"{path} is a link that leads nowhere; mend or delete it.")
    unfinished = path.with_name(f"{path.name}.unfinished")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise UserError(f"{path} cannot be written ({error.strerror}); check its permissions.") from error
    return True
