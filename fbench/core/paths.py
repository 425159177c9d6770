"""Paths as a user names them."""

from __future__ import annotations

from pathlib import Path

from fbench.core.errors import UserError, readable


def expanded(path: str | Path) -> Path:
    """A path that a user named, a leading ``~`` being the home folder.

    Raises:
        UserError: nobody knows the home folder.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:  # ~user of a user who does not exist
        raise UserError(f"The home folder in {readable(str(path))} is not known; write the path in full.") from error
