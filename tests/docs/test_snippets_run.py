"""What a page tells people to type does what it says, page by page and in order, with stand-ins for what is large."""

from __future__ import annotations

import io
import runpy
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest
from coarse_fbench import leave_cost_out
from install_package import install_own_package
from once import made_once
from snippets import PAGES, blocks, calls, name_of
from stand_ins import NOT_RUN, Supply, fill_home, reason_not_to_run, shortened
from support import ask_here, registry_as_before
from unpainted import leave_unpainted

import fbench
from fbench.architectures import announced
from fbench.architectures.scaffold import new_architecture_text
from fbench.cli.app import main

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("faces_at_hand", "same_registry_afterwards"),
]
GATE_ANSWERS = (0, 1)


def typed(words: list[str], folder: Path) -> tuple[int, str]:
    """Run a command in this process, in a folder; its exit code and what it printed."""
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(out):
        patch.chdir(folder)
        patch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as ended:
            main()
    return int(ended.value.code or 0), out.getvalue()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data and suites that stand in, for all workers."""
    return made_once(tmp_path_factory, "pages-home", fill_home)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of the examples, installed."""
    return made_once(tmp_path_factory, "pages-package", install_own_package)


@pytest.fixture
def package_at_hand(package: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Its networks are announced."""
    monkeypatch.syspath_prepend(str(package))
    announced.entry_points.cache_clear()
    yield
    announced.entry_points.cache_clear()


@pytest.fixture(scope="module")
def made(home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A run of two networks on FER2013, of a preset that decides something, and a record of their speed."""

    def make(folder: Path) -> tuple[Path, Path]:
        (folder / "my_net.py").write_text(new_architecture_text("my_net"), encoding="utf-8")
        names = ["--arch", "ires", "--arch", "my_net", "--plugin", "my_net.py"]
        how = ["--data", f"fer2013={home}/data/fer2013.csv", "--seeds", "2", "--jobs", "1"]
        speed = ["--seconds", "0.5", "--blocks", "3", "--batch-sizes", "1", "-o", "speed.json"]
        with pytest.MonkeyPatch.context() as patch, registry_as_before():
            patch.setenv("FBENCH_CACHE_DIR", str(folder / "cache"))
            ask_here(patch)
            leave_unpainted(patch)
            for words in (
                ["fbench", "run", *names, *how, "--out", "run"],
                ["fbench", "speed", "ires", "my_net", "--plugin", "my_net.py", *speed],
            ):
                code, said = typed(words, folder)
                assert code == 0, said
        return folder / "run", folder / "speed.json"

    return made_once(tmp_path_factory, "pages-run", make)


@pytest.fixture(scope="module")
def done() -> set[tuple[str, ...]]:
    """Commands that ran already: another page has them again, and what they make stands in there."""
    return set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_and_snippet_of_a_page_runs(
    page: Path,
    home: Path,
    made: tuple[Path, Path],
    done: set[tuple[str, ...]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    if page.name == "package.md":
        request.getfixturevalue("package_at_hand")
    ask_here(monkeypatch)
    leave_cost_out(monkeypatch)
    leave_unpainted(monkeypatch)
    monkeypatch.chdir(tmp_path)
    supply = Supply(*made, home, page.read_text(encoding="utf-8"))
    for block in blocks(page):
        if block.language == "python":
            run_python(block.text, supply, tmp_path)
        if block.language == "shell":
            for words in calls(block):
                if not reason_not_to_run(words):
                    run_command(words, supply, home, tmp_path, done)


def run_command(words: list[str], supply: Supply, home: Path, folder: Path, done: set[tuple[str, ...]]) -> None:
    assert words[0] == "fbench", f"{words} is no command of fbench; run it, or say in NOT_RUN why not"
    short = shortened(words, home)
    if tuple(short) in done:
        return
    code, said = typed(supply.before(short, folder), folder)
    assert code in (GATE_ANSWERS if "--fail-on" in words else (0,)), f"{' '.join(words)}: {said}"
    if not words[1].startswith("new-"):  # what follows it on a page needs all that it writes
        done.add(tuple(short))


def run_python(text: str, supply: Supply, folder: Path) -> None:
    if "results/RUN" in text:
        supply.before(["fbench", "status", "results/RUN"], folder)
    file = folder / "snippet.py"
    file.write_text(text, encoding="utf-8")
    generator = np.random.default_rng(0)
    mine = {"images": generator.integers(0, 256, (60, 32, 32), dtype=np.uint8), "labels": np.arange(60) % 2}
    training, less = fbench.run, {"preset": "smoke", "seeds": 1, "jobs": 1}
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()):
        patch.setattr(fbench, "run", lambda **given: training(**given | less), raising=False)
        runpy.run_path(str(file), init_globals=mine, run_name="__main__")


def test_every_exception_is_of_a_command_that_a_page_has() -> None:
    shell = [block for page in PAGES for block in blocks(page) if block.language == "shell"]
    commands = [" ".join(words) for block in shell for words in calls(block)]
    assert [begin for begin in NOT_RUN if not any(command.startswith(begin) for command in commands)] == []
