"""A run's files as a bundle has them: without names of images and subjects, and what tells of a place or person.

A file in which nothing of that stands is taken byte by byte.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from fbench.benchmark.bundles.private_texts import without_private
from fbench.core.bounded import json_in

_MACHINE_FIELD = "machine"
"""Says nothing of a single machine, and has words that may be somebody's name."""


def stripped(name: str, content: bytes, own_names: Sequence[str], trial_ids: Collection[str]) -> bytes:
    """A file of a run as it goes into a bundle.

    Args:
        name: of the file, from the run's folder.
        content: of the file.
        own_names: words that are taken out of sentences, as those of this machine and its user.
        trial_ids: of the bundle; a reading of the test split by another trial is counted without its network's name.

    Raises:
        ValueError: it is none of a run.
    """
    if name.endswith(".json"):
        values = json_in(content)
        found = _without_private(values, own_names)
        return content if found == values else f"{json.dumps(found, indent=1)}\n".encode()
    if name.endswith(".jsonl"):
        return _readings(content, own_names, trial_ids)
    if name.endswith(".toml"):
        return "\n".join(without_private(line, own_names) for line in content.decode().split("\n")).encode()
    return content


def _readings(content: bytes, own_names: Sequence[str], trial_ids: Collection[str]) -> bytes:
    lines = []
    for line in content.decode().splitlines():
        values = _without_private(json_in(line.encode()), own_names)
        if values.get("trial_id") not in trial_ids:
            values.pop("network", None)
        lines.append(json.dumps(values, sort_keys=True) + "\n")
    return "".join(lines).encode()


def _without_private(value: Any, own_names: Sequence[str]) -> Any:
    """A value of JSON without what is private; what is nobody's stays the very same."""
    if isinstance(value, str):
        return without_private(value, own_names)
    if isinstance(value, list):
        return [_without_private(entry, own_names) for entry in value]
    if not isinstance(value, dict):
        return value
    found = {
        name: _without_private(entry, () if name == _MACHINE_FIELD else own_names) for name, entry in value.items()
    }
    return found | _unnamed(found)


def _unnamed(values: dict[str, Any]) -> dict[str, Any]:
    """Numbers in the place of names: of images that a data set leaves out, and of subjects on several sides of it."""
    if values.keys() == {"reason", "names"}:
        return {"names": [str(number) for number, _ in enumerate(values["names"], 1)]}
    if values.keys() == {"reason", "count", "examples"}:
        return {"examples": []}
    if isinstance(sides := values.get("subjects_on_both_sides"), list):
        return {"subjects_on_both_sides": [one | {"subject": str(number)} for number, one in enumerate(sides, 1)]}
    return {}
