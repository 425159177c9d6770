"""The contract: what every named network counts, what its paper states, and what the paper leaves open.

``contract.toml`` in this package holds the built-in networks; a user's own networks have theirs in
``fbench_contract.toml`` beside their code, with the same keys. Reading needs no torch, so the names
that ``fbench list`` prints come from here. Only what cannot be derived is stored: totals, differences and the
status of a network without a printed figure are computed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from fbench.core.bounded import MOST_TOML_BYTES, parse_toml, read_text
from fbench.core.errors import UserError, did_you_mean

BUILT_IN_CONTRACT = Path(__file__).with_name("contract.toml")
USER_CONTRACT_NAME = "fbench_contract.toml"

_BARE_KEY = re.compile("[A-Za-z0-9_-]+")
"""What TOML takes as a key without quotes."""

_HEADER = """\
# Parameter contract. Counts hold at 1x48x48 (channels, height, width), 7 classes, batch 1, with tolerance 0:
#   trainable_params  elements of parameters() that require a gradient: weights, biases, BN scale and shift
#   frozen_params     elements of those that require none; left out where there are none
#   bn_running_stats  elements of BN running mean and variance; a Keras summary adds them to its total
#   macs              multiply-accumulates for one image: convolution, linear layers, attention, recurrent cells
# `fbench params --check` compares every network with its row; `fbench params --update` rewrites the three
# counts. The other keys are kept by hand. stated_* are the paper's printed figures, rounded by it to
# stated_precision.
"""


@dataclass(frozen=True)
class Counts:
    """What is counted of a network at its default input, exactly."""

    trainable_params: int
    bn_running_stats: int
    macs: int
    frozen_params: int = 0

    @property
    def total_params_keras(self) -> int:
        """All parameters and BN running statistics: the total of a Keras summary."""
        return self.trainable_params + self.frozen_params + self.bn_running_stats


@dataclass(frozen=True)
class ContractRow:
    """One network's row; ``counts`` is None in a row that was written by hand and not yet updated."""

    name: str
    counts: Counts | None
    paper: str = ""
    role: str = ""
    description: str = ""
    aliases: tuple[str, ...] = ()
    paper_row: str = ""
    stated_total: int | None = None
    stated_trainable: int | None = None
    stated_precision: int = 1
    status: str = "derived"
    reason: str = ""
    open_choices: tuple[str, ...] = ()

    @property
    def difference_from_stated(self) -> int | None:
        """Our Keras-convention total minus the printed one, or None where the paper prints none."""
        if self.counts is None or self.stated_total is None:
            return None
        return self.counts.total_params_keras - self.stated_total

    @property
    def trainable_difference_from_stated(self) -> int | None:
        """Our trainable count minus the printed one, or None where the paper prints none."""
        if self.counts is None or self.stated_trainable is None:
            return None
        return self.counts.trainable_params - self.stated_trainable

    def to_json(self) -> dict[str, Any]:
        """The counts and what is printed of them, with what is derived from both."""
        counts = self.counts
        return {
            "name": self.name,
            "trainable_params": counts.trainable_params if counts else None,
            "bn_running_stats": counts.bn_running_stats if counts else None,
            "total_params_keras": counts.total_params_keras if counts else None,
            "macs": counts.macs if counts else None,
            "stated_total": self.stated_total,
            "stated_trainable": self.stated_trainable,
            "stated_precision": self.stated_precision if self.stated_total is not None else None,
            "difference_from_stated": self.difference_from_stated,
            "trainable_difference_from_stated": self.trainable_difference_from_stated,
            "status": self.status,
            "reason": self.reason,
        }


_COUNT_KEYS = ("trainable_params", "bn_running_stats", "macs")
_OPTIONAL_COUNT_KEYS = ("frozen_params",)
_TEXT_KEYS = ("paper", "role", "description", "paper_row", "status", "reason")
_NUMBER_KEYS = ("stated_total", "stated_trainable", "stated_precision")
_LIST_KEYS = ("aliases", "open_choices")
_BEFORE_COUNTS = ("description", "paper", "role", "aliases")
_AFTER_COUNTS = ("paper_row", *_NUMBER_KEYS, "status", "reason", "open_choices")
_KEYS = (*_BEFORE_COUNTS, *_COUNT_KEYS, *_OPTIONAL_COUNT_KEYS, *_AFTER_COUNTS)
"""The order in which a row is written."""


