"""The README is short, and what the pages point to is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from fbench.ablations.library import load_suite

ROOT = Path(__file__).parent.parent
BELOW = sorted((ROOT / "docs").glob("[!_]*/*.md"))
NAMED = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "results/community/README.md")]
PAGES = sorted([*NAMED, *(ROOT / "docs").glob("*.md"), *BELOW])
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors(page: Path) -> set[str]:
    """The headings of a page, as links name them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_has_at_most_900_words() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 900


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        file, _, heading = link.partition("#")
        target = page.parent / file if file else page
        assert target.exists(), link
        assert not heading or heading in anchors(target), link


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_every_page_is_reached_from_the_readme(page: Path) -> None:
    assert f"(docs/{page.name})" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_page_of_the_docs_is_in_their_contents(page: Path) -> None:
    if page.is_relative_to(ROOT / "docs") and page.name != "index.md":
        contents = (ROOT / "docs" / "index.md").read_text(encoding="utf-8").splitlines()
        assert page.relative_to(ROOT / "docs").with_suffix("").as_posix() in contents


def test_the_page_on_tuning_counts_the_searches_on_fer2013_as_they_are() -> None:
    table = ROOT / "fbench" / "benchmark" / "records" / "tuned" / "fer2013-fbench_tuned-6epochs.json"
    searches = json.loads(table.read_text(encoding="utf-8"))["searches"]
    chosen = {one["network"]: (one["chosen"]["rate"], one["chosen"]["strength"]) for one in searches}
    papers = [load_suite(name).architectures for name in ("ablations", "xu2021", "chowanda2021")]
    assert chosen.keys() == {name for names in papers for name in names} - {"resnet50"}
    kept = [name for name, one in chosen.items() if one == (1.0, "default")]
    weak = [name for name, (_, strength) in chosen.items() if strength == "weak"]
    assert {"ires", "arch1"} < set(kept)
    words = " ".join((ROOT / "docs" / "tuning.md").read_text(encoding="utf-8").split())
    assert (
        f"has the {len(searches)} networks of `ablations`, `xu2021` and `chowanda2021`, without ResNet50: "
        f"{len(kept)} keep the default, among them `ires` and `arch1`; {len(weak)} of the others take the weak"
    ) in words
