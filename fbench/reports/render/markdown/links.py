"""Where the whole report lies, for a reader of the Markdown."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from fbench.reports.render.markdown.document import escape


def page_words(page: Path, around: Path, written_to: Path | None) -> str:
    """A page as Markdown: a link where it can be followed from the file that is written, else its path.

    Args:
        page: an HTML file.
        around: the folder in which paths are told, as a reader has it too; of a page elsewhere only the last folder is
            named.
        written_to: the Markdown file; none where it is printed, and nobody knows from where a link would be followed.
    """
    page, around = page.resolve(), around.resolve()
    shown = page.relative_to(around) if page.is_relative_to(around) else Path(page.parent.name, page.name)
    if written_to is not None:
        start = written_to.resolve().parent
        if page.is_relative_to(start) or (start.is_relative_to(around) and page.is_relative_to(around)):
            target = quote(Path(os.path.relpath(page, start)).as_posix())
            return f"[{escape(shown.as_posix())}]({target})"
    return escape(shown.as_posix())