@cache
def built_in_contract() -> Mapping[str, ContractRow]:
    """The rows of the built-in networks by name, in the file's order."""
    return read_contract(BUILT_IN_CONTRACT)


def user_contract(path: Path | None = None) -> Mapping[str, ContractRow]:
    """The rows of a user's contract (default: ``fbench_contract.toml`` in the working directory); empty where it is
    missing.

    Raises:
        UserError: the file is not a contract.
    """
    path = path or Path.cwd() / USER_CONTRACT_NAME
    return read_contract(path) if path.exists() else {}


def read_contract(path: Path) -> dict[str, ContractRow]:
    """Read a contract.

    Raises:
        UserError: the file is not TOML, or a row has an unknown key or a value of the wrong type.
    """
    try:
        tables = parse_toml(read_text(path, MOST_TOML_BYTES))
    except (OSError, ValueError) as error:
        raise UserError(f"{path} cannot be read as a contract ({error}); mend or delete it.") from error
    return {name: _row(path, name, table) for name, table in tables.items()}


def _row(path: Path, name: str, table: object) -> ContractRow:
    if not isinstance(table, dict):
        raise UserError(f"{path}: '{name}' is {table!r}; give a table such as [{name}].")
    for key, value in table.items():
        if key not in _KEYS:
            raise UserError(f"{path}: '{name}' has the unknown key '{key}'.{did_you_mean(key, _KEYS)}")
        if not _has_right_type(key, value):
            raise UserError(f"{path}: '{key}' of '{name}' is {value!r}; give {_expected(key)}.")
    counts = (*_COUNT_KEYS, *_OPTIONAL_COUNT_KEYS)
    given = {key: table[key] for key in counts if key in table}
    if given and not given.keys() >= set(_COUNT_KEYS):
        missing = next(key for key in _COUNT_KEYS if key not in given)
        raise UserError(f"{path}: '{name}' lacks '{missing}'; run `fbench params --update`.")
    rest: dict[str, Any] = {key: value for key, value in table.items() if key not in counts}
    rest |= {key: tuple(rest[key]) for key in _LIST_KEYS if key in rest}
    return ContractRow(name=name, counts=Counts(**given) if given else None, **rest)


def _has_right_type(key: str, value: object) -> bool:
    if key in _TEXT_KEYS:
        return isinstance(value, str)
    if key in _LIST_KEYS:
        return isinstance(value, list) and all(isinstance(entry, str) for entry in value)
    return isinstance(value, int) and not isinstance(value, bool)


def _expected(key: str) -> str:
    if key in _TEXT_KEYS:
        return "text"
    return "a list of texts" if key in _LIST_KEYS else "a whole number"


def with_counts(row: ContractRow, counts: Counts) -> ContractRow:
    """The same row with other counts."""
    return replace(row, counts=counts)


def render_contract(rows: Mapping[str, ContractRow]) -> str:
    """The text of a contract file; ``read_contract`` gives the same rows back."""
    return _HEADER + "".join(_render_row(row) for row in rows.values())


def _render_row(row: ContractRow) -> str:
    defaults = ContractRow(name=row.name, counts=None)
    name = row.name if _BARE_KEY.fullmatch(row.name) else json.dumps(row.name, ensure_ascii=False)
    lines = [f"\n[{name}]"]
    for key in _KEYS:
        if key in (*_COUNT_KEYS, *_OPTIONAL_COUNT_KEYS):
            count = None if row.counts is None else getattr(row.counts, key)
            if count or (count == 0 and key in _COUNT_KEYS):
                lines.append(f"{key} = {count}")
            continue
        value = getattr(row, key)
        if value != getattr(defaults, key):
            lines.append(f"{key} = {_render_value(value)}")
    return "\n".join(lines) + "\n"


def _render_value(value: str | int | tuple[str, ...]) -> str:
    """A JSON string is a TOML string; a list has one entry a line."""
    if isinstance(value, tuple):
        return "[\n" + "".join(f"    {json.dumps(entry, ensure_ascii=False)},\n" for entry in value) + "]"
    return json.dumps(value, ensure_ascii=False)
