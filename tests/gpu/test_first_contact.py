"""A call on a device: whatever comes of a stage, the next begins, and nothing that is known is measured again."""

from __future__ import annotations

import json
import platform
import tarfile
import time
from pathlib import Path

import pytest

from tests.gpu import first_contact, second_call
from tests.gpu.contact import child, command
from tests.gpu.contact.bundle import bundle
from tests.gpu.contact.call import Call
from tests.gpu.contact.lines import FILE, Line, append, read
from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import Stage
from tests.gpu.contact.table import WIDTH, table

MODULE = "tests.gpu.stages_to_try"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of a call on the processor."""
    for name in ("out", "work"):
        (tmp_path / name).mkdir()
    return Settings(tmp_path / "out", tmp_path / "work", "cpu", small=True)


def called(settings: Settings, course: str, *, limit_s: float = 30.0, seconds: float = 60.0) -> dict[str, Line]:
    """The lines of a stage of that course, by result."""
    (settings.work / "course.txt").write_text(course, encoding="utf-8")
    lines = Call(settings, seconds, preloaded=()).run([Stage("tried", MODULE, limit_s)])
    return {line.result: line for line in lines}


def measured(settings: Settings) -> list[str]:
    return (settings.work / "measured.txt").read_text(encoding="utf-8").split()


@pytest.mark.slow
def test_a_result_that_fails_has_its_traceback_and_the_next_is_measured(settings: Settings) -> None:
    found = called(settings, "one fails exits missing two")
    assert {name: line.status for name, line in found.items()} == {
        "one": "done",
        "fails": "failed",
        "exits": "failed",
        "missing": "not here",
        "two": "done",
        "": "failed",
    }
    assert found["one"].found == {"number": 3, "ratio": "nan"}
    assert found["fails"].reason == "ValueError: wrong"
    assert "stages_to_try.py" in found["fails"].traceback
    assert found[""].reason == "3 of 5 results are missing"
    assert "two is measured" in (settings.out / "log.txt").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_same_call_again_measures_what_is_missing(settings: Settings) -> None:
    assert called(settings, "one fails two")[""].status == "failed"
    assert called(settings, "one two three")[""].status == "done"
    assert measured(settings) == ["one", "fails", "two", "three"]
    called(settings, "one two three four")  # the stage is done
    assert measured(settings) == ["one", "fails", "two", "three"]


@pytest.mark.slow
def test_a_stage_over_its_limit_is_ended_with_what_it_measured(settings: Settings) -> None:
    started = time.monotonic()
    found = called(settings, "one hangs two", limit_s=6.0)
    assert time.monotonic() - started < 30  # it would sleep a minute
    assert {name: line.status for name, line in found.items()} == {
        "one": "done",
        "hangs": "over its limit",
        "": "over its limit",
    }
    assert called(settings, "one two")[""].status == "done"
    assert measured(settings) == ["one", "hangs", "two"]


@pytest.mark.slow
def test_after_a_process_that_died_the_stage_goes_on_in_another(settings: Settings) -> None:
    found = called(settings, "one dies two")
    assert measured(settings) == ["one", "dies", "two"]
    assert (found["dies"].status, found["two"].status, found[""].status) == ("died", "done", "died")


def test_a_process_whose_device_is_lost_measures_nothing_more(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left is for another process, which the call starts."""
    (settings.work / "course.txt").write_text("one fails two", encoding="utf-8")
    monkeypatch.setattr(child, "_is_lost", lambda settings: True)
    assert child._measure_all(Stage("tried", MODULE, 20), settings, ()) == child.LOST
    assert [(line.result, line.status) for line in read(settings.out)] == [("one", "done"), ("fails", "failed")]
    assert child._measure_all(Stage("tried", MODULE, 20), settings, ("one", "fails")) == 0
    assert measured(settings) == ["one", "fails", "two"]


@pytest.mark.slow
def test_a_stage_that_cannot_begin_says_so_and_the_next_begins(settings: Settings) -> None:
    (settings.work / "course.txt").write_text("setup", encoding="utf-8")
    stages = [Stage("no module", "tests.gpu.no_such_stage", 20), Stage("tried", MODULE, 20)]
    first, second = Call(settings, 60, preloaded=()).run(stages)
    assert (first.status, second.status) == ("failed", "failed")
    assert "no_such_stage" in first.reason
    assert second.reason == "RuntimeError: the stage cannot begin"


