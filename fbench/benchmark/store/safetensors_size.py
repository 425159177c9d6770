"""How large a safetensors file says that it is, in its header, and so has to be."""

from __future__ import annotations

import os
from typing import IO, Final

from fbench.core.bounded import MOST_JSON_BYTES, parse_json

SAFETENSORS: Final = ".safetensors"
MOST_WEIGHTS_BYTES: Final = 16 * 2**30


def refuse_other_size(stream: IO[bytes]) -> None:
    """See that a file ends where the last of its tensors does, without reading them; the stream is then at its start.

    The header is JSON behind its length, 8 bytes, the lowest first; tensors follow, from and to their ``data_offsets``.
    A file of holes, which takes no room on a disk and hours to read, is found by it.

    Raises:
        ValueError: it does not, or has no such header.
    """
    size = os.fstat(stream.fileno()).st_size
    length = int.from_bytes(stream.read(8), "little")
    if length > min(size, MOST_JSON_BYTES):
        raise ValueError("it has no header of the safetensors format")
    header = parse_json(stream.read(length).decode())
    try:
        ends = [int(entry["data_offsets"][1]) for name, entry in header.items() if name != "__metadata__"]
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise ValueError("it has no header of the safetensors format") from error
    if size != 8 + length + max(ends, default=0):
        raise ValueError(f"it has {size:,} bytes, and by its header {8 + length + max(ends, default=0):,}")
    stream.seek(0)
