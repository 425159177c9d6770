"""A note that outlives the process that wrote it: some bytes of a file in memory, written with no call of the system.

Who times calls cannot tell on the way what is called, as that would be timed too; after a death it can be read here.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_BYTES: Final = 1024


def blank_note(file: Path) -> None:
    """Make an empty note, in the place of an earlier one.

    Raises:
        OSError: the disk refuses.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(bytes(_BYTES))


def read_note(file: Path) -> str:
    """What was written last; empty where nothing was, or there is no note."""
    try:
        return file.read_bytes().rstrip(b"\0").decode("utf-8", "replace")
    except OSError:
        return ""


@contextmanager
def writing_note(file: Path) -> Iterator[Callable[[str], None]]:
    """A function that writes a text of up to 1,024 bytes over the last one."""
    with file.open("r+b") as stream, mmap.mmap(stream.fileno(), _BYTES) as memory:

        def write(text: str) -> None:
            memory[:] = text.encode("utf-8", "replace")[:_BYTES].ljust(_BYTES, b"\0")

        yield write
