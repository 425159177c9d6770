"""Whatever a page tells people to type, the command line takes: no unknown command, option or kind of value."""

from __future__ import annotations

import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from snippets import PAGES, ROOT, blocks, calls, in_sentences, name_of, usage_error

from fbench.ablations.claim import PaperClaims
from fbench.benchmark.records.tuning import Tuning

pages = pytest.mark.parametrize("page", PAGES, ids=name_of)


@pages
def test_every_command_of_a_page_can_be_parsed(page: Path) -> None:
    shell = [words for block in blocks(page) if block.language == "shell" for words in calls(block)]
    typed = [usage_error(words[1:], whole=True) for words in shell if words[0] == "fbench"]
    told = [usage_error(words[1:], whole=False) for words in in_sentences(page)]
    assert [error for error in typed + told if error] == []


@pages
def test_every_block_of_a_page_is_of_its_language(page: Path) -> None:
    for block in blocks(page):
        assert block.language in ("shell", "python", "toml", "yaml"), block.text
        if block.language == "python":
            compile(block.text, name_of(page), "exec")
        if block.language == "toml":
            found = tomllib.loads(block.text)
            if "claims" in found:
                PaperClaims.model_validate(found)
            if "tuning" in found:
                Tuning.model_validate(found["tuning"])


@pages
def test_every_module_and_script_that_a_page_starts_is_there(page: Path) -> None:
    for block in blocks(page):
        for words in calls(block) if block.language == "shell" else ():
            if words[:2] == ["python", "-m"]:
                assert find_spec(words[2]), words
            if "/" in words[0]:
                assert (ROOT / words[0]).is_file(), words


@pages
def test_every_extra_that_a_page_installs_is_there(page: Path) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for block in blocks(page):
        for words in calls(block) if block.language == "shell" else ():
            named = [word[2:-1] for word in words if word.startswith(".[")]
            assert set(named) <= set(extras)


@pytest.mark.parametrize(
    "words",
    [
        ["runn"],
        ["run", "--sweet", "smoke"],
        ["run", "--seeds", "many"],
        ["data", "lst"],
        ["show"],
        ["compare", "a", "b", "c"],
        ["export", "results/RUN", "ires:0"],
    ],
)
def test_what_cannot_be_typed_is_found(words: list[str]) -> None:
    assert usage_error(words, whole=True)


def test_a_sentence_may_leave_out_what_the_reader_fills_in_and_nothing_else() -> None:
    assert usage_error(["show"], whole=False) == ""
    assert usage_error(["compare", "a", "b", "--fail-on"], whole=False) == ""
    assert usage_error(["show", "--deep"], whole=False)
