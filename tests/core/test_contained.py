"""Files below a folder that may be somebody else's."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fbench.benchmark.store.leftovers import remove_leftovers
from fbench.core.bounded import read_bytes, read_text
from fbench.core.contained import ContainedPath
from fbench.core.opened_folders import OutsideError


@pytest.fixture(params=["from open folders", "step by step"])
def root(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ContainedPath:
    if request.param == "step by step":
        monkeypatch.setattr("fbench.core.opened_folders._FROM_FOLDERS", False)
    (tmp_path / "run").mkdir()
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "file").write_text("precious")
    return ContainedPath(tmp_path / "run")


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/b", "/etc/passwd", "a\\b", "a\0b"])
def test_names_that_lead_elsewhere_are_refused(root: ContainedPath, name: str) -> None:
    with pytest.raises(OutsideError, match="no plain name"):
        root / name


def test_what_is_written_is_read_and_listed(root: ContainedPath) -> None:
    with (root / "a" / "b" / "file").replacing() as stream:
        stream.write(b"text")
    assert read_text(root / "a" / "b" / "file") == "text"
    assert ((root / "a").names(), (root / "a" / "b").names(), (root / "c").names()) == (["b"], ["file"], [])
    assert (root / "a").is_folder()
    assert (root / "a" / "b" / "file").is_file()
    assert not (root / "a" / "b" / "file" / "below").exists()
    assert stat.S_IMODE((root.path / "a" / "b" / "file").stat().st_mode) == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_write_that_fails_leaves_what_was_there(root: ContainedPath) -> None:
    (root.path / "file").write_text("old")
    for write in (_write, _fill):
        with pytest.raises(OSError, match="full"):
            write(root / "file", OSError("full"))
    assert (root.names(), read_text(root / "file")) == (["file"], "old")


def test_a_folder_takes_the_place_of_another_whole(root: ContainedPath) -> None:
    for content in ("first", "second"):
        with (root / "trial").replacing_folder() as folder, (folder / content).replacing() as stream:
            stream.write(content.encode())
    assert ((root / "trial").names(), root.names()) == (["second"], ["trial"])


def _read(path: ContainedPath) -> object:
    return read_bytes(path, 100)


def _write(path: ContainedPath, error: Exception | None = None) -> object:
    with path.replacing() as stream:
        stream.write(b"overwritten")
        if error:
            raise error
    return None


def _fill(path: ContainedPath, error: Exception | None = None) -> object:
    with path.replacing_folder() as folder:
        _write(folder / "file")
        if error:
            raise error
    return None


TOUCH: tuple[Callable[[ContainedPath], object], ...] = (
    *(_read, _write, ContainedPath.is_file, ContainedPath.is_folder, ContainedPath.exists),
)


@pytest.mark.parametrize("touch", TOUCH)
def test_a_link_in_place_of_a_file_is_neither_read_nor_written(
    root: ContainedPath, touch: Callable[[ContainedPath], object]
) -> None:
    (root.path / "link").symlink_to(root.path.parent / "victim" / "file")
    with pytest.raises(OutsideError, match="link is a link"):
        touch(root / "link")
    assert (root.path.parent / "victim" / "file").read_text() == "precious"


@pytest.mark.parametrize("touch", [*TOUCH, _fill, ContainedPath.names, ContainedPath.remove, ContainedPath.make_folder])
def test_a_link_in_place_of_a_folder_is_not_followed(
    root: ContainedPath, touch: Callable[[ContainedPath], object]
) -> None:
    (root.path / "link").symlink_to(root.path.parent / "victim")
    with pytest.raises(OutsideError, match="link is a link"):
        touch(root / "link" / "file")
    assert [file.name for file in (root.path.parent / "victim").iterdir()] == ["file"]
    assert (root.path.parent / "victim" / "file").read_text() == "precious"


def test_a_link_that_leads_nowhere_makes_no_file(root: ContainedPath) -> None:
    (root.path / "link").symlink_to(root.path.parent / "victim" / "new")
    with pytest.raises(OutsideError):
        _write(root / "link")
    assert not (root.path.parent / "victim" / "new").exists()


def test_what_is_removed_or_replaced_is_the_link_itself(root: ContainedPath) -> None:
    (root.path / "link").symlink_to(root.path.parent / "victim")
    (root.path / "folder").mkdir()
    (root.path / "folder" / "inner").symlink_to(root.path.parent / "victim")
    (root / "link").remove()
    (root / "folder").remove()
    (root / "nothing").remove()
    assert root.names() == []
    assert (root.path.parent / "victim" / "file").read_text() == "precious"


def test_the_folder_itself_may_be_reached_by_a_link(root: ContainedPath) -> None:
    (root.path.parent / "alias").symlink_to(root.path)
    alias = ContainedPath(root.path.parent / "alias")
    _write(alias / "sub" / "file")
    assert read_text(alias / "sub" / "file") == read_text(root / "sub" / "file") == "overwritten"


def test_files_are_copied_and_links_and_pipes_are_not(root: ContainedPath) -> None:
    _write(root / "from" / "file")
    (root / "from" / "folder").make_folder()
    (root / "to").copy_files(root / "from")
    assert (root / "to").names() == ["file"]
    (root.path / "from" / "link").symlink_to("/etc/passwd")
    with pytest.raises(OutsideError, match="link"):
        (root / "again").copy_files(root / "from")
    (root.path / "from" / "link").unlink()
    os.mkfifo(root.path / "from" / "pipe")
    with pytest.raises(OutsideError, match="pipe"):
        (root / "again").copy_files(root / "from")


def test_a_refusal_of_the_system_names_the_whole_path(root: ContainedPath) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        read_bytes(root / "a" / "b", 10)
    assert str(caught.value.filename) == str(root.path / "a" / "b")


def test_a_file_is_taken_into_the_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "run" / "checkpoint" / "inside").mkdir(parents=True)
    (tmp_path / "made").write_text("new")
    ContainedPath(tmp_path / "run", ("checkpoint",)).take(tmp_path / "made")
    assert (tmp_path / "run" / "checkpoint").read_text() == "new"


def deep(folder: Path, levels: int) -> None:
    """Folders in folders, deeper than a path is long."""
    inner = os.open(folder, os.O_RDONLY)
    for _ in range(levels):
        os.mkdir("d", dir_fd=inner)
        outer, inner = inner, os.open("d", os.O_RDONLY, dir_fd=inner)
        os.close(outer)
    os.close(inner)


@pytest.mark.skipif(os.mkdir not in os.supports_dir_fd, reason="folders that deep cannot be made here")
def test_folders_that_are_too_deep_to_be_removed_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "run" / "old").mkdir(parents=True)
    deep(tmp_path / "run" / "old", 2000)
    try:
        if sys.version_info < (3, 13):
            with pytest.raises(OutsideError, match="has folders in folders, a thousand and more deep"):
                ContainedPath(tmp_path / "run", ("old",)).remove()
        remove_leftovers(ContainedPath(tmp_path / "run"))
    finally:
        subprocess.run(["rm", "-rf", str(tmp_path / "run")], check=True)


SHUT_OUT = """
import os, sys
from pathlib import Path
from fbench.core.contained import ContainedPath
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
root = ContainedPath(Path("."))
(root / "folder" / "inner").make_folder()
Path("folder/inner/file").write_text("x")
for one in ("folder/inner", "folder"):
    os.chmod(one, 0)
(root / "folder").remove()
sys.exit(os.path.lexists("folder"))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_a_folder_that_lets_nobody_in_is_removed_by_its_owner(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    subprocess.run([sys.executable, "-c", SHUT_OUT], cwd=tmp_path / "open", check=True)
