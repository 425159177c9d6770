"""One run of its parts: whole, or named as not; nothing of another run, and no two results of one trial."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coarse_fbench import leave_cost_out
from support import two_lenets, use_stripes

from fbench.benchmark.runs.merge_plan import plan_merge, refuse_half
from fbench.benchmark.runs.merging import carry_out_merge
from fbench.benchmark.runs.planning import plan_run
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.runs.session import run
from fbench.benchmark.runs.shards import Shard
from fbench.benchmark.store.run_check import check_run
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.run_table import load_run
from fbench.core.contained import ContainedPath
from fbench.core.errors import UserError
from fbench.reports.render.html.build import gather_report
from tests.kept_hashes import keep_hashes


@pytest.fixture(autouse=True)
def tiny_data(monkeypatch: pytest.MonkeyPatch) -> None:
    use_stripes(monkeypatch)
    leave_cost_out(monkeypatch)


def request_in(out: Path, **changes: Any) -> RunRequest:
    request = RunRequest(suite=two_lenets(), preset="smoke", seeds=2, jobs=1, device="cpu", out=out)
    return replace(request, **changes)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run, and two shards of it; tests work on copies."""
    home = tmp_path_factory.mktemp("shards")
    with pytest.MonkeyPatch.context() as patch:
        use_stripes(patch)
        leave_cost_out(patch)
        patch.setenv("FBENCH_CACHE_DIR", str(home / "cache"))
        run(request_in(home / "whole"))
        for number in (1, 2):
            patch.setenv("FBENCH_CACHE_DIR", str(home / f"cache-{number}"))
            run(request_in(home / f"shard-{number}", shard=Shard(number, 2)))
    return home


@pytest.fixture
def parts(made: Path, tmp_path: Path) -> Path:
    for name in ("whole", "shard-1", "shard-2"):
        shutil.copytree(made / name, tmp_path / name)
    return tmp_path


def both(parts: Path) -> list[Path]:
    return [parts / "shard-1", parts / "shard-2"]


def test_shards_make_the_run_that_one_machine_would_have_made(parts: Path) -> None:
    plan = plan_merge(both(parts))
    refuse_half(plan)
    merged = load_run(carry_out_merge(plan, parts / "merged").path)
    whole = load_run(parts / "whole")
    assert merged.plan == whole.plan
    assert merged.config.shard is None
    assert set(merged.trials) == set(whole.trials)
    for trial_id, record in whole.trials.items():
        assert merged.trials[trial_id].test == record.test
        ours, theirs = merged.predictions(merged.trials[trial_id]), whole.predictions(record)
        assert np.array_equal(ours["test"].predicted, theirs["test"].predicted)
    assert merged.audits.keys() == whole.audits.keys()
    assert len(merged.test_readings) == len(whole.trials)
    check = check_run(merged.folder)
    assert [one for one in check.found if one.outcome != "note"] == []


def test_a_merged_run_is_gone_on_with_as_any_other(parts: Path) -> None:
    carry_out_merge(plan_merge(both(parts)), parts / "merged")
    again = plan_run(request_in(parts / "merged", seeds=3))
    assert len(again.pending) == 2  # the third seed of both networks
    with pytest.raises(UserError, match="different shard"):
        plan_run(request_in(parts / "shard-1"))


def test_merging_twice_changes_nothing(parts: Path) -> None:
    folder = carry_out_merge(plan_merge(both(parts)), parts / "merged")
    before = {file: file.read_bytes() for file in folder.path.rglob("*.json")}
    carry_out_merge(plan_merge(both(parts)), parts / "merged")
    assert {file: file.read_bytes() for file in folder.path.rglob("*.json")} == before


