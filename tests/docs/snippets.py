"""What the pages tell people to type: blocks in fences, blocks that are indented, and commands within a sentence."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import typer

from fbench.cli.app import app
from fbench.cli.usage import PARSER_ERROR

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "results/community/README.md")),
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "docs").glob("[!_]*/*.md"),
    ]
)
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:^    .*\n)+", re.MULTILINE)
_IN_A_SENTENCE = re.compile(r"(?<!`)`(fbench [^`]+)`(?!`)")
_SHELL = ("bash", "console", "sh")
_STARTS = ("fbench ", "pip ", "python ", "scripts/", "$ ")


@dataclass(frozen=True)
class Block:
    """A block of a page; ``language`` is ``shell`` for what a shell takes."""

    language: str
    text: str


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """The blocks of a page in its order; indented ones where they are commands."""
    text = page.read_text(encoding="utf-8")
    found = [(one.start(), Block("shell" if one[1] in _SHELL else one[1], one[2])) for one in _FENCE.finditer(text)]
    for one in _INDENTED.finditer(_FENCE.sub(lambda fence: "\n" * len(fence[0]), text)):
        lines = [line[4:] for line in one[0].splitlines()]
        if lines[0].startswith(_STARTS):
            typed = [line for line in lines if line.startswith("$ ")] or lines
            found.append((one.start(), Block("shell", "\n".join(typed))))
    return [block for _, block in sorted(found, key=lambda item: item[0])]


def calls(block: Block) -> Iterator[list[str]]:
    """The words of each call of a program in a block for a shell, without comments."""
    for line in block.text.replace("\\\n", " ").splitlines():
        for call in line.removeprefix("$ ").split(" && "):
            words = shlex.split(call, comments=True)
            if words:
                yield words


def in_sentences(page: Path) -> list[list[str]]:
    """Commands that stand within a sentence, some of which leave out what the reader fills in."""
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    found = [shlex.split(" ".join(one.split())) for one in _IN_A_SENTENCE.findall(text)]
    return [[word for word in words if word != "..."] for words in found if not words[1].isupper()]


def usage_error(words: list[str], *, whole: bool) -> str:
    """What the command line says against these words after ``fbench``; empty where they can be parsed.

    ``whole`` is whether nothing that is required may be left out.
    """
    command, path = typer.main.get_command(app), "fbench"
    while hasattr(command, "commands"):
        if not words or words[0] not in command.commands:
            return "" if words and words[0] == "--version" else f"{path} has no command {words[:1]}"
        path, command, words = f"{path} {words[0]}", command.commands[words[0]], words[1:]
    try:
        command.make_context(path, [word for word in words if word not in ("--help", "--debug")])
    except PARSER_ERROR as error:
        message = str(error.format_message())
        is_left_out = type(error).__name__ in ("MissingParameter", "NoArgsIsHelpError") or "requires an arg" in message
        return "" if is_left_out and not whole else f"{path}: {message}"
    return ""
