"""A protocol that differs from a named one, and the name that says in what: ``fbench@1+learning_rate=0.0001``.

Settings are called by their key alone where no other table has it, else with their table: ``stopping.patience``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, get_args

from pydantic import BaseModel

from fbench.benchmark.records.protocol import JUDGING, WORDS, Augmentation, Protocol
from fbench.core.errors import UserError, did_you_mean

MOST_LETTERS: Final = 100
"""A longer list of changes stands in a name as their number and digest, as names are those of folders too."""

NO_AUGMENTATION: Final = ("augmentation", "none")
"""The change of all settings of a table at once."""

_UNNAMED: Final = ("name", "version", *WORDS)
_SEPARATOR: Final = re.compile(r"\+(?=[A-Za-z_][\w.]*=)")


def split_changes(given: str) -> tuple[str, dict[str, Any]]:
    """The name or path in front, and the settings behind it by key; values as JSON where they read as such.

    Raises:
        UserError: a setting is changed twice.
    """
    base, *parts = _SEPARATOR.split(given)
    changes: dict[str, Any] = {}
    for part in parts:
        key, _, text = part.partition("=")
        if key in changes:
            raise UserError(f"The protocol '{given}' changes {key} twice; give it once.")
        try:
            changes[key] = json.loads(text)
        except json.JSONDecodeError:
            changes[key] = text
    return base, changes


def with_changes(values: Mapping[str, Any], changes: Mapping[str, Any], given: str) -> dict[str, Any]:
    """The values of a protocol's file with these settings in their tables.

    Raises:
        UserError: no protocol has a setting of this name.
    """
    nested: dict[str, Any] = {}
    for key, value in changes.items():
        if (key, value) == NO_AUGMENTATION:
            nested["augmentation"] = Augmentation().model_dump()
            continue
        *tables, field = _place(key, given).split(".")
        inner = nested
        for table in tables:
            inner = inner.setdefault(table, {})
        inner[field] = value
    return _without_none(overlaid(values, nested))


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    """A setting of a table that is changed to none is gone."""
    return {
        key: _without_none(value) if isinstance(value, dict) else value
        for key, value in values.items()
        if value is not None
    }


def overlaid(base: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with those of ``values`` over them, table by table; a table of another ``kind`` is replaced whole."""
    result = dict(base)
    for key, value in values.items():
        old = base.get(key)
        same_kind = (
            isinstance(old, dict) and isinstance(value, dict) and old.get("kind") == value.get("kind", old.get("kind"))
        )
        result[key] = overlaid(old, value) if same_kind else value  # type: ignore[arg-type] # same_kind means a dict
    return result


def derived(protocol: Protocol, base: Protocol) -> Protocol:
    """The protocol under a name that tells how it differs from ``base``; under that of ``base`` where it does not."""
    ours, theirs = dict(_flat(_settings(protocol))), dict(_flat(_settings(base)))
    changes = {key: value for key, value in ours.items() if key not in theirs or theirs[key] != value}
    gone = [key for key in theirs if key not in ours and not _under(key, changes)]
    if protocol.augmentation == Augmentation() != base.augmentation:
        changes = {key: value for key, value in changes.items() if not key.startswith("augmentation.")}
        changes |= dict([NO_AUGMENTATION])
    words = [f"{_short(key)}={_text(value)}" for key, value in changes.items()]
    words += [f"{_short(key)}=null" for key in gone]
    if not words:  # the rule by which trials are judged, which is no part of their ids, may differ all the same
        return protocol.model_copy(update={"name": base.name, "version": base.version})
    start, listed = f"{base.name}@{base.version}" if "+" not in base.name else base.name, "+".join(words)
    if len(listed) > MOST_LETTERS:
        listed = f"{len(words)}_changes_{hashlib.sha256(listed.encode()).hexdigest()[:8]}"
    described = protocol.description if protocol.description != base.description else ""
    return protocol.model_copy(
        update={
            "name": f"{start}+{listed}",
            "version": base.version,
            "description": described or f"As {start}, but for {', '.join(words)}.",
        }
    )


def _settings(protocol: Protocol) -> dict[str, Any]:
    return protocol.model_dump(mode="json", exclude={*_UNNAMED, *JUDGING})


def _flat(values: Mapping[str, Any], start: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting by its tables and key; what is none is left out, as TOML cannot say it."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{start}{key}.")
        elif value is not None:
            yield f"{start}{key}", value


def _under(key: str, changes: Mapping[str, Any]) -> bool:
    """Whether a table of this key has become one of another kind, of which its own settings are gone by themselves."""
    return f"{key.rpartition('.')[0]}.kind" in changes


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


def _short(key: str) -> str:
    """The key alone where it names one setting."""
    name = key.rpartition(".")[2]
    return name if _tables().get(name) == (key,) else key


def _place(key: str, given: str) -> str:
    """Tables and key of a setting.

    Raises:
        UserError: there is none, or several, of this name.
    """
    known = _tables()
    table = key.partition(".")[0]
    if "." in key and table in Protocol.model_fields:
        return key
    places = known.get(key, ())
    if len(places) == 1:
        return places[0]
    if places:
        raise UserError(f"'{key}' of the protocol '{given}' is a setting of {' and '.join(places)}; give one of these.")
    raise UserError(
        f"The protocol '{given}' changes '{key}', which is no setting.{did_you_mean(key, known)} "
        "`fbench new-protocol NAME` writes a file with all of them."
    )


@cache
def _tables() -> dict[str, tuple[str, ...]]:
    """Where a protocol has settings of a name."""
    found: dict[str, dict[str, None]] = {}
    for field, info in Protocol.model_fields.items():
        if field in _UNNAMED:
            continue
        models = [part for part in _parts(info.annotation) if isinstance(part, type) and issubclass(part, BaseModel)]
        names = [f"{field}.{inner}" for model in models for inner in model.model_fields] or [field]
        for name in names:
            found.setdefault(name.rpartition(".")[2], {})[name] = None
    return {name: tuple(places) for name, places in found.items()}


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)