def test_a_merge_that_was_cut_off_lacks_trials_and_goes_on(parts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    real = RunFolder.take_trial

    def cut_off(self: RunFolder, other: RunFolder, trial_id: str) -> None:
        if len(taken) == 2:
            raise KeyboardInterrupt
        taken.append(trial_id)
        real(self, other, trial_id)

    monkeypatch.setattr(RunFolder, "take_trial", cut_off)
    with pytest.raises(KeyboardInterrupt):
        carry_out_merge(plan_merge(both(parts)), parts / "merged")
    half = load_run(parts / "merged")
    assert len(half.missing()) == 2
    (section,) = gather_report([half]).data_sections
    assert section.overview.recommendation.sentence == "No recommendation yet: 2 of 4 trials are not run yet."
    monkeypatch.setattr(RunFolder, "take_trial", real)
    assert load_run(carry_out_merge(plan_merge(both(parts)), parts / "merged").path).missing() == []


def test_a_missing_shard_is_named(parts: Path) -> None:
    plan = plan_merge([parts / "shard-2"])
    with pytest.raises(UserError, match="Of 2 shards these are missing: 1/2; give them too, or --partial"):
        refuse_half(plan)
    half = load_run(carry_out_merge(plan, parts / "merged").path)
    assert len(half.missing()) == len(plan.still_to_run) == 2


def test_trials_that_are_still_to_run_are_named(parts: Path) -> None:
    (trial, _) = (parts / "shard-2" / "trials").iterdir()
    shutil.rmtree(trial)
    with pytest.raises(
        UserError, match=r"^1 trial is still to run, the first of them (narrow|lenet5) on stripes, seed"
    ):
        refuse_half(plan_merge(both(parts)))


def changed_json(file: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


OTHER_RUNS = {
    "data": lambda config: config["data"][0].update(fingerprint="0" * 64),
    "preset": lambda config: config["budget"].update(image_passes=999),
    "protocol": lambda config: config["protocol"]["optimizer"].update(learning_rate=0.5),
    "numerics version": lambda config: config["numerics"].update(numerics_version=1),
    "numerics (device": lambda config: config["numerics"].update(precision="bf16"),
}


@pytest.mark.parametrize("what", OTHER_RUNS)
def test_parts_of_other_runs_are_refused_by_name(parts: Path, what: str) -> None:
    changed_json(parts / "shard-2" / "run.json", OTHER_RUNS[what])
    with pytest.raises(UserError) as refused:
        plan_merge(both(parts))
    assert "shard-2 are no parts of one run (different " in str(refused.value)
    assert what in str(refused.value)


def test_shards_of_other_divisions_are_refused(parts: Path) -> None:
    changed_json(parts / "shard-2" / "run.json", lambda config: config.update(shard="2/3"))
    with pytest.raises(UserError, match=r"shard 1/2 and .* shard 2/3, which are parts of different divisions"):
        plan_merge(both(parts))


def test_a_network_whose_code_has_changed_is_refused(parts: Path) -> None:
    def another(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            if row["network"] == "lenet5":
                row["trial_id"] = row["trial_id"][::-1]

    changed_json(parts / "shard-2" / "plan.json", another)
    with pytest.raises(UserError, match="The code or options of 'lenet5' are not the same in"):
        plan_merge(both(parts))


def test_equal_trials_of_two_runs_are_taken_once_and_others_refused(parts: Path) -> None:
    refuse_half(plan_merge([parts / "whole", *both(parts)]))
    (first, _) = (parts / "shard-1" / "trials").iterdir()
    changed_json(first / "record.json", lambda record: record["test"].update(top1=0.125))
    keep_hashes(ContainedPath(first))
    with pytest.raises(
        UserError, match=f"trial {first.name}\\) has other results in .*whole than in .*shard-1; leave one"
    ):
        plan_merge([parts / "whole", *both(parts)])


def test_trainings_of_two_versions_of_pytorch_are_refused(parts: Path) -> None:
    for trial in (parts / "shard-2" / "trials").iterdir():
        changed_json(trial / "record.json", lambda record: record["machine"]["versions"].update(torch="2.1.0"))
        keep_hashes(ContainedPath(trial))
    with pytest.raises(UserError, match=r"has trainings of PyTorch 2\.\d+"):
        plan_merge(both(parts))


def test_one_run_that_is_whole_and_a_place_that_is_taken_are_refused(parts: Path) -> None:
    with pytest.raises(UserError, match="whole alone was given to be merged, and is whole; give two runs at least"):
        plan_merge([parts / "whole"])
    with pytest.raises(UserError, match="is not a run folder"):
        plan_merge([parts / "shard-1", parts])
    with pytest.raises(UserError, match="is one of the runs to be merged"):
        carry_out_merge(plan_merge(both(parts)), parts / "shard-1")
    (parts / "mine").mkdir()
    (parts / "mine" / "thesis.tex").write_text("")
    with pytest.raises(UserError, match="is no run and no empty folder"):
        carry_out_merge(plan_merge(both(parts)), parts / "mine")


def first_trial(run: Path) -> Path:
    return sorted((run / "trials").iterdir())[0]


def test_a_damaged_trial_is_named_with_its_run_before_anything_is_written(parts: Path) -> None:
    trial = first_trial(parts / "shard-1")
    (trial / "predictions.npz").unlink()
    message = (
        rf"Trial {trial.name} in .*shard-1 is damaged \(predictions.npz is missing\); `fbench doctor .*shard-1` moves"
    )
    with pytest.raises(UserError, match=message):
        plan_merge([parts / "shard-1", parts / "shard-2"])


def test_a_record_that_was_changed_is_never_taken(parts: Path) -> None:
    record = first_trial(parts / "shard-1") / "record.json"
    values = json.loads(record.read_text())
    values["test"]["top1"] = 0.9
    record.write_text(json.dumps(values))
    with pytest.raises(UserError, match=r"is damaged \(record.json is not what was written\)"):
        plan_merge([parts / "shard-1", parts / "shard-2"])


def test_of_two_copies_of_a_trial_the_whole_one_is_taken(parts: Path) -> None:
    copy = Path(shutil.copytree(parts / "shard-1", parts / "copy"))
    (first_trial(copy) / "predictions.npz").unlink()
    plan = plan_merge([copy, parts / "shard-1", parts / "shard-2"])
    assert plan.taken[first_trial(copy).name].folder.path == parts / "shard-1"


def test_parts_of_other_seeds_are_refused_by_name(parts: Path) -> None:
    run(request_in(parts / "more", shard=Shard(2, 2), seeds=3))
    with pytest.raises(UserError, match=r"shard-1 and .*more were planned with different seeds"):
        plan_merge([parts / "shard-1", parts / "more"])
