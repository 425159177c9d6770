"""The run, status and dry-run commands as a person types them: in this process, but where a signal is sent."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from coarse_fbench import leave_cost_out
from typed import Typed, typed
from unpainted import leave_unpainted

from fbench.benchmark.trackers.choice import KINDS, TrackerKind
from fbench.cli.app import main
from fbench.core.errors import UserError

COARSE = [sys.executable, str(Path(__file__).parents[1] / "coarse_fbench.py")]
TWO = ["run", "--arch", "lenet5", "--arch", "lenet_count_matched", "--preset", "smoke", "--jobs", "1", "--out", "run"]


pytestmark = pytest.mark.usefixtures("faces_at_hand")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, rendered_faces: Path) -> tuple[Path, Typed]:
    """A run of two small networks, and what it printed."""
    home = tmp_path_factory.mktemp("cli")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FBENCH_CACHE_DIR", str(shutil.copytree(rendered_faces, home / "cache")))
        leave_unpainted(patch)
        return home, typed(*TWO, cwd=home)


def test_a_run_prints_its_estimate_first_and_the_reports_path_last(finished: tuple[Path, Typed]) -> None:
    home, done = finished
    assert done.code == 0, done.err
    lines = done.out.strip().splitlines()
    assert lines[0].startswith("2 trials to run, 0 done before; about ")
    assert lines[-1] == f"Report: {Path('run') / 'report.html'}"
    assert (home / "run" / "report.html").is_file()


@pytest.mark.usefixtures("unpainted")
def test_the_same_command_again_has_nothing_to_run(finished: tuple[Path, Typed]) -> None:
    again = typed(*TWO, cwd=finished[0])
    assert again.code == 0, again.err
    assert again.out.startswith("All 2 trials are done; ")


@pytest.mark.usefixtures("unpainted")
def test_a_tracker_that_fails_is_said_once_on_stderr_and_changes_no_result(
    finished: tuple[Path, Typed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, "odd", TrackerKind(__name__, "pytest", "odd=here"))
    done = typed(*TWO, "--track", "odd=here", cwd=finished[0])
    assert done.code == 0
    assert done.out.startswith("All 2 trials are done; ")
    assert [line for line in done.err.splitlines() if "tracker" in line] == [
        "The tracker odd=here failed (AttributeError: 'object' object has no attribute 'has_end') and is told no more; "
        "the run goes on, and the same command tells it later what it lacks."
    ]


def check_place(place: str) -> None:
    """Any place will do for the tracker that this module is."""


def open_tracker(place: str) -> object:
    """One that can do nothing."""
    return object()


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_tracker_that_cannot_be_is_refused_before_anything_is_written(tmp_path: Path, more: list[str]) -> None:
    done = typed(*TWO, "--track", "ml=x", *more, cwd=tmp_path)
    assert done.code == 2
    assert done.err.startswith("fbench: --track ml=x was given, and there is no tracker 'ml'.")
    assert not (tmp_path / "run").exists()


def test_status_counts_trials_in_words_and_in_json(finished: tuple[Path, Typed]) -> None:
    home, _ = finished
    assert "2 finished, 0 failed, 0 to run; cost is measured." in typed("status", "run", cwd=home).out
    rows = json.loads(typed("status", "run", "--json", cwd=home).out)["trials"]
    assert [(row["network"], row["status"]) for row in rows] == [
        ("lenet5", "finished"),
        ("lenet_count_matched", "finished"),
    ]


def test_a_dry_run_prints_trials_what_can_be_decided_and_time_and_writes_no_run(tmp_path: Path) -> None:
    done = typed("run", "--suite", "smoke", "--preset", "smoke", "--seeds", "5", "--dry-run", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "least p of the sign-flip test after Holm" in done.out
    assert "The sign-flip test cannot reach p < 0.05 with 5 seeds: all studies." in done.out  # 0.0625 at best
    assert "The margin is out of reach with 5 seeds and 2,048 test images" in done.out
    assert "Estimated time" in done.out
    assert not (tmp_path / "results").exists()


WAITING = """
import time
from pathlib import Path
from torch import nn
import fbench

class Waiting(nn.Module):
    def __init__(self, size, classes):
        super().__init__()
        self.linear = nn.Linear(size, classes)
    def forward(self, x):
        if self.training and not Path("go_on").exists():
            time.sleep(0.5)
        return self.linear(x.flatten(1))

@fbench.register("waiting")
def build(num_classes=7, in_channels=1, image_size=48):
    return Waiting(in_channels * image_size ** 2, num_classes)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.usefixtures("same_registry_afterwards", "unpainted")
