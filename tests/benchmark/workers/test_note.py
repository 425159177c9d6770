"""A note that is read after its writer has died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fbench.benchmark.workers.note import blank_note, read_note, writing_note

DIES = """
import os, sys
from pathlib import Path
from fbench.benchmark.workers.note import writing_note
with writing_note(Path(sys.argv[1])) as write:
    write("a long first text")
    write("last")
    os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_what_a_killed_process_wrote_last_is_read(tmp_path: Path) -> None:
    blank_note(tmp_path / "scratch" / "note")
    assert read_note(tmp_path / "scratch" / "note") == ""
    ended = subprocess.run([sys.executable, "-c", DIES, str(tmp_path / "scratch" / "note")], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert read_note(tmp_path / "scratch" / "note") == "last"


def test_a_note_that_is_not_there_is_empty_and_a_long_text_is_cut(tmp_path: Path) -> None:
    assert read_note(tmp_path / "none") == ""
    blank_note(tmp_path / "note")
    with writing_note(tmp_path / "note") as write:
        write("é" * 10_000)
    assert set(read_note(tmp_path / "note")) == {"é"}
    assert os.path.getsize(tmp_path / "note") == 1024  # noqa: PTH202 - one number
