"""Arrays of numbers and text in an npz file; what is read is checked in size before anything is inflated."""

from __future__ import annotations

import lzma
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
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


def read_npz(file: Path | ContainedPath, most_bytes: int = MOST_ARRAY_BYTES) -> dict[str, npt.NDArray[Any]]:
    """All arrays of an npz file by name; of whole and real numbers, truth values and text.

    Raises:
        OSError: there is no file, or it cannot be read.
        ValueError: it is no npz file, damaged, or its arrays take more than ``most_bytes``.
        UserError: as of :func:`fbench.core.bounded.reading`.
    """
    try:
        with reading(file, most_bytes) as stream, zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            if len(members) > _MOST_ARRAYS or sum(member.file_size for member in members) > most_bytes:
                raise ValueError(f"its arrays take more than the {most_bytes:,} bytes that are read at most")
            named = {member.filename.removesuffix(".npy"): member for member in members}
            return {name: _array(archive, member) for name, member in named.items() if name not in _ARGUMENTS}
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


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> npt.NDArray[Any]:
    with archive.open(member) as stream:
        shape, dtype = _header(stream)
        if dtype.kind not in _KINDS or dtype.names is not None:
            raise ValueError(f"the array '{member.filename}' is of the type {dtype}, which is not read")
        size = dtype.itemsize
        for side in shape:
            size *= side
        if size > member.file_size or len(shape) > 32:  # before numpy takes the memory
            raise ValueError(f"the array '{member.filename}' says that it has {size:,} bytes, and the file has fewer")
    with archive.open(member) as stream:
        return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(stream)
    return shape, dtype


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
