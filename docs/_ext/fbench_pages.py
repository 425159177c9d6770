"""A Sphinx extension: marks in pages give way to what is generated, and links out of the pages to downloads.

``<!-- generated: commands -->`` stands for all commands, ``<!-- generated: suite -->`` and the like for the fields of a
file. Who reads the page without Sphinx sees the words around the mark.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from command_pages import commands_page
from model_pages import fields_page
from outside_links import without_outside_links
from pydantic import BaseModel

from fbench.ablations.claim import PaperClaims
from fbench.ablations.suite import Suite
from fbench.benchmark.data.layouts.class_map import ClassMap
from fbench.benchmark.records.protocol import Protocol
from fbench.cli.app import app as command_line

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MARK: Final = re.compile(r"^<!-- generated: (\w+) -->$", re.MULTILINE)
FILES: Final[dict[str, type[BaseModel]]] = {
    "suite": Suite,
    "protocol": Protocol,
    "class_map": ClassMap,
    "claims": PaperClaims,
}


def generated(name: str) -> str:
    """The Markdown that a mark stands for.

    Raises:
        KeyError: there is no such mark.
    """
    return commands_page(command_line) if name == "commands" else fields_page(FILES[name])


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("source-read", _read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _read(app: Sphinx, name: str, source: list[str]) -> None:
    page = Path(app.env.doc2path(name))
    if page.suffix == ".md":
        text = without_outside_links(source[0], page, Path(app.srcdir))
        source[0] = MARK.sub(lambda found: generated(found[1]), text)
