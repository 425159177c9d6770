"""Arrays of numbers and text in an npz file; what is read is checked in size before anything is inflated."""

from __future__ import annotations

import lzma
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from fbench.core.bounded import reading
from fbench.core.contained import ContainedPath

MOST_ARRAY_BYTES: Final = 2**30
"""What all arrays of a file may take; logits of 100,000 images and 1,000 classes take a fifth."""
_MOST_ARRAYS: Final = 1000
_KINDS: Final = "biufcU"
_ARGUMENTS: Final = ("allow_pickle",)
"""What NumPy before 2.1 took for an array, where it was an argument."""
_DAMAGED: Final = (
    *(EOFError, KeyError, IndexError, TypeError, AttributeError, OverflowError, SyntaxError, NotImplementedError),
    *(RuntimeError, MemoryError, struct.error, zipfile.BadZipFile, zlib.error, lzma.LZMAError, tokenize.TokenError),
)
"""What zipfile and numpy raise of damaged files beside ValueError and OSError; RuntimeError of encrypted ones."""


def read_npz(
    file: Path | ContainedPath | IO[bytes], most_bytes: int = MOST_ARRAY_BYTES, names: Iterable[str] | None = None
) -> dict[str, npt.NDArray[Any]]:
    """Arrays of an npz file by name; of whole and real numbers, truth values and text.

    Args:
        file: a path, or what is read already.
        most_bytes: of the file, and of all its arrays.
        names: of the arrays that are wanted, as far as they are there; none: all.

    Raises:
        OSError: there is no file, or it cannot be read.
        ValueError: it is no npz file, damaged, or its arrays take more than ``most_bytes``.
        UserError: as of :func:`fbench.core.bounded.reading`.
    """
    try:
        opened = reading(file, most_bytes) if isinstance(file, Path | ContainedPath) else nullcontext(file)
        with opened as stream, zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            if len(members) > _MOST_ARRAYS or sum(member.file_size for member in members) > most_bytes:
                raise ValueError(f"its arrays take more than the {most_bytes:,} bytes that are read at most")
            named = {member.filename.removesuffix(".npy"): member for member in members}
            wanted = named if names is None else [name for name in names if name in named]
            return {name: _array(archive.read(named[name])) for name in wanted if name not in _ARGUMENTS}
    except _DAMAGED as error:
        raise ValueError(f"it is no file of arrays, or damaged ({_first_line(error)})") from error


def write_npz(stream: IO[bytes], arrays: Mapping[str, npt.NDArray[Any]], *, compressed: bool = True) -> None:
    """Write arrays of whole and real numbers, truth values and text by name; nothing is ever pickled.

    Raises:
        ValueError: an array of another type.
    """
    if odd := [name for name, array in arrays.items() if array.dtype.kind not in _KINDS or array.dtype.names]:
        raise ValueError(f"The array '{odd[0]}' is of the type {arrays[odd[0]].dtype}; give numbers or text.")
    write = np.savez_compressed if compressed else np.savez
    write(stream, **dict(arrays))  # type: ignore[arg-type] # the stub may take a name for the argument allow_pickle


def _array(content: bytes) -> npt.NDArray[Any]:
    """The array of an npy file."""
    lengths = 2 if content[6:7] == b"\x01" else 4  # bytes that say how long the header is, from the ninth on
    start = 8 + lengths + int.from_bytes(content[8 : 8 + lengths], "little")
    shape, by_columns, dtype = _header(content[:start])
    if dtype.kind not in _KINDS or dtype.names is not None:
        raise ValueError(f"an array is of the type {dtype}, which is not read")
    size = dtype.itemsize
    for side in shape:
        size *= side
    if min(shape, default=0) < 0 or len(shape) > 32 or size > len(content) - start:  # before numpy takes the memory
        raise ValueError(f"an array says that it has {size:,} bytes, and the file has fewer")
    found = np.frombuffer(content[start : start + size], dtype) if size else np.empty(0, dtype)
    return found.reshape(shape, order="F" if by_columns else "C").copy(order="K")


@lru_cache(maxsize=64)
def _header(header: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order and type; the same for many files, and slow to parse."""
    stream = BytesIO(header)
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(stream)


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
