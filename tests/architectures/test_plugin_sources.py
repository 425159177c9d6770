"""A plug-in's files as one set: what belongs to it, and that what runs is what was read."""

from __future__ import annotations

import hashlib
import importlib
import py_compile
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import scipy

from fbench.architectures.plugin_sources import read_copy, read_sources
from fbench.architectures.plugins import load_plugin, load_trusted
from fbench.architectures.registry import plugin_of
from fbench.core.contained import ContainedPath
from fbench.core.errors import UserError

BUILDER = """
@fbench.register("NAME")
def build(num_classes=7, in_channels=1, image_size=48):
    from torch import nn
    return nn.Sequential(nn.Flatten(), nn.Linear(in_channels * image_size**2, num_classes))
"""
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
    hidden = "import importlib\nimportlib.import_module('side_' + 'hidden')"
    file = write(tmp_path / "run", mine=hidden)
    write(tmp_path / place, side_hidden="raise SystemExit('was run')")
    (tmp_path / "working directory").mkdir(exist_ok=True)
    monkeypatch.chdir(tmp_path / "working directory")
    monkeypatch.syspath_prepend("")
    monkeypatch.syspath_prepend(str(tmp_path / "run"))
    with pytest.raises(UserError, match="ModuleNotFoundError: No module named 'side_hidden'"):
        load_trusted(read_sources(file, beside_alone=True), tmp_path / "run")


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


def test_the_identity_is_the_plug_ins_text_and_that_of_what_it_imports(tmp_path: Path) -> None:
    texts = {"mine": "import side_a", "side_a": "import side_b", "side_b": "x = 1"}
    first = read_sources(write(tmp_path / "1", **texts)).identity
    assert read_sources(write(tmp_path / "2", **texts, side_unused="")).identity == first
    assert read_sources(write(tmp_path / "3", **(texts | {"side_b": "x = 2"}))).identity != first
    alone = read_sources(write(tmp_path / "4", mine="x = 1\r\ny = 2"))
    assert alone.identity == hashlib.sha256(b"x = 1\ny = 2").hexdigest()


def test_modules_of_the_users_own_elsewhere_belong_to_it_and_packages_by_their_versions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "lib", side_lib="x = 1")
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    found = read_sources(write(tmp_path, mine="def f():\n    import side_lib, scipy.stats, torch"))
    assert set(found.files) == {"mine.py", "side_lib.py"}
    assert found.packages == {"scipy": scipy.__version__}
    assert found.path_of("side_lib.py") == tmp_path / "lib" / "side_lib.py"
    write(tmp_path / "lib", side_lib="x = 2")
    assert read_sources(tmp_path / "mine.py").identity != found.identity
    assert set(read_sources(tmp_path / "mine.py", beside_alone=True).files) == {"mine.py"}


def test_modules_found_by_a_path_that_the_plug_in_adds_belong_to_it_and_to_no_other(tmp_path: Path) -> None:
    for number in ("1", "2"):
        lib = tmp_path / number / "lib"
        write(lib, side_lib=f"x = {number}")
        text = f"import fbench, sys; sys.path.insert(0, {str(lib)!r}); import side_lib\n{BUILDER}"
        load_plugin(write(tmp_path / number, mine=text.replace("NAME", f"side_net_{number}")))
        plugin = plugin_of(f"side_net_{number}")
        assert plugin is not None
        assert plugin.files["side_lib.py"] == f"x = {number}".encode()
        assert sys.modules["side_lib"].x == int(number)


def test_equal_names_beside_two_plug_ins_never_mix(tmp_path: Path) -> None:
    text = "import side_a, side_pkg.part\nfrom side_a import x\ndef later():\n    from side_a import y\n    return y"
    texts = {"mine": text, "__init____in__side_pkg": "", "part__in__side_pkg": "from . import z"}
    both = [
        load_plugin(write(tmp_path / str(n), **texts, side_a=f"x = {n}\ny = {n}", z__in__side_pkg=f"n = {n}"))
        for n in (1, 2)
    ]
    assert [(one.x, one.later(), one.side_a.x, one.side_pkg.part.z.n) for one in both] == [(1,) * 4, (2,) * 4]
    assert "side_a" not in sys.modules


def test_a_folder_without_init_is_a_package_and_a_missing_module_is_named_as_it_was_written(tmp_path: Path) -> None:
    assert load_plugin(write(tmp_path, mine="from side_pkg.part import x", part__in__side_pkg="x = 3")).x == 3
    with pytest.raises(UserError, match=r"No module named 'side_pkg\.none'"):
        load_plugin(write(tmp_path / "2", mine="import side_pkg.none", part__in__side_pkg=""))


def test_two_plug_ins_of_a_folder_share_its_modules(tmp_path: Path) -> None:
    write(tmp_path, mine="import side_a", side_a="x = []")
    other = write(tmp_path, other="import side_a, mine\nassert mine.side_a is side_a").with_name("other.py")
    assert load_plugin(tmp_path / "mine.py").side_a is load_plugin(other).side_a


def test_a_module_that_is_asked_for_by_a_function_is_that_beside(tmp_path: Path) -> None:
    text = "import importlib, side_a\nfound = importlib.import_module('side_a') is side_a"
    assert load_plugin(write(tmp_path, mine=text, side_a="")).found


def test_a_copy_is_read_whole_and_follows_no_link(tmp_path: Path) -> None:
    write(tmp_path / "copy", mine="import side_a", side_a="", part__in__side_pkg="", scipy_user="import scipy")
    found = read_copy(ContainedPath(tmp_path / "copy"), "mine.py")
    assert set(found.files) == {"mine.py", "side_a.py", "side_pkg/part.py", "scipy_user.py"}
    assert "scipy" in found.packages
    write(tmp_path / "secret", __init__="")
    (tmp_path / "copy" / "side_b").symlink_to(tmp_path / "secret")
    write(tmp_path / "copy", mine="import side_b")
    assert not any("side_b" in name for name in read_copy(ContainedPath(tmp_path / "copy"), "mine.py").files)
    (tmp_path / "copy" / "side_c.py").symlink_to(tmp_path / "secret" / "__init__.py")
    with pytest.raises(UserError, match="link"):
        read_copy(ContainedPath(tmp_path / "copy"), "mine.py")
