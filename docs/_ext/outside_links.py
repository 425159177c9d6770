"""Links of pages to files of the checkout that are no pages."""

from __future__ import annotations

import os
import re
from pathlib import Path

EXAMPLES = "examples"
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((\.\./[^)#\s]+)(?:#[^)\s]*)?\)")


def without_outside_links(text: str, page: Path, docs: Path) -> str:
    """The same text with links out of ``docs`` as downloads; to folders as their words, with the path beside them.

    The folder of examples has pages of its own, to which links go.

    Args:
        text: a page in Markdown.
        page: its file.
        docs: the folder of all pages.
    """

    def replaced(found: re.Match[str]) -> str:
        words, target = found[1], (page.parent / found[2]).resolve()
        if target.is_relative_to(docs):
            return found[0]
        if target.is_file():
            return f"{{download}}`{words.strip('`')} <{found[2]}>`"
        path = target.relative_to(docs.parent).as_posix()
        if path == EXAMPLES:
            return f"[{words}]({os.path.relpath(docs / EXAMPLES / 'index', page.parent)})"
        return words if words.strip("`").rstrip("/") == path else f"{words} (`{path}/`)"

    return LINK.sub(replaced, text)
