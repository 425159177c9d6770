"""The counts of the registered networks against their contracts: the gate of ``fbench params --check``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

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
from fbench.architectures.registry import describe, loaded_names, resolve
from fbench.core.errors import UserError

if TYPE_CHECKING:
    from fbench.architectures.tracing.graph import NetworkTrace

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

NOBODY: Final[Mapping[str, Description]] = MappingProxyType({})


def count(name: str) -> Counted:
    """Count a named network with its default options, on the meta device where that can be.

    Raises:
        UserError: the name is unknown, or the network cannot be built or run.
    """
    from fbench.architectures.building import build_and_trace  # imports torch

    traced = build_and_trace(resolve(name))[1]
    counts = Counts(traced.trainable_params, traced.bn_running_stats, traced.macs, traced.frozen_params)
    return Counted(counts, missing_macs(traced))


def check_contract(
    names: Sequence[str] = (), users: Mapping[str, Description] = NOBODY, count: Count = count
) -> list[Drift]:
    """Compare networks with their rows: fbench's own, and those of users with ``fbench_contract.toml`` in the working
    directory.

    Args:
        names: the registered names that are compared; without any, all networks and all rows.
        users: the users' networks, with what is said of them.
        count: counts a network, wherever its code may run.

    Raises:
        UserError: the user's contract cannot be read.
    """
    drifts: list[Drift] = []
    for rows, path, registered in (
        (built_in_contract(), BUILT_IN_CONTRACT, loaded_names(built_in=True)),
        (user_contract(), Path.cwd() / USER_CONTRACT_NAME, list(users)),
    ):
        every = list(dict.fromkeys([*rows, *registered]))
        for name in [name for name in every if not names or name in names]:
            drifts += _compare(name, rows.get(name), path, count if name in registered else None)
    return drifts


def update_contract(
    names: Sequence[str] = (), users: Mapping[str, Description] = NOBODY, count: Count = count
) -> list[Path]:
    """Write the present counts of networks into their contracts; arguments as of :func:`check_contract`.

    Texts and printed figures of a row are kept; a network without a row gets one. A row whose network is
    gone is removed from the built-in contract, and kept in the user's, whose plug-in may not be loaded.

    Returns:
        The files that changed.

    Raises:
        UserError: a contract cannot be read, the built-in one cannot be written, or, after all others were written, a
            network cannot be counted.
    """
    built_in = loaded_names(built_in=True)
    kept = {name: row for name, row in built_in_contract().items() if name in built_in}
    changed, failures = list[Path](), dict[str, str]()
    for rows, registered, path in (
        (kept, {name: describe(name) for name in built_in}, BUILT_IN_CONTRACT),
        (dict(user_contract()), users, Path.cwd() / USER_CONTRACT_NAME),
    ):
        updated = dict(rows)
        for name in [name for name in registered if not names or name in names]:
            try:
                updated[name] = with_counts(rows.get(name) or _new_row(name, registered[name]), count(name).counts)
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


def _compare(name: str, row: ContractRow | None, path: Path, count: Count | None) -> list[Drift]:
    if count is None:
        return [Drift(name, path, "has a row but is not registered; load it with --plugin or delete the row")]
    if row is None or row.counts is None:
        return [Drift(name, path, "has no counts in the contract; run `fbench params --update`")]
    try:
        found = count(name)
    except UserError as error:
        return [Drift(name, path, f"cannot be counted: {error}")]
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