def test_a_run_that_is_ended_keeps_its_work_names_what_is_left_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A trial of this network takes two seconds, of which the processor works a few hundredths."""
    (tmp_path / "mine.py").write_text(WAITING, encoding="utf-8")
    command = ["--arch", "waiting", "--plugin", "mine.py", "--preset", "smoke", "--seeds", "4", "--out", "run"]
    process = subprocess.Popen(
        [*COARSE, "run", *command, "--jobs", "2"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 200
    while not list((tmp_path / "run" / "trials").glob("*/record.json")) and time.monotonic() < deadline:
        time.sleep(0.1)
    workers = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGTERM)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 4, error
    assert psutil.wait_procs(workers, timeout=5)[1] == []
    assert "run the same command again to go on from there" in error
    assert "Traceback" not in error
    kept = {path.parent.name for path in (tmp_path / "run" / "trials").glob("*/record.json")}
    assert kept
    assert f"{4 - len(kept)} are still to run (waiting on synthetic, seed " in error
    checkpoints = {file.stem for file in (tmp_path / "run" / "checkpoints").iterdir()}
    assert checkpoints
    assert not checkpoints & kept
    assert not list((tmp_path / "run").rglob(".writing-*"))
    assert not (tmp_path / "run" / "lock.json").exists()
    (tmp_path / "go_on").touch()
    leave_cost_out(monkeypatch)
    again = typed("run", *command, "--jobs", "1", cwd=tmp_path)  # how many at a time is no part of a run
    assert again.code == 0, again.err
    assert f"{4 - len(kept)} trials to run, {len(kept)} done before" in again.out
    records = [json.loads(file.read_text()) for file in (tmp_path / "run" / "trials").glob("*/record.json")]
    assert {record["trial_id"] for record in records if record["resumed_after_steps"]} == checkpoints
    assert not (tmp_path / "run" / "checkpoints").exists()


DIVERGING = """
import torch
from torch import nn
import fbench

class Exploding(nn.Module):
    def __init__(self, size, classes):
        super().__init__()
        self.linear = nn.Linear(size, classes)
    def forward(self, x):
        return self.linear(x.flatten(1)) * float("inf")

@fbench.register("exploding")
def build(num_classes=7, in_channels=1, image_size=48):
    return Exploding(in_channels * image_size ** 2, num_classes)
"""


@pytest.mark.parametrize("plugin", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["session", "plugin"])
@pytest.mark.usefixtures("same_registry_afterwards", "unpainted")
def test_a_run_with_a_failed_trial_finishes_the_rest_and_exits_with_three(
    plugin: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network is one of this session, or of a plug-in, which runs in worker processes."""
    leave_cost_out(monkeypatch)
    (tmp_path / "mine.py").write_text(DIVERGING, encoding="utf-8")
    if not plugin:
        runpy.run_path(str(tmp_path / "mine.py"))
    networks = ["--arch", "exploding", "--against", "lenet5", *(["--plugin", "mine.py"] if plugin else [])]
    done = typed("run", *networks, "--preset", "smoke", "--jobs", "1", "--out", "run", cwd=tmp_path)
    assert done.code == 3, done.err
    assert "exploding on synthetic, seed 0: diverged" in done.err
    status = json.loads(typed("status", "run", "--json", cwd=tmp_path).out)["trials"]
    assert {row["network"]: row["status"] for row in status} == {"lenet5": "finished", "exploding": "failed"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--suite", "ablation"], "Did you mean 'ablations'?"),
        (["run", "--suite", "nowhere.toml"], "nowhere.toml"),
        (["run", "--arch", "irez"], "Did you mean 'ires'?"),
        (["run", "--seeds", "0"], "--seeds 0"),
        (["run", "--device", "tpu"], "no device 'tpu'"),
        (["run", "--data", "fer2013=nowhere.csv"], "nowhere.csv"),
        (["run", "--only", "squeeze_exite"], "Did you mean 'squeeze_excite'?"),
        pytest.param(["run", "--plugin", "raises.py"], "raises.py", marks=pytest.mark.slow),
        pytest.param(["run", "--plugin", "taken.py"], "ires", marks=pytest.mark.slow),
        (["run", "--suite", "bad.toml"], "unknown key 'studys'. Did you mean 'studies'?"),
        (["run", "--against", "ires"], "--arch"),
        pytest.param(
            ["run", "--arch", "wide", "--plugin", "wide.py"],
            "gives (1, 8) for one image, and there are 7 classes",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ["run", "--arch", "broken", "--plugin", "broken.py"],
            "The network 'broken' raised RuntimeError",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            ["show", "broken", "--plugin", "broken.py"],
            "The network 'broken' raised RuntimeError",
            marks=pytest.mark.slow,
        ),
        (["run", "--arch", "lenet5", "--out", "bad.toml"], "cannot be written to bad.toml (it is no folder)"),
        (["status", "nowhere"], "not a run folder"),
        (["report", "nowhere"], "not a run folder"),
    ],
)
@pytest.mark.usefixtures("same_registry_afterwards")
def test_bad_input_is_one_sentence_and_exit_code_two(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "raises.py").write_text("raise RuntimeError('no')", encoding="utf-8")
    (tmp_path / "taken.py").write_text(DIVERGING.replace('"exploding"', '"ires"'), encoding="utf-8")
    wide = DIVERGING.replace('"exploding"', '"wide"').replace("image_size ** 2, num_classes", "image_size ** 2, 8")
    broken = DIVERGING.replace('"exploding"', '"broken"').replace("x.flatten(1)", "x.flatten(1)[:, :5]")
    (tmp_path / "wide.py").write_text(wide, encoding="utf-8")
    (tmp_path / "broken.py").write_text(broken, encoding="utf-8")
    (tmp_path / "bad.toml").write_text("title = 'x'\nstudys = []\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["fbench", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr().err
    assert ended.value.code == 2, printed
    assert message in printed
    assert len(printed.strip().splitlines()) == 1
    assert not (tmp_path / "results").exists()


def test_the_version_is_printed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fbench.cli", "--version"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.startswith("fbench ")


def test_debug_shows_where_an_error_rose(tmp_path: Path) -> None:
    usual = typed("run", "--suite", "ablation", cwd=tmp_path)
    assert (usual.code, len(usual.err.splitlines())) == (2, 1)
    with pytest.raises(UserError, match="Did you mean 'ablations'"):  # which Python then shows with a traceback
        typed("run", "--suite", "ablation", "--debug", cwd=tmp_path)
