"""The counts of the registered networks against their contracts: the gate of ``fbench params --check``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fbench.architectures.building import build_and_trace
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
from fbench.architectures.registry import (
    canonical_name,
    describe,
    loaded_names,
    resolve,
)
from fbench.architectures.tracing.graph import NetworkTrace
from fbench.core.errors import UserError

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


def count(name: str) -> Counts:
    """The counts of a named network with its default options, built on the meta device.

    Raises:
        UserError: the name is unknown.
    """
    return _counts(build_and_trace(resolve(name))[1])


def check_contract(names: Sequence[str] = ()) -> list[Drift]:
    """Compare the named networks with their rows; without names, all loaded networks and all rows.

    The user's networks are compared with ``fbench_contract.toml`` in the working directory.

    Raises:
        UserError: a name is unknown, or the user's contract cannot be read.
    """
    user_file = Path.cwd() / USER_CONTRACT_NAME
    wanted = {canonical_name(name) for name in names}
    drifts: list[Drift] = []
    for rows, path, registered in (
        (built_in_contract(), BUILT_IN_CONTRACT, loaded_names(built_in=True)),
        (user_contract(), user_file, _user_names(names)),
    ):
        every = list(dict.fromkeys([*rows, *registered]))
        for name in [name for name in every if not wanted or name in wanted]:
            drifts += _compare(name, rows.get(name), path, name in registered)
    return drifts


def update_contract(names: Sequence[str] = ()) -> list[Path]:
    """Write the present counts of the named networks (default: all loaded) into their contracts.

    Texts and printed figures of a row are kept; a network without a row gets one. A row whose network is
    gone is removed from the built-in contract, and kept in the user's, whose plug-in may not be loaded.

    Returns:
        The files that changed.

    Raises:
        UserError: a name is unknown, a contract cannot be read, the built-in one cannot be written, or, after all
            others were written, a network cannot be counted.
    """
    wanted = {canonical_name(name) for name in names}
    built_in = loaded_names(built_in=True)
    kept = {name: row for name, row in built_in_contract().items() if name in built_in}
    changed, failures = list[Path](), dict[str, str]()
    for rows, registered, path in (
        (kept, built_in, BUILT_IN_CONTRACT),
        (dict(user_contract()), _user_names(names), Path.cwd() / USER_CONTRACT_NAME),
    ):
        chosen = [name for name in registered if not wanted or name in wanted]
        updated = {**rows, **_updated_rows(chosen, rows, failures)}
        if updated and _write(path, render_contract(updated)):
            changed.append(path)
    built_in_contract.cache_clear()
    if failures:
        name, reason = next(iter(failures.items()))
        others = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        raise UserError(f"'{name}'{others} has no new counts, all others have: {reason}")
    return changed


def _user_names(names: Sequence[str]) -> list[str]:
    """Networks of the user's that are loaded, and those of installed packages that are asked for by name."""
    asked = [resolve(name).name for name in names]
    others = [name for name in asked if name not in built_in_contract()]
    return list(dict.fromkeys([*loaded_names(built_in=False), *others]))


def _compare(name: str, row: ContractRow | None, path: Path, registered: bool) -> list[Drift]:
    if not registered:
        return [Drift(name, path, "has a row but is not registered; load it with --plugin or delete the row")]
    if row is None or row.counts is None:
        return [Drift(name, path, "has no counts in the contract; run `fbench params --update`")]
    try:
        traced = build_and_trace(resolve(name))[1]
    except UserError as error:
        return [Drift(name, path, f"cannot be counted: {error}")]
    found = _counts(traced)
    return [
        Drift(name, path, f"{key}: contract {expected:,}, counted {counted:,} ({counted - expected:+,})")
        for key in COUNT_NAMES
        if (expected := getattr(row.counts, key)) != (counted := getattr(found, key))
    ] + [Drift(name, path, f"macs: {reason}") for reason in missing_macs(traced)]


def missing_macs(traced: NetworkTrace) -> list[str]:
    """What of an image's multiply-accumulates is not in the count, a line for each operation."""
    return [
        f"{one.operation} is not counted ({one.calls} call{'' if one.calls == 1 else 's'}); no formula is known for it"
        for one in traced.not_counted
        if not one.on_parameters
    ]


def _counts(traced: NetworkTrace) -> Counts:
    return Counts(traced.trainable_params, traced.bn_running_stats, traced.macs, traced.frozen_params)


def _updated_rows(
    names: Sequence[str], rows: Mapping[str, ContractRow], failures: dict[str, str]
) -> dict[str, ContractRow]:
    """The rows of networks with their present counts; one that cannot be counted is noted among the failures."""
    updated = {}
    for name in names:
        try:
            updated[name] = _updated_row(name, rows.get(name))
        except UserError as error:
            failures[name] = str(error)
    return updated


def _updated_row(name: str, row: ContractRow | None) -> ContractRow:
    if row is None:
        about = describe(name)
        row = ContractRow(
            name,
            None,
            paper=about.paper,
            role=about.role,
            description=about.description,
            aliases=about.aliases,
            open_choices=about.open_choices,
        )
    return with_counts(row, count(name))


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
