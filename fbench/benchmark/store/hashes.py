"""SHA-256 of the files of a run, kept beside them, so that a damaged or changed one is told from a whole one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field, RootModel

from fbench.benchmark.store.safetensors_size import MOST_WEIGHTS_BYTES, SAFETENSORS, refuse_other_size
from fbench.core.bounded import MOST_JSON_BYTES, read_json, reading
from fbench.core.contained import ContainedPath
from fbench.core.errors import UserError
from fbench.core.npz import MOST_ARRAY_BYTES

HASHES_FILE: Final = "sha256.json"
"""Beside the files of a trial, which are written once; and beside ``run.json``, for all other files."""
_BLOCK: Final = 2**20


def _plain(name: str) -> str:
    """A name that stays below the folder of the hashes."""
    for part in name.split("/"):
        ContainedPath(Path()) / part
    return name


class Hashes(RootModel[dict[Annotated[str, AfterValidator(_plain)], Annotated[str, Field(pattern="^[0-9a-f]{64}$")]]]):
    """Hexadecimal SHA-256 by the name of a file, from the folder of the hashes, with ``/``."""


def sha256_of(file: ContainedPath) -> str:
    """The hash of a file's content.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no regular file, or larger than any of its kind that is read, or than it says itself.
    """
    found = hashlib.sha256()
    with reading(file, most_bytes_of(file.name)) as stream:
        if file.name.endswith(SAFETENSORS):
            refuse_other_size(stream)
        while block := stream.read(_BLOCK):
            found.update(block)
    return found.hexdigest()


def most_bytes_of(name: str) -> int:
    """How large a file of a run may be, by its name: what whoever reads it reads at most."""
    if name.endswith(SAFETENSORS):
        return MOST_WEIGHTS_BYTES
    return MOST_ARRAY_BYTES if name.endswith(".npz") else MOST_JSON_BYTES


def is_as_kept(file: ContainedPath, kept: str) -> bool:
    """Whether a file is the one whose hash was kept; one that cannot be read, or is too large, is not."""
    try:
        return sha256_of(file) == kept
    except (OSError, ValueError):
        return False


def read_hashes(folder: ContainedPath) -> dict[str, str] | None:
    """The hashes kept in a folder; None where there are none that can be read, as in runs of before."""
    try:
        return Hashes.model_validate(read_json(folder / HASHES_FILE)).root
    except (OSError, ValueError, UserError):
        return None


def write_hashes(folder: ContainedPath, hashes: dict[str, str]) -> None:
    """Keep the hashes of a folder's files."""
    with (folder / HASHES_FILE).replacing() as stream:
        stream.write((json.dumps(hashes, indent=1, sort_keys=True) + "\n").encode())


def write_with_hashes(folder: ContainedPath, files: Mapping[str, bytes]) -> None:
    """Write files by name, in the given order, and then the hashes of what was to be written."""
    for name, content in files.items():
        with (folder / name).replacing() as stream:
            stream.write(content)
    write_hashes(folder, {name: hashlib.sha256(content).hexdigest() for name, content in files.items()})


def keep_hash(root: ContainedPath, file: ContainedPath) -> None:
    """Keep the hash of one file below a folder, beside those of its others."""
    name = "/".join(file.parts[len(root.parts) :])
    write_hashes(root, (read_hashes(root) or {}) | {name: sha256_of(file)})
