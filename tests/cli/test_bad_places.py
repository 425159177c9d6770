"""Every command that writes tells in one sentence of a place where it cannot, before it works; and of bad data."""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path

import pytest
from coarse_fbench import leave_cost_out

import fbench.benchmark.store.files
from fbench.cli.app import main

RESULTS = Path(__file__).parents[2] / "results" / "fer2013-standard"
NETWORKS = ["--arch", "lenet5", "--arch", "lenet_count_matched", "--preset", "smoke", "--seeds", "1", "--jobs", "1"]


pytestmark = pytest.mark.usefixtures("faces_at_hand")


def told(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: int = 2
) -> str:
    """Run a command line that fails; its one sentence."""
    monkeypatch.setattr(sys, "argv", ["fbench", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == code
    printed = capsys.readouterr().err
    assert printed.startswith("fbench: ")
    assert printed.count("\n") == 1
    return printed


def command(name: str, place: str) -> list[str]:
    run = str(RESULTS)
    return {
        "run": ["run", *NETWORKS, "--out", place],
        "dry run": ["run", *NETWORKS, "--dry-run", "--out", place],
        "report": ["report", run, "-o", f"{place}.html"],
        "csv": ["report", run, "--format", "csv", "-o", place],
        "figures": ["report", run, "--figures", place],
        "compare": ["compare", run, run, "-o", f"{place}.html"],
        "speed": ["speed", "lenet5", "-o", f"{place}.json"],
        "audit": ["data", "audit", "synthetic", "--clean", place],
        "prepare": ["data", "prepare", ".", "--out", place],
        "preview": ["data", "preview", "synthetic", "-o", f"{place}.png"],
    }[name]


COMMANDS = ("run", "dry run", "report", "csv", "figures", "compare", "speed", "audit", "prepare", "preview")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_place_below_a_file_is_told_before_any_work(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("kept")
    sentence = told(command(name, str(tmp_path / "file" / "x")), monkeypatch, capsys)
    assert f"({tmp_path / 'file'} is no folder); name another" in sentence
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_link_that_leads_nowhere_is_told_before_any_work(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for suffix in ("", ".html", ".json", ".png"):
        (tmp_path / f"x{suffix}").symlink_to(tmp_path / "gone")
    sentence = told(command(name, str(tmp_path / "x")), monkeypatch, capsys)
    assert "(it is a link that leads nowhere); name another" in sentence
    assert not (tmp_path / "gone").exists()


def test_a_new_network_is_not_written_over_or_through_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_net.py").symlink_to(tmp_path / "gone.py")
    assert "my_net.py exists and is not overwritten" in told(["new-arch", "my_net"], monkeypatch, capsys)
    assert "more than 255 bytes" in told(["new-arch", "n" * 253], monkeypatch, capsys)
    assert [file.name for file in tmp_path.iterdir()] == ["my_net.py"]


def test_a_cache_that_cannot_be_written_is_told_before_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FBENCH_CACHE_DIR", str(tmp_path / "file" / "cache"))
    sentence = told(["run", *NETWORKS, "--out", str(tmp_path / "run")], monkeypatch, capsys)
    assert "name another folder with FBENCH_CACHE_DIR" in sentence


@pytest.mark.usefixtures("unpainted")
def test_a_full_disk_at_the_end_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(path: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    leave_cost_out(monkeypatch)
    monkeypatch.setattr(fbench.benchmark.store.files, "replacing", full)
    monkeypatch.setattr(sys, "argv", ["fbench", "run", *NETWORKS, "--out", str(tmp_path / "run")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("fbench: The system refused to read or write ")
    assert "No space left on device" in last


def test_data_that_cannot_be_read_are_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "archive.csv").write_bytes(b"\x1f\x8b\x08\x00")
    for name in (b"\xc9\xfa", b"calm"):
        (tmp_path / "faces" / os.fsdecode(name)).mkdir(parents=True)
    sentence = told(["data", "audit", f"fer2013={tmp_path / 'archive.csv'}"], monkeypatch, capsys)
    assert "is a gzip archive by its content" in sentence
    assert "unpack it" in sentence
    sentence = told(["data", "audit", f"folder={tmp_path / 'faces'}"], monkeypatch, capsys)
    assert r"the class folder '\udcc9\udcfa', whose name is not UTF-8" in sentence


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_what_is_printed_may_be_of_any_alphabet_or_no_text(
    encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding, errors="strict"))
    name = os.fsdecode(b"\xc9\xfa") + "生.png"
    monkeypatch.setattr(sys, "argv", ["fbench", "data", "preview", "synthetic", "-o", str(tmp_path / name)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (None, 0)
    sys.stdout.flush()
    assert b"\\udcc9\\udcfa" in raw.getvalue()
    assert (tmp_path / name).is_file()
