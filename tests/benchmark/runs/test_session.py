"""A run from the request to the table, on a tiny data set that takes the place of the embedded one."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from coarse_fbench import leave_cost_out
from support import make_stripes, two_lenets

import fbench
from fbench.ablations.library import load_suite
from fbench.ablations.suite import Suite, adhoc_suite
from fbench.benchmark.data import loaded
from fbench.benchmark.data.copies import treat_copies
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.references import parse_reference, resolve_reference
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.records.events import Ended, Event
from fbench.benchmark.records.interim_analyses import InterimAnalysis
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.records.specs import NetworkSpec
from fbench.benchmark.runs import local_executor
from fbench.benchmark.runs.listener import RunListener
from fbench.benchmark.runs.planning import plan_groups, plan_run
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.runs.session import carry_out, run
from fbench.benchmark.runs.stopping import Stopping, UnfinishedRunError
from fbench.benchmark.store.hashes import keep_hash
from fbench.benchmark.store.ledger import read_ledger
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.run_table import RunTable
from fbench.benchmark.store.trial_result import TrialResult
from fbench.core.errors import UserError
from fbench.core.locks import locked
from fbench.reports.findings.comparisons.alike import require_one_making

SUITE = two_lenets()


@pytest.fixture(autouse=True)
def tiny_data(monkeypatch: pytest.MonkeyPatch) -> None:
    stripes = make_stripes()
    monkeypatch.setattr("fbench.benchmark.runs.planning.load_dataset", lambda reference: stripes)
    monkeypatch.setattr(loaded, "_load_once", lambda reference: stripes)


@pytest.fixture
def no_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs measure no cost: for tests that look at trials alone."""
    leave_cost_out(monkeypatch)


