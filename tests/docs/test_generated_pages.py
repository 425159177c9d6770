"""The reference is whole: every command and option, and every field of every file, is on a page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import pytest
import typer
from command_pages import commands, commands_page
from fbench_pages import FILES, MARK, generated
from model_pages import descriptions, fields_page, models_of
from outside_links import without_outside_links
from pydantic import BaseModel, Field

from fbench.cli.app import app

DOCS = Path(__file__).parents[2] / "docs"


def section(page: str, title: str) -> str:
    return re.split(r"^## ", page, flags=re.MULTILINE)[sections(page).index(title) + 1]


def sections(page: str) -> list[str]:
    return re.findall(r"^## (.*)$", page, re.MULTILINE)


def test_every_command_has_a_section_and_every_option_a_row() -> None:
    page = generated("commands")
    found = dict(commands(app))
    assert sections(page) == list(found)
    assert {"fbench run", "fbench data audit", "fbench doctor"} <= set(found)
    for name, command in found.items():
        text = section(page, name)
        for parameter in command.params:
            for word in parameter.opts:
                assert re.search(rf"`[^`]*{re.escape(word)}\b", text), f"{name} {word}"
            assert parameter.help, f"{name} says nothing of {parameter.name}"


def test_a_command_has_its_words_usage_default_and_need() -> None:
    small = typer.Typer()

    @small.command()
    def only() -> None:
        """Nothing."""

    @small.command()
    def paint(
        wall: Annotated[str, typer.Argument(help="Which one.")],
        coats: Annotated[int, typer.Option("--coats", "-c", help="How often: a|b.")] = 2,
    ) -> None:
        """Paint a ``wall``."""

    text = section(commands_page(small), "fbench paint")
    assert text.splitlines()[2] == "Paint a `wall`."
    assert "    fbench paint [OPTIONS]" in text
    assert "| `wall <str>` | Which one. [required] |" in text
    assert re.search(r"\| `(--coats, -c|-c, --coats) <int>` \| How often: a\\\|b\. \[default: 2\] \|", text)


@pytest.mark.parametrize("name", FILES)
def test_every_field_of_a_file_has_a_row_with_a_description(name: str) -> None:
    page = generated(name)
    assert sections(page) == [model.__name__ for model in models_of(FILES[name])]
    for model in models_of(FILES[name]):
        text, told = section(page, model.__name__), descriptions(model)
        for field in model.model_fields:
            assert re.search(rf"^\| `{field}` \|", text, re.MULTILINE), f"{model.__name__}.{field}"
            assert field == "kind" or told.get(field), f"{model.__name__} says nothing of {field}"


@pytest.mark.parametrize("name", FILES)
def test_no_description_is_of_a_field_that_there_is_not(name: str) -> None:
    for model in models_of(FILES[name]):
        section_of = re.search(r"Attributes:\n(.*?)(\n\n|$)", model.__doc__ or "", re.DOTALL)
        named = re.findall(r"^        (\w+): ", section_of[1] if section_of else "", re.MULTILINE)
        assert set(named) <= set(model.model_fields), model.__name__


@pytest.mark.parametrize("name", FILES)
def test_links_between_tables_of_a_file_lead_to_a_section(name: str) -> None:
    page = generated(name)
    assert set(re.findall(r"\]\(#(\w+)\)", page)) <= {title.lower() for title in sections(page)}


class Bolt(BaseModel):
    """A bolt.

    Attributes:
        thread: metric, as
            ``M6`` is.
        length_mm: without the head.
    """

    thread: str
    length_mm: Annotated[float, Field(gt=0, le=100)] = 20.0


class Longer(Bolt):
    """With a head.

    Attributes:
        head: its form.
        spare: others of its kind.
    """

    kind: Literal["longer"]
    head: Literal["hex", "flat"] = "hex"
    spare: tuple[Bolt, ...] = ()


def test_rows_say_type_default_and_description_inherited_ones_too() -> None:
    page = fields_page(Longer)
    assert sections(page) == ["Longer", "Bolt"]
    text = section(page, "Longer")
    assert "| `thread` | text; required | metric, as `M6` is. |" in text
    assert "| `length_mm` | number above 0 and at most 100; default `20.0` | without the head. |" in text
    assert '| `kind` | `"longer"`; required | which table this is. |' in text
    assert '| `head` | `"hex"` or `"flat"`; default `"hex"` | its form. |' in text
    assert "| `spare` | list of table [Bolt](#bolt); may be left out | others of its kind. |" in text


def test_every_mark_of_a_page_stands_for_something_and_everything_has_its_page() -> None:
    marks = [name for page in DOCS.rglob("*.md") for name in MARK.findall(page.read_text(encoding="utf-8"))]
    assert sorted(marks) == sorted(["commands", *FILES])


def test_links_out_of_the_pages_become_downloads_or_words(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    for file in ("docs/how/a.md", "docs/b.md", "results/x/t.csv", "examples/e.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    text = (
        "[b](../b.md), [`t.csv`](../../results/x/t.csv), [x](../../results/x/), [more](../../examples/), [w](https://w)"
    )
    assert without_outside_links(text, docs / "how" / "a.md", docs) == (
        "[b](../b.md), {download}`t.csv <../../results/x/t.csv>`, x (`results/x/`), [more](../examples/index), "
        "[w](https://w)"
    )
