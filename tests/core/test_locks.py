"""One process at a time holds a folder, and one that is gone holds nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from fbench.core import locks
from fbench.core.errors import UserError
from fbench.core.locks import LOCK_FILE, Holder, locked

HOLD = """
import sys, time
from pathlib import Path
from fbench.core.locks import locked
with locked(Path(sys.argv[1]), "The run"):
    print("held", flush=True)
    time.sleep(600)
"""


def holder(**changes: object) -> Holder:
    return locks._this_process()._replace(token="other", **changes)  # noqa: S106 - no password


def write(folder: Path, one: Holder) -> Path:
    file = folder / LOCK_FILE
    file.write_text(json.dumps(one._asdict()))
    return file


def test_a_second_process_is_refused_by_the_name_of_the_first_and_a_killed_one_holds_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    with (
        pytest.raises(UserError, match=rf"^The run is at work in process {process.pid} on .+, since 20.+ --wait"),
        locked(tmp_path, "The run"),
    ):
        pass
    process.kill()
    process.wait()
    process.stdout.close()
    with locked(tmp_path, "The run"):
        assert (tmp_path / LOCK_FILE).exists()
    assert list(tmp_path.iterdir()) == []


def test_who_waits_has_the_lock_when_it_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_POLL_S", 0.01)
    order, began = list[str](), threading.Event()

    def first() -> None:
        with locked(tmp_path, "The run"):
            began.set()
            time.sleep(0.1)
            order.append("first")

    thread = threading.Thread(target=first)
    thread.start()
    began.wait()
    with locked(tmp_path, "The run", wait=True):
        order.append("second")
    thread.join()
    assert order == ["first", "second"]


def test_a_process_id_that_was_given_anew_holds_nothing(tmp_path: Path) -> None:
    write(tmp_path, holder(process_start=1.0))
    with locked(tmp_path, "The run"):
        pass


@pytest.mark.parametrize(("age_s", "gone"), [(10, False), (1000, True)])
def test_a_holder_elsewhere_is_gone_when_it_no_longer_renews(age_s: float, gone: bool, tmp_path: Path) -> None:
    file = write(tmp_path, holder(host="node7", place="node7 other boot", pid=1))
    os.utime(file, (time.time() - age_s,) * 2)
    if gone:
        with locked(tmp_path, "The run"):
            pass
    else:
        with pytest.raises(UserError, match="process 1 on node7"), locked(tmp_path, "The run"):
            pass


def test_a_holder_renews_its_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "RENEWED_EVERY_S", 0.01)
    with locked(tmp_path, "The run"):
        file = tmp_path / LOCK_FILE
        os.utime(file, (1, 1))
        deadline = time.monotonic() + 20
        while file.stat().st_mtime < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert file.stat().st_mtime > 2


@pytest.mark.parametrize("text", ["", "[]", '{"host": 3}', "\x00"])
def test_a_file_that_is_no_lock_holds_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / LOCK_FILE).write_text(text)
    os.utime(tmp_path / LOCK_FILE, (1, 1))  # a new one may be about to be written
    with locked(tmp_path, "The run"):
        pass


def test_a_lock_that_another_took_meanwhile_is_not_taken_away(tmp_path: Path) -> None:
    dead = holder(process_start=1.0)
    file = write(tmp_path, holder())
    locks._remove(file, dead)
    assert file.exists()
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_system_without_links_locks_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    with locked(tmp_path, "The run"), pytest.raises(UserError, match="is at work"), locked(tmp_path, "The run"):
        pass


@pytest.mark.skipif(sys.platform == "win32", reason="links and pipes")
@pytest.mark.parametrize("kind", ["link", "dangling link", "pipe"])
def test_a_lock_that_is_no_file_of_the_folder_is_refused_or_waited_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    (tmp_path / "run").mkdir()
    outside, file = tmp_path / "outside.json", tmp_path / "run" / LOCK_FILE
    if kind == "pipe":
        os.mkfifo(file)
        monkeypatch.setattr(locks, "_WRITTEN_WITHIN_S", -1.0)
        with locked(tmp_path / "run", "The run"):
            assert file.is_file()
        return
    if kind == "link":
        outside.write_text("{}")
    file.symlink_to(outside)
    with pytest.raises(UserError, match=r"lock.json is a link"), locked(tmp_path / "run", "The run"):
        pass
    assert file.is_symlink()


def test_a_lock_that_the_disk_refuses_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: Path, text: str, **_: object) -> int:
        file.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space"), locked(tmp_path, "The run"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_old_folder_in_the_place_of_a_lock_goes_with_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / LOCK_FILE).mkdir()
    (tmp_path / LOCK_FILE / "file").touch()
    os.utime(tmp_path / LOCK_FILE, (0, 0))
    with locked(tmp_path, "The run"):
        assert [file.name for file in tmp_path.iterdir()] == [LOCK_FILE]
