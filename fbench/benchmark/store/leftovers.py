"""What processes that were killed left unfinished in a run's folder."""

from __future__ import annotations

from fbench.core.contained import UNFINISHED, ContainedPath, OutsideError
from fbench.core.locks import LOCK_FILE


def remove_leftovers(root: ContainedPath) -> None:
    """Remove unfinished files and folders below a run's folder; only for who holds its lock.

    Unfinished files beside ``run.json`` may be another command's, such as a report that is being written: those stay.
    """
    for name in root.names():
        entry = root / name
        if name.startswith(f"{LOCK_FILE}-") or (name.startswith(UNFINISHED) and _is_own_folder(entry)):
            entry.remove()
        elif _is_own_folder(entry):
            _remove_unfinished(entry)


def _is_own_folder(entry: ContainedPath) -> bool:
    """Whether it is a folder, and no link to one, which is left alone."""
    try:
        return entry.is_folder()
    except OutsideError:
        return False


def _remove_unfinished(folder: ContainedPath) -> None:
    for name in folder.names():
        if name.startswith(UNFINISHED):
            (folder / name).remove()
        elif _is_own_folder(folder / name):
            _remove_unfinished(folder / name)
