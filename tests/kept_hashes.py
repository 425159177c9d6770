"""Hashes kept anew of files that a test has changed."""

from __future__ import annotations

from fbench.benchmark.store.hashes import HASHES_FILE, sha256_of, write_hashes
from fbench.core.contained import ContainedPath


def keep_hashes(folder: ContainedPath) -> None:
    """Keep the hashes of all files in a folder as they are now."""
    names = [name for name in folder.names() if name != HASHES_FILE and (folder / name).is_file()]
    write_hashes(folder, {name: sha256_of(folder / name) for name in names})
