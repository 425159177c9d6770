"""A page as a file."""

from __future__ import annotations

from pathlib import Path

from fbench.core.contained import ContainedPath
from fbench.core.errors import UserError
from fbench.core.files import replacing


def write_html(text: str, output: Path | ContainedPath, what: str = "The page") -> None:
    """Write the text of a page, whole or not at all.

    Raises:
        UserError: ``output`` cannot be written; ``what`` begins the sentence.
    """
    try:
        with replacing(output) as stream:
            stream.write(text.encode())
    except OSError as error:
        raise UserError(f"{what} cannot be written to {output} ({error.strerror}); name another file.") from error
