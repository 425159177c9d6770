"""A bundle has all of a run that others need to check it, and nothing that tells of a place or a person."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from bundled_run import a_trial, change

from fbench.architectures.plugin_sources import PluginSources
from fbench.benchmark.bundles import making
from fbench.benchmark.bundles.checking import check_bundle
from fbench.benchmark.bundles.making import MadeBundle, make_bundle, write_bundle
from fbench.benchmark.store.inputs import keep_plugin
from fbench.benchmark.store.run_check import check_run
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.run_table import load_run
from fbench.core.contained import ContainedPath
from fbench.core.errors import UserError
from fbench.reports.findings.gather import gather_findings


def made_of(run: Path, **options: bool) -> MadeBundle:
    return make_bundle(load_run(run), **options)


def bundled(run: Path, **options: bool) -> Path:
    to = run.parent / "made"
    write_bundle(made_of(run, **options), to)
    return to


def names(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def test_it_has_records_and_predictions_and_no_weights_logits_or_places(run: Path, bundle: Path) -> None:
    kinds = {Path(name).name for name in names(bundle)}
    assert kinds == {
        *("submission.json", "run.json", "plan.json", "audit.json", "network.json", "test_readings.jsonl"),
        *("record.json", "history.csv", "predictions.npz", "sha256.json"),
    }
    assert "weights.safetensors" in {Path(name).name for name in names(run)}
    for trial in (bundle / "trials").iterdir():
        for name in ("record.json", "history.csv", "predictions.npz"):
            assert (trial / name).read_bytes() == (run / "trials" / trial.name / name).read_bytes()
        kept = json.loads((trial / "sha256.json").read_text())
        assert kept == json.loads((run / "trials" / trial.name / "sha256.json").read_text())
        assert "weights.safetensors" in kept  # a repetition is held against it


def test_every_reading_command_reads_it_as_the_run(run: Path, bundle: Path) -> None:
    ours, theirs = load_run(bundle), load_run(run)
    assert ours.trials == dict(theirs.trials)
    assert ours.plan == theirs.plan
    assert ours.audits == theirs.audits
    (found,), (wanted,) = (gather_findings([one]).data_sections for one in (ours, theirs))
    assert [row.accuracy for row in found.summary] == [row.accuracy for row in wanted.summary]
    assert [one for one in check_run(RunFolder(bundle)).found if one.outcome != "note"] == []


def test_it_states_what_follows_from_it(bundle: Path) -> None:
    submission = check_bundle(bundle).submission
    assert submission is not None
    facts = submission.facts
    assert {one.name: (one.code, one.trials) for one in facts.networks} == dict.fromkeys(
        ("lenet5", "narrow"), ("fbench", 2)
    )
    assert facts.trials == 4
    assert facts.data[0].audit == facts.data[0].fingerprint
    assert (facts.machines[0].trials, submission.by, submission.missing) == (4, "", ())
    record = load_run(bundle).trials[a_trial(bundle).name]
    assert {one.name: one for one in facts.networks}["lenet5"].trainable_params == record.trainable_params > 0


def test_paths_and_names_are_taken_out(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "own_names", lambda: ("gpu01", "anna"))
    change(run / "run.json", lambda config: config.update(moved_because={"narrow": "g++ failed in /home/anna/x.cpp"}))
    change(run / "run.json", lambda config: config["suite"].update(description="Anna's, by anna on gpu01"))
    trial = a_trial(run)
    left_out = {"reason": "is cut short", "count": 1, "examples": ["P. Smith.jpg"]}
    change(trial / "record.json", lambda record: record["spec"]["data"].update(left_out=[left_out]))
    change(trial / "record.json", lambda record: record.update(weights_not_kept="no room in C:\\Users\\anna\\run"))

    def audited(audit: dict[str, Any]) -> None:
        audit["left_out"] = [{"reason": "is cut short", "names": ["P. Smith.jpg", "Q. Jones.jpg"]}]
        audit["subjects_on_both_sides"] = [{"subject": "P. Smith", "images": {"train": 1, "test": 1}}]

    change(next((run / "data").glob("*/audit.json")), audited)
    made = bundled(run)
    everything = b"".join(file.read_bytes() for file in made.rglob("*") if file.is_file())
    assert not [word for word in (b"/home", b"Users", b"gpu01", b" anna", b"Smith", b"Jones") if word in everything]
    table = load_run(made)
    assert table.config.moved_because == {"narrow": "g++ failed in x.cpp"}
    assert table.config.suite.description == "Anna's, by … on …"
    assert len(table.audits["stripes"].left_out[0].names) == 2  # as many as before
    assert table.trials[trial.name].spec.data.left_out[0].examples == ()
    assert check_bundle(made).passes


def test_readings_of_other_runs_are_counted_without_their_networks(run: Path) -> None:
    with (run / "test_readings.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps({"trial_id": "0" * 16, "network": "secret_net", "seed": 0}) + "\n")
    readings = load_run(bundled(run)).test_readings
    assert len(readings) == 5
    assert [one.get("network") for one in readings].count(None) == 1


def test_a_trial_that_is_missing_or_failed_is_named_and_submitted_only_as_partial(run: Path) -> None:
    shutil.rmtree(a_trial(run, seed=1))
    failed = a_trial(run, "narrow", 1)
    change(failed / "record.json", lambda record: record.update(status="failed", failure_reason="no: /home/anna/x"))
    with pytest.raises(
        UserError, match=r"2 planned trials without a result, the first of them narrow on stripes, seed 1 \(failed"
    ):
        made_of(run)
    made = bundled(run, partial=True)
    check = check_bundle(made)
    assert check.passes
    assert check.submission is not None
    assert [(one.network, one.seed, one.status) for one in check.submission.missing] == [
        ("narrow", 1, "failed"),
        ("lenet5", 1, "not run"),
    ]
    assert [one.sentence for one in check.findings] == [
        "the run is partial; without a result are narrow:1 (failed), lenet5:1 (not run)"
    ]
    assert not (made / "trials" / failed.name).exists()


def test_a_part_of_a_run_and_a_run_without_a_result_are_refused(run: Path) -> None:
    change(run / "run.json", lambda config: config.update(shard="1/2"))
    with pytest.raises(UserError, match="is part 1/2 of a run; fbench merge makes one run of the parts"):
        made_of(run)
    change(run / "run.json", lambda config: config.update(shard=None))
    shutil.rmtree(run / "trials")
    with pytest.raises(UserError, match="has no finished trial"):
        made_of(run, partial=True)


def test_a_place_that_is_taken_is_refused_and_an_empty_one_filled(run: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    found = made_of(run)
    write_bundle(found, tmp_path / "mine")
    with pytest.raises(UserError, match="is there and not empty; give a new folder with --to"):
        write_bundle(found, tmp_path / "mine")


def test_what_does_not_pass_its_check_is_not_written(run: Path, tmp_path: Path) -> None:
    change(a_trial(run) / "record.json", lambda record: record["test"].update(macro_f1=0.99))
    with pytest.raises(UserError, match=r"makes no bundle that passes its check: trials/.* says macro_f1 0.99, and"):
        write_bundle(made_of(run), tmp_path / "mine")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


def test_one_that_is_too_large_says_what_to_do(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "MOST_BUNDLE_BYTES", 1000)
    with pytest.raises(UserError, match=r"would make a bundle of [\d,]+ bytes, and 1,000 are the most; submit its"):
        made_of(run)


def test_a_link_in_the_run_is_refused(run: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.csv").write_text("secret")
    file = a_trial(run) / "history.csv"
    file.unlink()
    file.symlink_to(tmp_path / "elsewhere.csv")
    with pytest.raises(UserError, match="is a link"):
        made_of(run)


SOURCE = b"import fbench\n"


def of_a_user(run: Path, text: bytes = SOURCE) -> str:
    """Make lenet5 of a run the network of a user's plug-in; the digest of that."""
    sources = PluginSources(run, "my_net.py", {"my_net.py": text})
    keep_plugin(ContainedPath(run), sources.digest, sources)
    ours = {"source_sha256": "1" * 64, "plugin_file": f"plugins/{sources.digest}/my_net.py"}
    for seed in (0, 1):
        change(
            a_trial(run, seed=seed) / "record.json",
            lambda record: record["spec"]["network"].update(ours, plugin_digest=sources.digest),
        )
    return sources.digest


