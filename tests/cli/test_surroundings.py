from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ASCII = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
CODE = "from fbench.cli.app import main; import sys; sys.argv = ['fbench', 'data', 'list']; main()"


def data_list(env: dict[str, str]) -> bytes:
    env = {key: value for key, value in os.environ.items() if key != "PYTHONIOENCODING"} | env
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, env=env, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX locales")
def test_in_an_ascii_locale_other_characters_are_escaped() -> None:
    text = data_list(ASCII)
    assert text.isascii()
    # Borders of tables are of other characters in ASCII; the words are the same.
    words = [
        word for word in data_list({"PYTHONUTF8": "1"}).decode().split() if not word.isascii() and word[0].isalnum()
    ]
    assert words
    for word in words:
        assert word.encode("ascii", "backslashreplace") in text


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX file descriptors")
@pytest.mark.parametrize("closed", [(1,), (2,), (1, 2)])
def test_a_closed_stream_is_no_error(closed: tuple[int, ...], tmp_path: Path) -> None:
    closing = "import os\n" + "".join(f"os.close({number})\n" for number in closed)
    start = f"{closing}os.execv({sys.executable!r}, [{sys.executable!r}, '-c', {CODE!r}])"
    done = subprocess.run([sys.executable, "-c", start], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    assert bool(done.stdout) == (1 not in closed)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
@pytest.mark.slow
def test_a_full_disk_under_the_output_is_one_sentence() -> None:
    for streams in (("stdout",), ("stdout", "stderr")):
        with Path("/dev/full").open("w") as full:
            given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | dict.fromkeys(streams, full)
            done = subprocess.run([sys.executable, "-c", CODE], timeout=60, **given)  # type: ignore[call-overload]
        assert done.returncode == 2
        assert (done.stderr or b"").count(b"\n") == (1 if done.stderr is not None else 0)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes")
@pytest.mark.parametrize(("name", "code"), [("data", 0), ("data no_such_command", 2)])
def test_a_reader_who_leaves_changes_no_exit_code(name: str, code: int) -> None:
    start = CODE.replace("'data', 'list'", ", ".join(repr(word) for word in name.split()) + ", 'list'")
    for streams in ("stdout",), ("stdout", "stderr"):
        reading, writing = os.pipe()
        os.close(reading)
        given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | dict.fromkeys(streams, writing)
        done = subprocess.run([sys.executable, "-c", start], timeout=60, **given)  # type: ignore[call-overload]
        os.close(writing)
        assert done.returncode == code
        assert b"Traceback" not in (done.stderr or b"")
        assert (done.stderr or b"").count(b"\n") == (1 if code and "stderr" not in streams else 0)
