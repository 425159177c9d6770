"""What processes that were killed left unfinished in a run's folder."""

from __future__ import annotations

from fbench.core.contained import UNFINISHED, ContainedPath
from fbench.core.locks import LOCK_FILE


def remove_leftovers(root: ContainedPath) -> None:
    """Remove unfinished files and folders below a run's folder; only for who holds its lock.

    Unfinished files beside ``run.json`` may be another command's, such as a report that is being written: those stay.
    """
    for name, is_folder in root.entries().items():
        if name.startswith(f"{LOCK_FILE}-") or (name.startswith(UNFINISHED) and is_folder):
            (root / name).remove()
        elif is_folder:
            _remove_unfinished(root / name)


def _remove_unfinished(folder: ContainedPath) -> None:
    for name, is_folder in folder.entries().items():
        if name.startswith(UNFINISHED):
            (folder / name).remove()
        elif is_folder:
            _remove_unfinished(folder / name)