def request_in(folder: Path, **changes: object) -> RunRequest:
    values: dict[str, object] = {
        "suite": SUITE,
        "preset": "smoke",
        "seeds": 2,
        "jobs": 1,
        "device": "cpu",
        "out": folder / "run",
    }
    return RunRequest(**(values | changes))  # type: ignore[arg-type] # the tests give fields of the right types


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One finished run with its ledger; tests work on copies."""
    home = tmp_path_factory.mktemp("reference")
    with pytest.MonkeyPatch.context() as patch:
        stripes = make_stripes()
        patch.setattr("fbench.benchmark.runs.planning.load_dataset", lambda reference: stripes)
        patch.setattr(loaded, "_load_once", lambda reference: stripes)
        patch.setenv("FBENCH_CACHE_DIR", str(home / "cache"))
        run(request_in(home))
    return home


@pytest.fixture
def finished(reference: Path, tmp_path: Path, own_cache: Path) -> RunTable:
    """A copy of the finished run in ``tmp_path / "run"``, with the ledger it left."""
    shutil.copytree(reference / "run", tmp_path / "run")
    shutil.copytree(reference / "cache", own_cache, dirs_exist_ok=True)
    return fbench.load_run(tmp_path / "run")


def test_a_run_has_every_trial_with_its_files_and_one_measurement_of_cost(finished: RunTable) -> None:
    assert finished.networks == ("narrow", "lenet5")
    assert finished.missing() == []
    assert finished.failed() == []
    for record in finished.trials.values():
        names = {path.name for path in finished.folder.trial_folder(record.trial_id).iterdir()}
        assert names - {"maps.npz"} == {
            "record.json",
            "history.csv",
            "predictions.npz",
            "logits.npz",
            "weights.safetensors",
            "sha256.json",
        }
        assert ("maps.npz" in names) == (record.spec.seed == 0)
        description = finished.folder.network(record.spec.network.digest)
        assert description is not None
        assert description.counts.macs == record.macs
    (cost,) = finished.costs
    assert set(cost.static) == {"narrow", "lenet5"}


def test_accuracy_recomputed_from_stored_predictions_is_the_recorded_one(finished: RunTable) -> None:
    labels = make_stripes().labels[make_stripes().rows("test")]
    for record in finished.trials.values():
        stored = finished.predictions(record)["test"]
        assert record.test is not None
        assert float(np.mean(stored.predicted == labels)) == record.test.top1


def test_a_trained_network_is_loaded_by_its_trial(finished: RunTable) -> None:
    record = next(iter(finished.trials.values()))
    network = fbench.load_model(finished.folder.path, record.trial_id)
    assert not network.training
    assert sum(p.numel() for p in network.parameters()) == record.trainable_params
    with pytest.raises(UserError, match="has no trial"):
        fbench.load_model(finished, "0" * 16)


def test_paired_differences_are_differences_of_correctness(finished: RunTable) -> None:
    seeds, differences = finished.paired_differences("lenet5", "narrow", "stripes")
    assert seeds == (0, 1)
    a, b = (finished.correctness(name, "stripes").correct.astype(int) for name in ("lenet5", "narrow"))
    np.testing.assert_array_equal(differences, a - b)


def test_the_same_request_again_runs_nothing(
    finished: RunTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a trial ran again")

    monkeypatch.setattr(local_executor, "attempt", forbidden)
    again = run(request_in(tmp_path))
    assert again.trials == finished.trials
    assert again.costs == finished.costs


def test_the_same_request_again_adds_missing_maps(finished: RunTable, tmp_path: Path) -> None:
    files = {file: file.read_bytes() for file in finished.folder.path.rglob("maps.npz")}
    assert len(files) == 2
    missing = next(iter(files))
    missing.unlink()
    run(request_in(tmp_path))
    assert {file: file.read_bytes() for file in finished.folder.path.rglob("maps.npz")} == files


def test_maps_that_cannot_be_made_do_not_fail_the_run_and_are_told(
    finished: RunTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no such layer")

    for file in finished.folder.path.rglob("maps.npz"):
        file.unlink()
    told: dict[str, str] = {}

    class Listener(RunListener):
        def left_without_maps(self, failures: dict[str, str]) -> None:
            told.update(failures)

    monkeypatch.setattr("fbench.benchmark.maps.making.make_maps", fail)
    assert run(request_in(tmp_path), Listener()).trials == finished.trials
    assert set(told.values()) == {"RuntimeError: no such layer"}
    assert not list(finished.folder.path.rglob("maps.npz"))


def test_more_seeds_extend_the_run(finished: RunTable, tmp_path: Path) -> None:
    plan = plan_run(request_in(tmp_path, seeds=3))
    assert {spec.seed for spec in plan.pending} == {2}
    extended = run(request_in(tmp_path, seeds=3))
    assert len(extended.trials) == 6
    assert {row.seed for row in extended.plan if row.added_after_results} == {2}
    again = run(request_in(tmp_path, seeds=3))
    assert {row.seed for row in again.plan if row.added_after_results} == {2}
    assert {key: extended.trials[key] for key in finished.trials} == finished.trials


def test_a_failed_trial_is_tried_again_unless_it_is_kept(finished: RunTable, tmp_path: Path) -> None:
    victim = next(iter(finished.trials.values()))
    file = finished.folder.trial_folder(victim.trial_id) / "record.json"
    values = victim.model_copy(update={"status": "failed", "failure_reason": "once"})
    file.write_text(values.model_dump_json(), encoding="utf-8")
    assert plan_run(request_in(tmp_path, keep_failed=True)).pending == ()
    assert [spec.trial_id for spec in plan_run(request_in(tmp_path)).pending] == [victim.trial_id]
    assert run(request_in(tmp_path)).trials[victim.trial_id].status == "finished"


def with_pytorch(run: RunTable, version: str) -> None:
    """Write a run's records as if they were made with another version of PyTorch."""
    for trial_id, record in run.trials.items():
        machine = record.machine.model_copy(update={"versions": record.machine.versions | {"torch": version}})
        file = run.folder.trial_folder(trial_id) / "record.json"
        file.write_text(record.model_copy(update={"machine": machine}).model_dump_json(), encoding="utf-8")
        keep_hash(run.folder.trial_files(trial_id), run.folder.trial_files(trial_id) / "record.json")


def test_trainings_of_another_pytorch_get_no_more_seeds_here(finished: RunTable, tmp_path: Path) -> None:
    with_pytorch(finished, "1.99.0+cpu")
    assert plan_run(request_in(tmp_path)).pending == ()
    with pytest.raises(UserError, match=r"has trainings of PyTorch 1\.99, and this run has others of PyTorch 2\."):
        plan_run(request_in(tmp_path, seeds=3))
    other = request_in(tmp_path, out=tmp_path / "second", take_from=(finished.folder.path,))
    assert plan_run(other).remaining == []
    with pytest.raises(UserError, match=f"{finished.folder.path} has trainings"):
        plan_run(replace(other, seeds=3))


