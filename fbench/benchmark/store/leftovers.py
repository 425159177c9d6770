"""What processes that were killed left unfinished in a run's folder."""

from __future__ import annotations

from typing import Final

from fbench.core.contained import UNFINISHED, ContainedPath
from fbench.core.locks import LOCK_FILE
from fbench.core.siblings import Sibling, Signature

_LONGEST_WRITING_NS: Final = 3600 * 10**9
_DEEPEST: Final = 20
"""Levels of folders below a run's own that are looked through; sources of plug-ins may lie in packages of packages."""


def remove_leftovers(root: ContainedPath) -> None:
    """Remove unfinished files and folders below a run's folder; only for who holds its lock.

    Unfinished files beside ``run.json`` may be another command's, such as a report that is being written: those stay
    for an hour.
    """
    here = Sibling(root, None)
    lock = here.signature(LOCK_FILE)  # held now, so that its time is that of the clock which stamps files here
    for name, is_folder in root.entries().items():
        is_unfinished = name.startswith(UNFINISHED) and (is_folder or _is_old(here.signature(name), lock))
        if name.startswith(f"{LOCK_FILE}-") or is_unfinished:
            (root / name).remove()
        elif is_folder:
            _remove_unfinished(root / name, _DEEPEST)


def _is_old(file: Signature | None, lock: Signature | None) -> bool:
    return file is not None and lock is not None and lock.modified_ns - file.modified_ns > _LONGEST_WRITING_NS


def _remove_unfinished(folder: ContainedPath, levels: int) -> None:
    for name, is_folder in folder.entries().items():
        if name.startswith(UNFINISHED):
            (folder / name).remove()
        elif is_folder and levels > 1:
            _remove_unfinished(folder / name, levels - 1)
