"""Places where nothing can be written are told before any work, and a failed write leaves nothing behind."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from fbench.core.errors import UserError
from fbench.core.files import replacing, require_writable_file, require_writable_folder


def bad_places(root: Path) -> dict[str, tuple[Path, str]]:
    (root / "file").write_text("kept")
    (root / "dangling").symlink_to(root / "gone")
    (root / "loop").symlink_to(root / "pool")
    (root / "pool").symlink_to(root / "loop")
    return {
        "below a file": (root / "file" / "a" / "b", "file is no folder"),
        "a dangling link": (root / "dangling", "it is a link that leads nowhere"),
        "below a dangling link": (root / "dangling" / "a", "dangling is a link that leads nowhere"),
        "a loop of links": (root / "loop", "it is a link that leads nowhere"),
        "a long name": (root / ("x" * 256), "a name of more than 255 bytes"),
        "a long name above it": (root / ("生" * 86) / "a", "a name of more than 255 bytes"),
        "a null character": (root / "a\0b", "null"),
        "a virtual file system": (Path("/proc/fbench"), "No such file or directory"),
    }


KINDS = (
    "below a file",
    "a dangling link",
    "below a dangling link",
    "a loop of links",
    "a long name",
    "a long name above it",
    "a null character",
    "a virtual file system",
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_place_that_cannot_be_is_told_with_its_option(kind: str, tmp_path: Path) -> None:
    path, reason = bad_places(tmp_path)[kind]
    before = sorted(tmp_path.iterdir())
    for require, what in ((require_writable_file, "file"), (require_writable_folder, "folder")):
        with pytest.raises(UserError) as caught:
            require(path, "The run", "--out")
        assert str(caught.value).startswith("The run cannot be written to ")
        assert reason in str(caught.value)
        assert str(caught.value).endswith(f"; name another {what} with --out.")
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_is_no_file_and_a_file_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(UserError, match=r"\(it is a folder"):
        require_writable_file(tmp_path, "The page", "--output")
    with pytest.raises(UserError, match=r"\(it is no folder\)"):
        require_writable_folder(tmp_path / "file", "The run", "--out")
    with pytest.raises(UserError, match="it is a device or pipe"):
        require_writable_file(Path("/dev/null"), "The page", "--output")


def test_good_places_pass_and_stay_as_they_are(tmp_path: Path) -> None:
    require_writable_folder(tmp_path, "The run", "--out")
    require_writable_folder(tmp_path / "new" / "deep", "The run", "--out")
    require_writable_file(tmp_path / "new" / "page.html", "The page", "--output")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "page.html").write_text("old")
    require_writable_file(tmp_path / "page.html", "The page", "--output")
    (tmp_path / "link").symlink_to(tmp_path)
    require_writable_folder(tmp_path / "link", "The run", "--out")
    assert (tmp_path / "page.html").read_text() == "old"


def raise_after(written: int) -> None:
    raise OSError(errno.ENOSPC, f"full after {written} bytes")


def test_a_disk_that_is_full_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("old")
    with pytest.raises(OSError, match="full"), replacing(tmp_path / "page.html") as stream:
        raise_after(stream.write(b"half"))
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]
    assert (tmp_path / "page.html").read_text() == "old"