@pytest.mark.usefixtures("no_cost")
def test_trials_are_taken_from_another_run(finished: RunTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_executor, "attempt", None)  # any call would raise
    request = request_in(tmp_path, out=tmp_path / "second", take_from=(finished.folder.path,))
    assert run(request).trials == finished.trials


def test_a_damaged_trial_or_one_of_other_data_is_not_taken(finished: RunTable, tmp_path: Path) -> None:
    request = request_in(tmp_path, out=tmp_path / "second", take_from=(finished.folder.path,))
    trial_id, record = next(iter(finished.trials.items()))
    files = finished.folder.trial_files(trial_id)
    whole = (files.path / "predictions.npz").read_bytes()
    (files.path / "predictions.npz").write_bytes(b"damaged")
    with pytest.raises(UserError, match=r"predictions.npz is not what was written; mend it with `fbench doctor "):
        plan_run(request)
    (files.path / "predictions.npz").write_bytes(whole)
    data = record.spec.data.model_copy(update={"image_shape": (1, 100_000, 100_000)})
    spec = record.spec.model_copy(update={"data": data})
    (files.path / "record.json").write_text(record.model_copy(update={"spec": spec}).model_dump_json())
    keep_hash(files, files / "record.json")
    with pytest.raises(UserError, match="is no trial of the settings in its record"):
        plan_run(request)


