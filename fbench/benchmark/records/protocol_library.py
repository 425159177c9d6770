"""Protocols by name or file. Those that come with fbench are TOML files in ``protocols/``.

A file with ``extends = "NAME"`` or ``extends = "FILE.toml"`` changes single fields of another protocol. A protocol that
differs from a named one has another name: its own, or one that tells the difference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.protocol_changes import derived, overlaid, split_changes, with_changes
from fbench.core.errors import UserError, did_you_mean
from fbench.core.paths import expanded
from fbench.core.schema import parse, read_toml

PROTOCOL_FOLDER: Final = Path(__file__).parent / "protocols"

MOST_EXTENDED: Final = 20


@dataclass(frozen=True)
class _Written:
    """The values of a protocol, whole, and the protocol that they extend; ``named`` is whether they have a name."""

    values: Mapping[str, Any]
    base: Protocol | None
    named: bool


def list_protocols() -> list[str]:
    """Names of the protocols that come with fbench."""
    return sorted(path.stem for path in PROTOCOL_FOLDER.glob("*.toml"))


def load_protocol(given: str) -> Protocol:
    """Load a protocol by name, or from a TOML file.

    A file with ``extends`` takes every field that it does not give from the protocol of that name, or of a file that
    lies beside it; tables are merged key by key, but for ``optimizer`` and ``schedule`` of another kind, which are
    replaced. A name may demand a version, as in ``fbench@1``. Changes of single settings may follow, as in
    ``fbench@1+learning_rate=0.0001``. What has no name of its own is named after its changes.

    Raises:
        UserError: the name is unknown or of another version, or the file is missing or has a wrong or unknown key.
    """
    return _load(given, Path(), ())


def changed(protocol: Protocol, changes: Mapping[str, Any]) -> Protocol:
    """The protocol with these settings, by key, under a name that tells them; itself where nothing changes.

    Raises:
        UserError: no protocol has such a setting, or such a value of it.
    """
    if not changes:
        return protocol
    base = _unchanged(protocol)
    values = with_changes(protocol.model_dump(mode="json", exclude_none=True), changes, protocol.name)
    values["description"] = base.description
    return derived(parse(Protocol, values, f"protocol {protocol.name}"), base)


def _unchanged(protocol: Protocol) -> Protocol:
    """The protocol that comes with fbench whose changes a name lists, so that a second change of a setting replaces the
    first; else the protocol itself."""
    start, *listed = protocol.name.split("+")
    if not listed or start.partition("@")[0] not in list_protocols():
        return protocol
    return load_protocol(start)


def _load(given: str, folder: Path, extending: tuple[str, ...]) -> Protocol:
    """The protocol that a file in ``folder`` means by a name or path; ``extending`` are the files on the way there."""
    start, changes = split_changes(given)
    written = _from_file(start, folder, extending) if start.endswith(".toml") else _shipped(start)
    protocol = parse(Protocol, written.values, start)
    if written.base is not None and not written.named:
        protocol = derived(protocol, written.base)
    elif protocol.name in list_protocols() and start.endswith(".toml"):
        protocol = derived(protocol, _load(protocol.name, folder, extending))
    return changed(protocol, changes)


def _from_file(given: str, folder: Path, extending: tuple[str, ...]) -> _Written:
    path = folder / expanded(given)
    if str(path) in extending or len(extending) >= MOST_EXTENDED:
        route = " -> ".join([*extending[-3:], str(path)])
        raise UserError(
            f"The protocol {given} extends itself, or more than {MOST_EXTENDED} others in turn ({route}); name the "
            "protocol that it is meant to change."
        )
    values = read_toml(path)
    if not isinstance(values.get("extends"), str):
        return _Written(values, None, "name" in values)
    base = _load(values["extends"], path.parent, (*extending, str(path)))
    own = {key: value for key, value in values.items() if key != "extends"}
    whole = overlaid(base.model_dump(mode="json", exclude_none=True), own)
    return _Written(whole, base, "name" in values)


def _shipped(given: str) -> _Written:
    names = list_protocols()
    name, _, version = given.partition("@")
    if name not in names:
        raise UserError(
            f"There is no protocol '{name}'.{did_you_mean(name, names)} "
            f"Allowed: {', '.join(names)}, or the path of a .toml file."
        )
    written = _from_file(f"{name}.toml", PROTOCOL_FOLDER, ())
    if version and version != str(written.values["version"]):
        raise UserError(f"There is no protocol '{given}'; '{name}' has version {written.values['version']} here.")
    return written