def test_the_code_of_a_user_is_taken_only_as_they_agree(run: Path) -> None:
    digest = of_a_user(run)
    made = bundled(run)
    assert not (made / "plugins").exists()
    check = check_bundle(made)
    assert check.passes
    assert [one.sentence for one in check.findings] == [
        "the run has no code of lenet5, so that nobody else can repeat its trials"
    ]
    assert check.submission is not None
    assert {(one.code, one.has_sources) for one in check.submission.facts.networks} == {
        ("user", False),
        ("fbench", False),
    }
    shutil.rmtree(made)
    made = bundled(run, with_sources=True)
    assert (made / "plugins" / digest / "my_net.py").read_bytes() == SOURCE
    check = check_bundle(made)
    assert (check.passes, check.findings) == (True, ())
    assert check.submission is not None
    assert {one.name for one in check.submission.facts.networks if one.has_sources} == {"lenet5"}


def test_code_that_names_a_place_is_refused_by_name(run: Path) -> None:
    of_a_user(run, b"WEIGHTS = '/home/anna/weights.pt'\n")
    assert made_of(run).files
    with pytest.raises(
        UserError, match=r"my_net.py holds an absolute path \(/home/anna/weights.pt\), which no bundle may"
    ):
        made_of(run, with_sources=True)
