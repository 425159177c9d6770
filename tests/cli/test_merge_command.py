"""A run in parts and in a limited time, as a person types it, and what makes one of the parts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from coarse_fbench import leave_cost_out
from typed import typed

from fbench.benchmark.runs import stopping

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("faces_at_hand", "unpainted")]
PARTS = ["run", "--arch", "lenet5", "--preset", "smoke", "--jobs", "1", "--seeds", "2"]


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory, rendered_faces: Path) -> Path:
    """A folder with both shards of a run; read it only."""
    home = tmp_path_factory.mktemp("shards")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FBENCH_CACHE_DIR", str(shutil.copytree(rendered_faces, home / "cache")))
        first, second = (typed(*PARTS, "--shard", f"{number}/2", cwd=home) for number in (1, 2))
    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert first.out.splitlines()[-1] == (
        "Shard 1/2 is done, with 1 of the run's 2 trials, in "
        f"{Path('results') / 'lenet5-synthetic-smoke-shard-1-of-2'}. When all are: fbench merge SHARD... --out RUN"
    )
    return home


def names(home: Path) -> list[str]:
    return sorted(str(path) for path in (home / "results").iterdir())


def test_shards_have_no_report_and_their_merged_run_has(shards: Path, tmp_path: Path) -> None:
    assert not list(shards.rglob("report.html"))
    done = typed("merge", *names(shards), "--out", str(tmp_path / "whole"), cwd=shards)
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1] == f"Report: {tmp_path / 'whole' / 'report.html'}"
    assert (tmp_path / "whole" / "report.html").is_file()
    assert done.err.startswith(
        "Cost is not measured in parts of a run, which may share a machine; here: fbench run --arch"
    )
    assert done.err.strip().endswith(f"--seeds 2 --out {tmp_path / 'whole'}")


def test_half_of_a_run_is_refused_and_named_where_it_is_wanted(shards: Path, tmp_path: Path) -> None:
    half = names(shards)[0]
    refused = typed("merge", half, "--out", str(tmp_path / "half"), cwd=shards)
    assert (refused.code, (tmp_path / "half").exists()) == (2, False)
    assert refused.err.startswith("fbench: Of 2 shards these are missing: 2/2; ")
    partial = typed("merge", half, "--partial", "--out", str(tmp_path / "half"), cwd=shards)
    assert partial.code == 4
    assert partial.err.splitlines()[-1] == "1 trials of this run are still to run."
    assert "1 not run yet" in (tmp_path / "half" / "report.html").read_text()


def test_a_shard_that_cannot_be_meant_is_refused(tmp_path: Path) -> None:
    refused = typed(*PARTS, "--shard", "3/2", cwd=tmp_path)
    assert (refused.code, len(refused.err.splitlines())) == (2, 1)


def test_a_program_gets_the_shard_as_json(shards: Path) -> None:
    done = typed(*PARTS, "--shard", "1/2", "--json", cwd=shards)
    last = json.loads(done.out.splitlines()[-1])
    assert last == {
        "run": str(Path("results") / "lenet5-synthetic-smoke-shard-1-of-2"),
        "shard": "1/2",
        "finished": 1,
        "failed": 0,
        "planned_in_all_shards": 2,
    }


def test_a_time_in_which_no_trial_ends_is_refused(tmp_path: Path) -> None:
    refused = typed(*PARTS, "--time-budget", "15s", cwd=tmp_path)  # as long as it takes to stop
    assert refused.code == 2
    assert "of 15 s, 0 s are left for trials, and the shortest that is still to run takes" in refused.err


@pytest.mark.slow
def test_a_trial_that_is_cut_off_by_the_time_goes_on_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_cost_out(monkeypatch)
    monkeypatch.setattr(stopping, "STOP_S", 0.0)
    monkeypatch.setattr("fbench.benchmark.cost.estimate._estimate_s", lambda spec, device: 0.1)  # and takes longer
    command = [*PARTS, "--epochs", "6"]
    cut = typed(*command, "--time-budget", "2s", cwd=tmp_path)
    assert cut.code == 4, cut.err
    assert "are still to run" in cut.err or "1 are still to run" in cut.err
    (run,) = (tmp_path / "results").iterdir()
    assert len(list((run / "checkpoints").iterdir())) == 1
    done = typed(*command, cwd=tmp_path)
    assert done.code == 0, done.err
    records = [json.loads(file.read_text()) for file in run.glob("trials/*/record.json")]
    assert [bool(record["resumed_after_steps"]) for record in records].count(True) == 1
