"""Values of plain Python as JSON and back to equal values of the same types; no code is ever read from a file.

JSON has no tuples, no keys but strings and no infinity, so whatever it lacks is an object with one key, its kind.
"""

from __future__ import annotations

import base64
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch


class NotPlainError(TypeError):
    """A value is of a class that only pickle could keep; the message names it."""


def to_json(value: object, keep: Callable[[torch.Tensor], str]) -> Any:
    """``value`` as JSON; ``keep`` stores a tensor that is part of it and returns the name of its place.

    Kept are None, numbers, strings, bytes, tensors, NumPy arrays and scalars of numbers, dtypes and sizes of torch, and
    lists, tuples, sets and dictionaries of such values.

    Raises:
        NotPlainError: the value is of another class, a subclass of one of these included, or holds such a value.
    """
    kind = type(value)
    if value is None or kind in (bool, str):
        return value
    if isinstance(value, int) and kind is int:
        return value if abs(value) < 2**63 else {"int": hex(value)}  # Python reads no number of 4,301 digits
    if isinstance(value, float) and kind is float:
        return value if math.isfinite(value) else {"float": str(value)}
    if kind is list:
        return [to_json(entry, keep) for entry in value]  # type: ignore[attr-defined] # a list
    if kind in _SEQUENCES:
        return {_SEQUENCES[kind]: [to_json(entry, keep) for entry in value]}  # type: ignore[attr-defined] # a sequence
    if kind in _MAPPINGS:
        return {_MAPPINGS[kind]: [[to_json(one, keep) for one in pair] for pair in value.items()]}  # type: ignore[attr-defined] # a mapping
    if isinstance(value, torch.Tensor):
        return {"tensor": keep(value)}
    if isinstance(value, np.ndarray) and kind is np.ndarray and value.dtype.kind in "biufc":
        return {"array": keep(torch.from_numpy(value.copy()))}
    if isinstance(value, np.generic) and value.dtype.kind in "biufc":
        return {"array": keep(torch.from_numpy(np.array(value)))}  # read back as an array of no dimension
    if isinstance(value, complex) and kind is complex:
        return {"complex": [to_json(value.real, keep), to_json(value.imag, keep)]}
    if isinstance(value, bytes | bytearray) and kind in (bytes, bytearray):
        return {kind.__name__: base64.b64encode(value).decode()}
    if isinstance(value, torch.dtype):
        return {"dtype": str(value).removeprefix("torch.")}
    raise NotPlainError(f"an object of class {kind.__qualname__}")


def from_json(value: Any, tensors: Mapping[str, torch.Tensor]) -> Any:
    """What :func:`to_json` was given; ``tensors`` are those that it kept, by the names of their places.

    Raises:
        ValueError: it is not what :func:`to_json` returns.
    """
    if isinstance(value, list):
        return [from_json(entry, tensors) for entry in value]
    if not isinstance(value, dict):
        return value
    if len(value) != 1:
        raise ValueError("a value in the metadata has no kind")
    ((kind, held),) = value.items()
    if kind not in _READERS:
        raise ValueError(f"a value in the metadata is of the unknown kind '{kind}'")
    return _READERS[kind](held, tensors)


def dtype_named(name: str) -> torch.dtype:
    """The dtype of torch that is called so.

    Raises:
        ValueError: there is none.
    """
    found = getattr(torch, name, None)
    if isinstance(found, torch.dtype):
        return found
    raise ValueError(f"torch {torch.__version__} has no dtype '{name}'")


_SEQUENCES: dict[type, str] = {tuple: "tuple", torch.Size: "size", set: "set", frozenset: "frozenset"}
_MAPPINGS: dict[type, str] = {dict: "dict", OrderedDict: "ordered_dict"}
_Tensors = Mapping[str, torch.Tensor]


def _sequence(make: Callable[[Any], Any]) -> Callable[[Any, _Tensors], Any]:
    return lambda held, tensors: make(from_json(entry, tensors) for entry in held)


def _mapping(make: Callable[[Any], Any]) -> Callable[[Any, _Tensors], Any]:
    return lambda held, tensors: make(tuple(from_json(one, tensors) for one in pair) for pair in held)


_READERS: dict[str, Callable[[Any, _Tensors], Any]] = {
    **{name: _sequence(make) for make, name in _SEQUENCES.items()},
    **{name: _mapping(make) for make, name in _MAPPINGS.items()},
    "int": lambda held, _: int(held, 16),
    "float": lambda held, _: float(held),
    "complex": lambda held, tensors: complex(*(from_json(part, tensors) for part in held)),
    "bytes": lambda held, _: base64.b64decode(held),
    "bytearray": lambda held, _: bytearray(base64.b64decode(held)),
    "dtype": lambda held, _: dtype_named(held),
    "tensor": lambda held, tensors: tensors[held],
    "array": lambda held, tensors: tensors[held].numpy(),
}
