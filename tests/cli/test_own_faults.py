"""What no user caused: exit code 70, one sentence, and the traceback in a file."""

from __future__ import annotations

import errno
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fbench.cli import app
from fbench.cli.duration import seconds_of
from fbench.core.errors import UserError


@pytest.mark.parametrize(
    ("error", "code"),
    [(KeyError("lost"), 70), (SystemExit(0), 70), (OSError(errno.ECHILD, "none"), 70), (KeyboardInterrupt(), 130)],
)
def test_an_exit_code_tells_whose_fault_it_was(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(app, "app", fail)
    monkeypatch.setattr(sys, "argv", ["fbench", "list"])
    with pytest.raises(SystemExit) as ended:
        app.main()
    assert ended.value.code == code
    said = capsys.readouterr().err
    if code == 70:
        assert said.startswith(f"fbench: fbench itself failed ({type(error).__name__}")
        file = re.search(r"the traceback is in (\S+),", said)
        assert file is not None
        assert "in fail" in Path(file[1]).read_text(encoding="utf-8")
        Path(file[1]).unlink()


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("90s", 90), ("20m", 1200), ("1.5h", 5400), ("2 min", 120)])
def test_durations_are_read(text: str, seconds: float) -> None:
    assert seconds_of(text, "--trial-timeout") == seconds


@pytest.mark.parametrize("text", ["", "0", "-5", "5 days", "h"])
def test_what_is_no_duration_is_one_sentence(text: str) -> None:
    with pytest.raises(UserError, match=r"--trial-timeout .* was given; give a duration such as"):
        seconds_of(text, "--trial-timeout")


def ended(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX")
def test_a_working_folder_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    command = (
        "import os, sys; os.rmdir(os.getcwd()); sys.argv = ['fbench', 'list']; from fbench.cli.app import main; main()"
    )
    done = ended(command, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("fbench: The working folder cannot be used (No such file or directory);")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_before_there_is_work_to_keep_is_one_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "endless.py").write_text("import pathlib, time\npathlib.Path('begun').touch()\ntime.sleep(600)\n")
    words = [sys.executable, "-m", "fbench", "show", "mine", "--plugin", "endless.py"]
    command = subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "begun").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    command.send_signal(getattr(signal, name))
    _, said = command.communicate(timeout=30)
    sentence = f"fbench: {name} ended the command where it had no work to keep; the same command begins again.\n"
    assert (command.returncode, said) == (4, sentence)