@pytest.mark.slow
def test_workers_give_the_bits_of_one_process(
    tmp_path: Path, rendered_faces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Worker processes load data themselves, so this one runs on the embedded data set."""
    monkeypatch.undo()
    monkeypatch.setenv("FBENCH_CACHE_DIR", str(shutil.copytree(rendered_faces, tmp_path / "cache")))
    leave_cost_out(monkeypatch)
    suite = adhoc_suite(["lenet5"])
    tables = [run(request_in(tmp_path, suite=suite, jobs=jobs, out=tmp_path / f"jobs{jobs}")) for jobs in (1, 2)]
    for trial_id, record in tables[0].trials.items():
        other = tables[1].trials[trial_id]
        assert (record.test, record.validation) == (other.test, other.validation)
        weights = [t.folder.trial_folder(trial_id) / "weights.safetensors" for t in tables]
        assert weights[0].read_bytes() == weights[1].read_bytes()


def test_an_interrupt_keeps_what_was_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = local_executor.attempt, []

    def interrupted(*args: object) -> TrialResult:
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*args)  # type: ignore[arg-type] # passed through as they came

    monkeypatch.setattr(local_executor, "attempt", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(request_in(tmp_path))
    assert len(RunFolder.open(tmp_path / "run").trials()) == 2
    assert len(plan_run(request_in(tmp_path)).pending) == 2


@pytest.mark.usefixtures("no_cost")
def test_a_run_that_is_asked_to_stop_names_what_is_left(tmp_path: Path) -> None:
    stopping = Stopping()

    class Stopper(RunListener):
        def happened(self, event: Event) -> None:
            if isinstance(event, Ended) and not getattr(self, "asked", False):
                self.asked = True
                stopping.ask()

    with pytest.raises(
        UnfinishedRunError, match=r"^3 trials are still to run: (lenet5|narrow) on stripes, seed "
    ) as left:
        carry_out(plan_run(request_in(tmp_path)), None, Stopper(), stopping)
    pending = {spec.trial_id for spec in plan_run(request_in(tmp_path)).pending}
    assert {spec.trial_id for spec in left.value.left} == pending
    with pytest.raises(KeyboardInterrupt):
        stopping.ask()  # nothing runs that could stop where it can be gone on with


@pytest.mark.usefixtures("no_cost")
def test_a_trial_that_an_executor_loses_is_named_as_still_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = local_executor.LocalExecutor.run

    def losing(*arguments: Any) -> Iterator[TrialResult]:
        results = real(*arguments)
        next(results)  # trained, and given to nobody
        yield from results

    monkeypatch.setattr(local_executor.LocalExecutor, "run", losing)
    with pytest.raises(UnfinishedRunError, match=r"^1 trial is still to run"):
        run(request_in(tmp_path))


def test_a_run_in_the_folder_of_another_process_is_refused(finished: RunTable, tmp_path: Path) -> None:
    with locked(finished.folder.path, "The run"), pytest.raises(UserError, match="is at work in process"):
        run(request_in(tmp_path))


@pytest.mark.usefixtures("no_cost")
def test_what_another_process_did_meanwhile_is_not_done_again(
    finished: RunTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = finished.folder.path.rename(tmp_path / "done")
    plan = plan_run(request_in(tmp_path))
    assert len(plan.pending) == 4
    done.rename(finished.folder.path)
    monkeypatch.setattr(local_executor, "attempt", None)  # any call would raise
    assert carry_out(plan, None, RunListener()).trials == finished.trials


@pytest.mark.usefixtures("no_cost")
def test_what_killed_processes_left_goes_and_nothing_else_does(finished: RunTable, tmp_path: Path) -> None:
    folder, before = finished.folder.path, set(finished.folder.path.rglob("*"))
    trial = next(iter(finished.trials))
    for name in (".writing-1", "trials/.writing-2", f"trials/{trial}/.writing-3"):
        shutil.copytree(folder / "networks", folder / name)
    finished.folder.checkpoints.mkdir()
    for name in (trial, "0" * 16):  # of one that has a record, and of one that is still to run
        (finished.folder.checkpoints / f"{name}.safetensors").touch()
    for name, age_s in ((".writing-old", 7200), (".writing-now", 0)):  # the second may be a report's
        (folder / name).touch()
        os.utime(folder / name, (time.time() - age_s,) * 2)
    assert fbench.load_run(folder).trials == finished.trials  # also before they are gone
    assert run(request_in(tmp_path)).trials == finished.trials
    left = {finished.folder.checkpoints, finished.folder.checkpoints / f"{'0' * 16}.safetensors"}
    assert set(folder.rglob("*")) - before == left | {folder / ".writing-now"}


def test_a_folder_that_a_run_left_when_it_was_killed_at_its_start_is_new(tmp_path: Path) -> None:
    (tmp_path / "run" / ".writing-1").mkdir(parents=True)
    (tmp_path / "run" / "lock.json").write_text("{}")
    assert len(plan_run(request_in(tmp_path)).pending) == 4


@pytest.mark.usefixtures("no_cost")
@pytest.mark.parametrize("instead", ["nothing", "another run"])
def test_a_folder_that_is_removed_while_its_run_is_at_work_is_not_made_again_in_part(
    tmp_path: Path, instead: str
) -> None:
    class Removes(RunListener):
        def happened(self, event: Event) -> None:
            if isinstance(event, Ended) and not (tmp_path / "aside").exists():
                (tmp_path / "run").rename(tmp_path / "aside")
                if instead == "another run":
                    (tmp_path / "run").mkdir()
                    (tmp_path / "run" / "run.json").write_bytes((tmp_path / "aside" / "run.json").read_bytes())

    with pytest.raises(UserError, match="was removed or replaced while it was at work; run the same command again"):
        run(request_in(tmp_path), Removes())
    left = {file.name for file in (tmp_path / "run").rglob("*")} if (tmp_path / "run").exists() else set()
    assert left == ({"run.json"} if instead == "another run" else set())
    assert len(run(request_in(tmp_path)).trials) == 4


def test_the_ledger_counts_every_reading_of_the_test_split(finished: RunTable) -> None:
    fingerprint = make_stripes().fingerprint
    readings = [json.loads(line) for line in read_ledger(fingerprint)]
    assert sorted(r["trial_id"] for r in readings) == sorted(finished.trials)
    assert {r["rows"] for r in readings} == {30}
    assert finished.folder.test_readings() == readings


def test_a_folder_of_another_configuration_is_refused_by_the_field_that_differs(
    finished: RunTable, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="different preset"):
        plan_run(request_in(tmp_path, preset="quick"))
    with pytest.raises(UserError, match="different suite"):
        plan_run(request_in(tmp_path, suite=adhoc_suite(["lenet5"])))


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("precious", encoding="utf-8")
    with pytest.raises(UserError, match="is no run and no empty folder"):
        plan_run(request_in(tmp_path))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seeds": 0}, "--seeds 0"),
        ({"jobs": 0}, "--jobs 0"),
        ({"device": "gpu"}, "no device 'gpu'"),
        ({"device": "cuda:99"}, "CUDA devices"),
        ({"suite": "ablation"}, "Did you mean 'ablations'"),
        ({"suite": adhoc_suite(["irez"])}, "Did you mean 'ires'"),
        ({"preset": "standart"}, "Did you mean 'standard'"),
        ({"only": ("shape",)}, "no study 'shape'"),
        ({"data": ("fer2014=/x",)}, "fer2013"),
    ],
)
def test_bad_requests_are_one_sentence_and_write_nothing(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        plan_run(request_in(tmp_path, **changes))
    assert list(tmp_path.iterdir()) == []


def test_data_that_changed_after_planning_are_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_run(request_in(tmp_path))
    stripes = make_stripes()
    monkeypatch.setattr(loaded, "_load_once", lambda reference: replace(stripes, images=255 - stripes.images))
    with pytest.raises(UserError, match=r"^The data set stripes has changed since this run was planned; put its files"):
        carry_out(plan, None, RunListener())


def test_numerics_are_repeated_from_another_run(finished: RunTable, tmp_path: Path) -> None:
    file = finished.folder.path / "run.json"
    values = json.loads(file.read_text(encoding="utf-8"))
    values["numerics"]["microbatch"] = 16
    file.write_text(json.dumps(values), encoding="utf-8")
    plan = plan_run(request_in(tmp_path, out=tmp_path / "second", numerics_of=finished.folder.path))
    assert {spec.numerics.microbatch for spec in plan.specs} == {16}
    values["numerics"]["device_kind"] = "cuda"
    file.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(UserError, match="is a run on cuda and this one is on cpu"):
        plan_run(request_in(tmp_path, out=tmp_path / "third", numerics_of=finished.folder.path))


def leaky_stripes() -> ImageDataset:
    """Stripes in which ten test images are also training images."""
    base = make_stripes()
    images = base.images.copy()
    images[base.rows("test")[:10]] = images[base.rows("train")[:10]]
    return replace(base, images=images)


def test_a_run_keeps_what_is_wrong_with_its_data(finished: RunTable) -> None:
    audit = finished.audits["stripes"]
    assert audit.images_by_split_and_class["train"] == (32, 32, 32)
    assert audit.test_rows_with_copies == ()
    assert audit.near is None


@pytest.mark.usefixtures("no_cost")
def test_the_leakage_study_trains_with_without_and_with_fewer_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = leaky_stripes()

    def load(reference: DataReference) -> ImageDataset:
        resolved = resolve_reference(reference)
        return treat_copies(data, resolved.options["copies"], resolved.label.replace("synthetic", "stripes"))

    monkeypatch.setattr("fbench.benchmark.runs.planning.load_dataset", load)
    monkeypatch.setattr("fbench.benchmark.runs.expansion.load_dataset", load)
    monkeypatch.setattr(loaded, "_load_once", lambda reference: load(parse_reference(reference)))
    small = Suite.model_validate_json(load_suite("leakage").model_dump_json().replace("ires", "lenet5"))
    table = run(request_in(tmp_path, suite=small, only=("lenet5",), seeds=1))
    assert table.failed() == []
    specs = {row.network: table.trials[row.trial_id].spec for row in table.plan}
    trained_on = {network: spec.data.images_by_split["train"] for network, spec in specs.items()}
    assert trained_on == {"lenet5_copies_removed": 86, "lenet5_size_matched": 86, "lenet5": 96}
    assert len({spec.data.images_by_split["test"] for spec in specs.values()}) == 1
    assert len(table.audits["stripes"].test_rows_with_copies) == 10
    with_copies, without = (table.correctness(name, "stripes").correct for name in ("lenet5", "lenet5_copies_removed"))
    assert with_copies.shape == without.shape


def test_a_protocol_gives_its_options_only_to_networks_that_take_them(tmp_path: Path) -> None:
    protocol = tmp_path / "mine.toml"
    protocol.write_text(
        'extends = "fbench"\nname = "mine"\narchitecture_options = { dropout = 0.3, dropout_place = "pooling" }\n'
    )
    suite = adhoc_suite(["arch1", "ires"])
    plan = plan_run(request_in(tmp_path, suite=suite, protocol=str(protocol)))
    options = {network.name: network.options for network in plan.networks}
    assert (options["arch1"]["dropout"], options["arch1"]["dropout_place"]) == (0.3, "pooling")
    assert options["ires"]["dropout"] == 0.3
    assert "dropout_place" not in options["ires"]


def test_a_run_keeps_its_rule_of_collapsed_trainings(finished: RunTable, tmp_path: Path) -> None:
    """It is fixed before the first result; trials, whose ids it is no part of, are as they were."""
    protocol = tmp_path / "mine.toml"
    protocol.write_text('extends = "fbench"\n[collapse]\nchance = 0.01\n')
    with pytest.raises(UserError, match="different rule of collapsed trainings"):
        plan_run(request_in(tmp_path, protocol=str(protocol)))
    other = plan_run(request_in(tmp_path, protocol=str(protocol), out=tmp_path / "other"))
    assert finished.trials.keys() >= {spec.trial_id for spec in other.specs}
    assert [spec.trial_id for spec in other.specs] == [spec.trial_id for spec in plan_run(request_in(tmp_path)).specs]


def test_two_data_sets_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="a data set named 'stripes' was given before"):
        plan_run(request_in(tmp_path, data=("synthetic", "synthetic:copies=removed")))


@pytest.mark.usefixtures("no_cost")
def test_a_network_that_cannot_be_compiled_makes_the_whole_run_eager_and_the_run_goes_on_with_the_same_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reasons = {"narrow": "RuntimeError: no kernel"}
    monkeypatch.setattr("fbench.benchmark.runs.program_check.failing_programs", lambda *arguments: reasons)
    table = run(request_in(tmp_path, compile=True, seeds=1))
    assert table.config.moved_because == reasons
    assert table.config.asked_numerics == choose_numerics("cpu", compile=True)
    assert not table.config.numerics.compile
    assert all(not record.spec.numerics.compile for record in table.trials.values())
    monkeypatch.setattr("fbench.benchmark.runs.program_check.failing_programs", None)  # a second check would raise
    again = plan_run(request_in(tmp_path, compile=True, seeds=1))
    assert not again.pending
    assert again.config.moved_because == reasons


@pytest.mark.usefixtures("no_cost")
def test_networks_that_cannot_be_computed_as_asked_are_in_a_run_of_their_own_where_only_comparable_ones_are_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(networks: Sequence[NetworkSpec], *_: object) -> dict[str, str]:
        return {one.name: "no kernel" for one in networks if one.name == "narrow"}

    monkeypatch.setattr("fbench.benchmark.runs.program_check.failing_programs", failing)
    monkeypatch.setattr(torch, "compile", lambda network: network)
    request = request_in(tmp_path, compile=True, seeds=2, only_comparable=True)
    table = run(request)
    apart = fbench.load_run(tmp_path / "run-eager")
    assert table.config.split_off is not None
    assert table.config.split_off.because == {"narrow": "no kernel"}
    assert {record.spec.network.name for record in table.trials.values()} == {"lenet5"}
    assert all(record.spec.numerics.compile for record in table.trials.values())
    assert {record.spec.network.name for record in apart.trials.values()} == {"narrow"}
    assert not any(record.spec.numerics.compile for record in apart.trials.values())
    assert apart.config.moved_because == {"narrow": "no kernel"}
    with pytest.raises(UserError, match=r"cannot be compared \(numerics\.compile is True in lenet5 .* and False"):
        require_one_making([*table.trials.values(), *apart.trials.values()], "both together")
    monkeypatch.setattr("fbench.benchmark.runs.program_check.failing_programs", None)  # a second look would raise
    again = plan_groups(request)
    assert [plan.folder.path.name for plan in again] == ["run", "run-eager"]
    assert not any(plan.pending for plan in again)
    with pytest.raises(UserError, match="different suite"):
        plan_run(request_in(tmp_path, compile=True, seeds=2))


@pytest.mark.usefixtures("no_cost")
def test_seeds_are_added_until_decided_and_the_same_call_adds_nothing(tmp_path: Path) -> None:
    analysed: list[list[int]] = []

    class Watcher(RunListener):
        def analysed(self, analyses: Sequence[InterimAnalysis]) -> None:
            analysed.append([analysis.seeds for analysis in analyses])

    request = request_in(tmp_path, seeds=None, max_seeds=6)
    table = run(request, Watcher())
    kept = table.interim_analyses
    assert kept is not None
    assert analysed[0] == [5]
    assert [analysis.seeds for analysis in kept.analyses] == [seeds for batch in analysed for seeds in batch]
    assert kept.analyses[-1].state != "open"
    trained = {len([row for row in table.plan if row.network == name]) for name in table.networks}
    assert trained == {kept.analyses[-1].seeds}
    assert not any(row.added_after_results for row in table.plan)
    again = run(request, Watcher())
    assert again.trials.keys() == table.trials.keys()
    assert again.interim_analyses == kept


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"max_seeds": 1, "seeds": None}, "--max-seeds 1 was given; give 2 to 10,000"),
        ({"max_seeds": 5, "seeds": 3}, "--seeds 3 was given with --until-decided"),
    ],
)
def test_numbers_of_seeds_that_cannot_work_are_refused(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        plan_run(request_in(tmp_path, **changes))