def test_a_stage_that_needs_a_device_or_comes_too_late_is_not_begun(settings: Settings) -> None:
    lines = Call(settings, 60, preloaded=()).run([Stage("on CUDA", MODULE, 20, needs_cuda=True)])
    assert [(line.status, line.reason) for line in lines] == [
        ("not here", "needs a CUDA device, and the device is cpu")
    ]
    late = Call(settings, 0.5, preloaded=()).run([Stage("late", MODULE, 20)])
    assert late[-1].status == "over its limit"
    assert not (settings.work / "measured.txt").exists()


def test_a_line_that_was_cut_off_is_passed_over(tmp_path: Path) -> None:
    append(tmp_path, Line("rates", "copy", "done", 1.0, {"gb_per_s": 4300.0}))
    with (tmp_path / FILE).open("a", encoding="utf-8") as stream:
        stream.write('{"stage": "rates", "resu')
    (line,) = read(tmp_path)
    assert (line.stage, line.result, line.found) == ("rates", "copy", {"gb_per_s": 4300.0})
    append(tmp_path, Line("rates", "node", "done", 1.0))
    assert [one.result for one in read(tmp_path)] == ["copy", "node"]


def test_the_table_has_a_short_line_for_each_result_below_its_stage() -> None:
    rows = table(
        [
            Line("rates", "copy", "done", 0.2, {"gb_per_s": 4301.23, "sizes": [1, 2], "text": "x" * 200}),
            Line("streams", "", "not here", 0.0, reason="needs a CUDA device"),
            Line("rates", "", "done", 1.0),
        ]
    ).splitlines()
    assert [row.split("  ")[0] for row in rows] == ["rates", "", "streams"]
    assert "gb_per_s 4301" in rows[1]
    assert "sizes" not in rows[1]
    assert all(len(row) <= WIDTH for row in rows)
    assert rows[2].endswith("needs a CUDA device")


def test_what_comes_back_is_an_archive_without_weights(settings: Settings) -> None:
    for name, size in {"run/record.json": 10, "run/weights.safetensors": 10, "run/logits.npz": 10}.items():
        (settings.work / name).parent.mkdir(exist_ok=True)
        (settings.work / name).write_bytes(b"0" * size)
    with tarfile.open(bundle(settings)) as archive:
        assert archive.getnames() == ["run/record.json"]


def test_files_beyond_the_size_that_comes_back_are_named(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.gpu.contact.bundle.MOST_BYTES", 15)
    for name, size in {"small.txt": 10, "large.txt": 20}.items():
        (settings.work / name).write_bytes(b"0" * size)
    with tarfile.open(bundle(settings)) as archive:
        assert archive.getnames() == ["small.txt"]
    assert (settings.out / "left_out.txt").read_text(encoding="utf-8") == "large.txt 20\n"


@pytest.mark.parametrize("call", [first_contact, second_call])
def test_the_limits_of_all_stages_fit_into_the_call(call: object) -> None:
    stages = call.STAGES  # type: ignore[attr-defined] # a module
    assert sum(stage.limit_s for stage in stages) <= call.SECONDS  # type: ignore[attr-defined] # a module
    assert len({stage.name for stage in stages}) == len(stages)


@pytest.mark.slow
def test_a_whole_call_prints_its_table_and_leaves_few_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "PRELOADED", ())
    out, work = tmp_path / "out", tmp_path / "work"
    given = ["--out", str(out), "--work", str(work), "--device", "cpu", "--only", "machine", "cuda tests"]
    first_contact.main(given)
    said = capfd.readouterr().out
    assert "cuda tests" in said
    assert f"python {platform.python_version()}" in said
    files = sorted(file.name for file in out.rglob("*"))
    assert files == ["log.txt", FILE, "table.txt", "work.tar.gz"]
    stages = {json.loads(line)["stage"] for line in (out / FILE).read_text(encoding="utf-8").splitlines()}
    assert stages == {"machine", "cuda tests"}
