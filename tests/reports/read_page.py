"""Reads a report back: its tables as text, and its elements with their attributes."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

BLOCKS = {"p", "li", "h1", "h2", "h3", "h4", "figcaption", "summary"}
NO_SENTENCES = {"table", "code", "pre", "svg", "dl", "nav", "title"}
VOID = {"meta", "br", "link", "img", "hr", "input"}


@dataclass
class Table:
    caption: str = ""
    rows: list[list[str]] = field(default_factory=list)

    def row(self, network: str) -> list[str]:
        """The cells of the row that a network heads."""
        (found,) = [row for row in self.rows if row and row[0] == network]
        return found


class Page(HTMLParser):
    """``elements`` are (tag, attributes) in order; ``tables`` in order; ``text`` is all that a reader sees, and
    ``sentences`` are its paragraphs, items, captions and headings outside of tables, without code."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[Table] = []
        self.text = ""
        self.sentences: list[str] = []
        self._sentence = ""
        self._open: list[str] = []
        self._hidden: list[int] = []
        self.feed(html)
        self.close()
        self.text = " ".join(self.text.split())

    def table(self, caption: str) -> Table:
        """The only table whose caption begins so."""
        (found,) = [table for table in self.tables if table.caption.startswith(caption)]
        return found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in VOID:
            return
        self._open.append(tag)
        if ("aria-hidden", "true") in attrs or tag in ("style", "script"):
            self._hidden.append(len(self._open))
        if tag == "table":
            self.tables.append(Table())
        elif tag == "tr":
            self.tables[-1].rows.append([])
        elif tag in ("td", "th"):
            self.tables[-1].rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self._open[-1:] == [tag], f"</{tag}> closes {self._open[-1:]}"
        if self._hidden and self._hidden[-1] == len(self._open):
            self._hidden.pop()
        self._open.pop()
        if tag in ("td", "th"):
            row = self.tables[-1].rows[-1]
            row[-1] = " ".join(row[-1].split())
        if tag in ("p", "li", "td", "th", "h1", "h2", "h3", "h4"):
            self.text += " "
        if tag in BLOCKS:
            if self._sentence.strip():
                self.sentences.append(" ".join(self._sentence.split()))
            self._sentence = ""

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        self.text += data
        if not {"table", "code", "pre", "svg", "dl", "nav", "title"}.intersection(self._open) and BLOCKS.intersection(
            self._open
        ):
            self._sentence += data
        if "caption" in self._open:
            self.tables[-1].caption = (self.tables[-1].caption + data).strip()
        elif "td" in self._open or "th" in self._open:
            row = self.tables[-1].rows[-1]
            row[-1] += data
