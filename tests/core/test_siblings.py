"""Folders side by side are looked at and read as one by one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fbench.core import opened_folders, siblings
from fbench.core.contained import ContainedPath
from fbench.core.opened_folders import OutsideError


@pytest.fixture(params=["from open folders", "by paths"])
def trials(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ContainedPath:
    if request.param == "by paths":
        monkeypatch.setattr(opened_folders, "_FROM_FOLDERS", False)
    for name in ("b", "a", ".writing-x"):
        (tmp_path / "trials" / name).mkdir(parents=True)
        (tmp_path / "trials" / name / "record.json").write_text(name)
    (tmp_path / "trials" / "a file").write_text("")
    return ContainedPath(tmp_path, ("trials",))


def test_finished_folders_come_in_order_with_what_is_in_them(trials: ContainedPath) -> None:
    found = [(one.place.name, one.content("record.json")) for one in siblings.siblings(trials)]
    assert found == [("a", b"a"), ("b", b"b")]
    assert [one.place.name for one in siblings.siblings(trials, ["b", "missing", "a"])] == ["b", "a"]
    assert list(siblings.siblings(trials / "missing")) == []


def test_a_signature_changes_with_the_file(trials: ContainedPath) -> None:
    (one, _) = (signature(trials, name) for name in "ab")
    assert one is not None
    file = trials.path / "a" / "record.json"
    for change in (lambda: file.write_text("c"), lambda: os.utime(file, ns=(0, one.modified_ns))):
        before = signature(trials, "a")
        change()
        assert signature(trials, "a") != before
    file.unlink()
    assert signature(trials, "a") is None
    file.mkdir()
    assert signature(trials, "a") is None


def signature(trials: ContainedPath, name: str) -> siblings.Signature | None:
    (one,) = (one.signature("record.json") for one in siblings.siblings(trials, [name]))
    return one


@pytest.mark.parametrize("linked", ["folder", "file"])
def test_links_are_refused(trials: ContainedPath, tmp_path: Path, linked: str) -> None:
    if linked == "folder":
        (trials.path / "c").symlink_to(trials.path / "a")
        with pytest.raises(OutsideError, match="is a link"):
            list(siblings.siblings(trials))
        return
    (trials.path / "a" / "history.csv").symlink_to(tmp_path / "outside")
    for one in siblings.siblings(trials, ["a"]):
        for look in (one.signature, one.content):
            with pytest.raises(OutsideError, match="is a link"):
                look("history.csv")


def test_what_is_no_file_or_too_large_is_refused(trials: ContainedPath) -> None:
    os.mkfifo(trials.path / "a" / "pipe")
    for one in siblings.siblings(trials, ["a"]):
        with pytest.raises(ValueError, match="pipe"):
            one.content("pipe")
        with pytest.raises(ValueError, match=r"1 bytes, and 0"):
            one.content("record.json", 0)
        with pytest.raises(FileNotFoundError, match=r"none\.json"):
            one.content("none.json")
