"""A plug-in's files as one set: what belongs to it, and that what runs is what was read."""

from __future__ import annotations

import importlib
import py_compile
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fbench.architectures.plugin_sources import read_sources
from fbench.architectures.plugins import load_plugin, load_trusted
from fbench.core.errors import UserError

pytestmark = pytest.mark.usefixtures("same_registry_afterwards")


@pytest.fixture(autouse=True)
def same_imports_afterwards() -> Iterator[None]:
    modules, finders, folders = set(sys.modules), list(sys.meta_path), list(sys.path)
    yield
    for name in set(sys.modules) - modules:
        if name.startswith(("fbench_plugin_", "side_")):
            del sys.modules[name]
    sys.meta_path[:], sys.path[:] = finders, folders


def write(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        file = folder.joinpath(*name.split("__in__")[::-1]).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder / "mine.py"


def test_the_set_holds_what_is_imported_from_beside_the_plug_in_and_what_that_imports(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        mine="import json, side_a\nfrom side_pkg.part import x",
        side_a="def f():\n    from side_b import y",
        side_b="y = 1",
        json="raise RuntimeError",
        unused="z = 1",
        __init____in__side_pkg="",
        part__in__side_pkg="from . import other\nx = 1",
        other__in__side_pkg="import side_c",
        side_c="",
    )
    assert set(read_sources(file).files) == {
        *("mine.py", "side_a.py", "side_b.py", "side_c.py"),
        *("side_pkg/__init__.py", "side_pkg/part.py", "side_pkg/other.py"),
    }


def test_the_digest_changes_with_every_name_and_content_and_not_with_the_place(tmp_path: Path) -> None:
    texts = {"mine": "import side_a", "side_a": "x = 1"}
    first = read_sources(write(tmp_path / "1", **texts)).digest
    assert read_sources(write(tmp_path / "2", **texts)).digest == first
    assert read_sources(write(tmp_path / "3", **(texts | {"side_a": "x = 2"}))).digest != first
    assert read_sources(write(tmp_path / "4", mine="import side_b", side_b="x = 1")).digest != first


def test_a_plug_in_finds_its_modules_wherever_the_program_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "nets", mine="import side_a\nfound = side_a.x", side_a="x = 'beside'")
    write(tmp_path / "elsewhere", mine="", side_a="x = 'elsewhere'")
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.syspath_prepend("")
    assert load_plugin(file).found == "beside"


def test_what_python_keeps_compiled_beside_a_file_is_not_run(tmp_path: Path) -> None:
    file = write(tmp_path, mine="x = 'ok..'")
    evil = write(tmp_path / "evil", mine="x = 'evil'")
    compiled = importlib.util.cache_from_source(str(file))
    Path(compiled).parent.mkdir()
    py_compile.compile(str(evil), compiled, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    assert load_plugin(file).x == "ok.."


def test_trusted_files_run_from_a_private_copy_of_the_bytes_that_were_hashed(tmp_path: Path) -> None:
    file = write(tmp_path / "run", mine="import side_a\nfound, where = side_a.x, __file__", side_a="x = 'hashed'")
    sources = read_sources(file)
    write(tmp_path / "run", mine="raise RuntimeError('changed')", side_a="raise RuntimeError('changed')")
    module = load_trusted(sources, tmp_path / "run")
    copy = Path(module.where)
    assert module.found == "hashed"
    assert not copy.is_relative_to(tmp_path)
    assert copy.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("place", ["run", "working directory"])
def test_trusted_files_import_nothing_that_was_not_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    hidden = "import importlib\nimportlib.import_module('side_hidden')"
    file = write(tmp_path / "run", mine=hidden)
    write(tmp_path / place, side_hidden="raise SystemExit('was run')")
    (tmp_path / "working directory").mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path / "working directory")
    monkeypatch.syspath_prepend("")
    monkeypatch.syspath_prepend(str(tmp_path / "run"))
    with pytest.raises(UserError, match="ModuleNotFoundError: No module named 'side_hidden'"):
        load_trusted(read_sources(file), tmp_path / "run")


def test_a_plug_in_that_fails_leaves_no_module_behind(tmp_path: Path) -> None:
    file = write(tmp_path, mine="import side_a\nraise RuntimeError('no')", side_a="")
    with pytest.raises(UserError, match="RuntimeError: no"):
        load_plugin(file)
    assert "side_a" not in sys.modules


@pytest.mark.parametrize("text", ["(" * 100_000, "x = \0", "\xff"])
def test_text_that_is_no_python_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.py").write_text(text, encoding="latin-1")
    with pytest.raises(UserError, match=r"mine\.py raised \w+"):
        load_plugin(tmp_path / "mine.py")
