"""The state of a network as a safetensors file: whatever a ``state_dict`` holds that needs no pickle.

A safetensors file knows tensors by name, each with its own memory. What it cannot say is in its metadata, as JSON under
:data:`STATE_KEY`: names whose tensor is that of another name, tensors whose numbers are stored as others (complex,
expanded, sparse, of a dtype that the format lacks), and values that are no tensors (``get_extra_state``). A state that
needs none of it is a plain file, as any other program writes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from fbench.benchmark.store.plain_values import NotPlainError, dtype_named, from_json, to_json
from fbench.benchmark.store.safetensors_size import MOST_WEIGHTS_BYTES
from fbench.core.bounded import parse_json, read_bytes
from fbench.core.contained import ContainedPath
from fbench.core.errors import message_of, reason_of

STATE_KEY: Final = "fbench.state"
_RESERVED: Final = "__metadata__"
_STORED: Final = (
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
)
"""The dtypes of every version of the format; a tensor of another is stored as its bytes."""
_COMPRESSED: Final = {
    torch.sparse_csr: ("crow_indices", "col_indices"),
    torch.sparse_bsr: ("crow_indices", "col_indices"),
    torch.sparse_csc: ("ccol_indices", "row_indices"),
    torch.sparse_bsc: ("ccol_indices", "row_indices"),
}


_UNREADABLE: Final = (
    *(SafetensorError, OSError, ValueError, KeyError, IndexError, TypeError, AttributeError),
    *(RuntimeError, StopIteration, OverflowError, MemoryError),
)
"""What files and notes that nobody of us wrote may raise on their way to tensors."""


class WeightsError(Exception):
    """A state cannot be kept, or a file holds none; the message says which part of it and why."""


def encode_state(state: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> bytes:
    """The content of a safetensors file with this ``state_dict`` and further ``metadata``.

    Raises:
        WeightsError: naming the first part that cannot be kept, and why.
    """
    writer = _Writer(set(state))
    name_of: dict[object, str] = {}
    for name, value in state.items():
        if not isinstance(value, torch.Tensor):
            writer.keep_value(name, value)
        elif (stored_name := _memory(value)) is not None and stored_name in name_of:
            writer.notes["shared"][name] = name_of[stored_name]
        else:
            name_of[stored_name or name] = name
            writer.keep_tensor(name, name, value)
    strings = dict(metadata or {})
    if _RESERVED in writer.tensors:
        raise WeightsError(f"the safetensors format has no place for a tensor called '{_RESERVED}'")
    try:
        if notes := {kind: entries for kind, entries in writer.notes.items() if entries}:
            strings[STATE_KEY] = json.dumps(notes)
            parse_json(strings[STATE_KEY])  # what is nested too deeply could not be read again
        return save(writer.tensors, strings or None)
    except (SafetensorError, ValueError, RuntimeError) as error:  # RecursionError is one of them
        raise WeightsError(f"the safetensors format refuses them ({error})") from error


def encode_or_say(state: Mapping[str, Any]) -> bytes | str:
    """As :func:`encode_state`, or the reason where the ``state_dict`` cannot be kept."""
    try:
        return encode_state(state)
    except WeightsError as error:
        return message_of(error)
    except Exception as error:  # whatever somebody's tensors raise: a training is worth more than its weights
        return reason_of(error)


def read_state(file: Path | ContainedPath) -> dict[str, Any]:
    """The ``state_dict`` in a file of :func:`encode_state`, or in any other safetensors file, on the CPU.

    Names that share a tensor get the very same one.

    Raises:
        WeightsError: the file cannot be read, or its metadata do not fit its tensors.
    """
    try:
        content = read_bytes(file, MOST_WEIGHTS_BYTES)  # safetensors itself opens only paths that are UTF-8
        return _state_of(load(content), parse_json(_metadata(content).get(STATE_KEY, "{}")))
    except _UNREADABLE as error:
        raise WeightsError(f"{file} holds no weights that can be read ({error})") from error


def _metadata(content: bytes) -> dict[str, str]:
    """The strings in a safetensors file: its header is JSON behind its length, 8 bytes, the lowest first."""
    length = int.from_bytes(content[:8], "little")
    strings: dict[str, str] = parse_json(content[8 : 8 + length].decode()).get("__metadata__", {})
    return strings


class _Writer:
    """Tensors as a file holds them, and what is noted beside them."""

    def __init__(self, names: set[str]) -> None:
        self.tensors: dict[str, torch.Tensor] = {}
        self.notes: dict[str, dict[str, Any]] = {"shared": {}, "stored_as": {}, "values": {}}
        self._names = names
        self._memory: set[int] = set()

    def keep_value(self, name: str, value: object) -> None:
        """Keep what is no tensor; tensors within it get names of their own."""

        def keep(tensor: torch.Tensor) -> str:
            stored_name = self._free_name(name)
            self.keep_tensor(stored_name, name, tensor)
            return stored_name

        try:
            self.notes["values"][name] = to_json(value, keep)
        except (NotPlainError, RecursionError, ValueError) as error:
            reason = str(error) if isinstance(error, NotPlainError) else f"a value that JSON cannot hold ({error})"
            raise WeightsError(
                f"'{name}' is or holds {reason}, which only pickle could keep; let get_extra_state return tensors, "
                "numbers, strings, or lists and dictionaries of them"
            ) from error

    def keep_tensor(self, stored_name: str, name: str, value: torch.Tensor) -> None:
        """Keep a tensor at ``place``; ``name`` is the part of the state that it belongs to."""
        if reason := _why_not(value):
            raise WeightsError(f"'{name}' {reason}")
        value = value.detach().cpu()
        if value.layout is not torch.strided:
            self._keep_sparse(stored_name, name, value)
            return
        value = value.as_subclass(torch.Tensor)
        stored, note = _without_repeats(value.resolve_conj().resolve_neg())
        stored, dtype_note = _in_a_stored_dtype(stored)
        if note or dtype_note:
            self.notes["stored_as"][stored_name] = note | dtype_note
        stored = stored.contiguous()
        memory = stored.untyped_storage().data_ptr()
        self.tensors[stored_name] = stored.clone() if memory in self._memory else stored  # parts of one tensor, say
        self._memory.add(memory)

    def _keep_sparse(self, stored_name: str, name: str, value: torch.Tensor) -> None:
        parts = {}
        for part, tensor in _sparse_parts(value).items():
            parts[part] = self._free_name(f"{stored_name}.{part}")
            self.keep_tensor(parts[part], name, tensor)
        coalesced = value.layout is torch.sparse_coo and value.is_coalesced()
        layout = str(value.layout).removeprefix("torch.")
        note = {"layout": layout, "shape": list(value.shape), "parts": parts, "coalesced": coalesced}
        self.notes["stored_as"][stored_name] = note

    def _free_name(self, wanted: str) -> str:
        name, number = wanted, 0
        while name in self._names:
            number += 1
            name = f"{wanted}#{number}"
        self._names.add(name)
        return name


def _memory(value: torch.Tensor) -> object:
    """What two tensors have in common that are the very same numbers in memory; none where that cannot be told."""
    if _why_not(value) or value.layout is not torch.strided or value.numel() == 0:
        return None
    where = (value.device, value.untyped_storage().data_ptr(), value.storage_offset())
    return (*where, tuple(value.shape), value.stride(), value.dtype, value.is_conj(), value.is_neg())


def _why_not(value: torch.Tensor) -> str | None:
    """Why a tensor has no numbers of its own that could be stored, or none where it has."""
    kind = type(value)
    if torch.nn.parameter.is_lazy(value):
        return "never got a shape, as no image passed its layer"
    if kind.__torch_dispatch__ is not torch.Tensor.__torch_dispatch__:
        return f"is a tensor of class {kind.__qualname__}, whose numbers only its own code knows"
    if value.is_meta:
        return "has no numbers (it is on the meta device)"
    if value.is_quantized:
        return f"is a quantised tensor ({value.dtype})"
    if value.is_nested or value.is_mkldnn:
        return f"is a {'nested' if value.is_nested else 'mkldnn'} tensor"
    return None


def _without_repeats(value: torch.Tensor) -> tuple[torch.Tensor, dict[str, Any]]:
    """The numbers of an expanded tensor, each once, with the note of its shape."""
    repeated = [dim for dim in range(value.ndim) if value.stride(dim) == 0 and value.shape[dim] > 1]
    note = {"expanded": list(value.shape)} if repeated else {}
    for dim in repeated:
        value = value.narrow(dim, 0, 1)
    return value, note


def _in_a_stored_dtype(value: torch.Tensor) -> tuple[torch.Tensor, dict[str, Any]]:
    """Complex numbers as pairs (..., 2), those of other dtypes that the format may lack as bytes (N,)."""
    if value.dtype in _STORED:
        return value, {}
    name = str(value.dtype).removeprefix("torch.")
    if value.is_complex():
        return torch.view_as_real(value), {"dtype": name}
    compact = value.clone(
        memory_format=torch.contiguous_format
    )  # contiguous() leaves a stride of 0 where the size is 1
    return compact.view(-1).view(torch.uint8), {"dtype": name, "shape": list(value.shape)}


def _sparse_parts(value: torch.Tensor) -> dict[str, torch.Tensor]:
    if value.layout is torch.sparse_coo:
        return {"indices": value._indices(), "values": value._values()}  # the public ones ask for a coalesced tensor
    return {part: getattr(value, part)() for part in (*_COMPRESSED[value.layout], "values")}


def _state_of(tensors: dict[str, torch.Tensor], notes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    parts: set[str] = set()
    stored_as = notes.get("stored_as", {})
    for stored_name, note in stored_as.items():
        if "parts" not in note:
            tensors[stored_name] = _as_noted(tensors[stored_name], note)
    for stored_name, note in stored_as.items():
        if "parts" in note:
            tensors[stored_name] = _sparse(note, {part: tensors[name] for part, name in note["parts"].items()})
            parts.update(note["parts"].values())
    values = {name: from_json(value, tensors) for name, value in notes.get("values", {}).items()}
    parts.update(name for value in notes.get("values", {}).values() for name in _names_in(value))
    state = {name: value for name, value in tensors.items() if name not in parts} | values
    return state | {name: state[source] for name, source in notes.get("shared", {}).items()}


def _names_in(value: Any) -> list[str]:
    """The names of the tensors that a value of :func:`to_json` is made of."""
    if isinstance(value, list):
        return [name for entry in value for name in _names_in(entry)]
    if not isinstance(value, dict):
        return []
    own = [held for kind, held in value.items() if kind in ("tensor", "array")]
    return own + [name for kind, held in value.items() if kind not in ("tensor", "array") for name in _names_in(held)]


def _as_noted(value: torch.Tensor, note: Mapping[str, Any]) -> torch.Tensor:
    if "dtype" in note:
        dtype = dtype_named(note["dtype"])
        value = torch.view_as_complex(value) if dtype.is_complex else value.view(dtype).reshape(note["shape"])
    return value.expand(note["expanded"]) if "expanded" in note else value


def _sparse(note: Mapping[str, Any], parts: Mapping[str, torch.Tensor]) -> torch.Tensor:
    if note["layout"] == "sparse_coo":
        coalesced = bool(note["coalesced"])
        return torch.sparse_coo_tensor(
            parts["indices"], parts["values"], note["shape"], check_invariants=True, is_coalesced=coalesced
        )
    layout = next(layout for layout in _COMPRESSED if str(layout) == f"torch.{note['layout']}")
    compressed, plain = (parts[name] for name in _COMPRESSED[layout])
    return torch.sparse_compressed_tensor(
        compressed, plain, parts["values"], note["shape"], layout=layout, check_invariants=True
    )
