"""What a file or folder holds, as a short key: hashed from content, remembered by size, time and inode.

A file that was changed within :data:`SETTLED_AFTER_S` of being looked at could be changed again without its
modification time moving (FAT keeps time in steps of 2 s, ext4 in steps of the kernel's clock tick); such a
file is hashed every time, and a folder with such a file in it has no key. Git treats its index the same way.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from fbench.benchmark.data.cache import cache_directory
from fbench.core.errors import UserError
from fbench.core.files import replacing

SETTLED_AFTER_S: Final = 2.0
Stamp = tuple[int, int, int, int]


def stamp(status: os.stat_result) -> Stamp:
    """Size in bytes, modification time in ns, inode and device: what changes when a file is written anew."""
    return status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev


def is_settled(modified: Stamp, now_s: float) -> bool:
    """Whether a later change is bound to move the modification time."""
    return modified[1] < (now_s - SETTLED_AFTER_S) * 1e9


def file_key(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal; taken from the index while the file's stamp is unchanged.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        now_s, seen = time.time(), stamp(path.stat())
        remembered = _index_file(path)
        known = _recall(remembered, seen)
        if known is not None:
            return known
        with path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); check the path and its permissions.") from error
    if is_settled(seen, now_s):
        _remember(remembered, seen, content)
    return content


def listing_key(files: Iterable[tuple[str, Stamp]]) -> str | None:
    """A key for the files of a folder, from relative paths and stamps; None where one is not settled."""
    now_s = time.time()
    digest = hashlib.sha256()
    for relative, seen in files:
        if not is_settled(seen, now_s):
            return None
        digest.update(os.fsencode(relative) + b"\0" + repr(seen).encode() + b"\n")
    return digest.hexdigest()


def _index_file(path: Path) -> Path:
    """One small file for each path, so that processes that write at once cannot lose each other's lines."""
    name = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()
    return cache_directory() / "content" / f"{name}.json"


def _recall(remembered: Path, seen: Stamp) -> str | None:
    try:
        entry = json.loads(remembered.read_bytes())
        return str(entry["sha256"]) if entry["stamp"] == list(seen) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(remembered: Path, seen: Stamp, content: str) -> None:
    try:
        with replacing(remembered) as stream:
            stream.write(json.dumps({"stamp": seen, "sha256": content}).encode())
    except OSError:
        return  # the index saves time only; write_entry reports a cache that cannot be written
