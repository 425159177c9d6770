"""A bundle of a stranger: what was changed, left out, added or made up is found, each in a sentence."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bundled_run import a_trial, change, seal_again

from fbench.architectures.contract import ContractRow, Counts
from fbench.benchmark.bundles import contents, network_checks
from fbench.benchmark.bundles.checking import check_bundle, open_bundle
from fbench.core.errors import UserError

COMMUNITY = Path(__file__).parents[3] / "results" / "community"


def problems(bundle: Path) -> str:
    return "\n".join(one.sentence for one in check_bundle(bundle).problems)


def notes(bundle: Path) -> list[str]:
    return [one.sentence for one in check_bundle(bundle).findings if not one.is_problem]


def test_one_as_it_was_made_passes_without_a_word(bundle: Path) -> None:
    check = check_bundle(bundle)
    assert (check.passes, check.findings, check.repetitions) == (True, (), ())


def edited_byte(bundle: Path) -> None:
    file = a_trial(bundle) / "history.csv"
    file.write_bytes(file.read_bytes().replace(b"0.0", b"0.1", 1))


def in_a_link(bundle: Path) -> None:
    file = a_trial(bundle) / "predictions.npz"
    file.rename(bundle.parent / "elsewhere.npz")
    file.symlink_to(bundle.parent / "elsewhere.npz")


def deep_json(bundle: Path) -> None:
    (bundle / "plan.json").write_text("[" * 3000 + "]" * 3000)


CHANGED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a byte": (edited_byte, "history.csv was changed since the bundle was made (its hash is another)"),
    "a file less": (lambda bundle: (bundle / "plan.json").unlink(), "plan.json is missing"),
    "a trial less": (lambda bundle: shutil.rmtree(a_trial(bundle)), "record.json is missing"),
    "a trial more": (
        lambda bundle: shutil.copytree(a_trial(bundle), bundle / "trials" / ("0" * 16)),
        f"trials/{'0' * 16}/record.json was added after the bundle was made",
    ),
    "weights": (
        lambda bundle: (a_trial(bundle) / "weights.safetensors").write_bytes(b""),
        "weights.safetensors is no file that a bundle may have",
    ),
    "an image": (lambda bundle: (bundle / "face.png").write_bytes(b""), "face.png is no file that a bundle may have"),
    "a link": (in_a_link, "predictions.npz cannot be read"),
    "JSON without end": (deep_json, "the run cannot be read: plan.json does not hold a valid record"),
}


@pytest.mark.parametrize("what", CHANGED)
def test_what_is_not_as_it_was_made_is_found(bundle: Path, what: str) -> None:
    how, sentence = CHANGED[what]
    how(bundle)
    assert sentence in problems(bundle)


def record_with(**changes: Any) -> Callable[[Path], None]:
    def change_record(bundle: Path) -> None:
        change(a_trial(bundle) / "record.json", lambda record: record.update(changes))

    return change_record


def of_test(**changes: Any) -> Callable[[Path], None]:
    def change_record(bundle: Path) -> None:
        change(a_trial(bundle) / "record.json", lambda record: record["test"].update(changes))

    return change_record


def predictions_with(**arrays: Any) -> Callable[[Path], None]:
    def change_predictions(bundle: Path) -> None:
        file = a_trial(bundle) / "predictions.npz"
        with np.load(io.BytesIO(file.read_bytes())) as found:
            np.savez_compressed(file, **{**found, **{name: make(found) for name, make in arrays.items()}})

    return change_predictions


def other_seed(bundle: Path) -> None:
    change(a_trial(bundle) / "record.json", lambda record: record["spec"]["budget"].update(image_passes=7))


def in_the_suite(text: str) -> Callable[[Path], None]:
    return lambda bundle: change(bundle / "run.json", lambda config: config["suite"].update(description=text))


def of_an_audit(**changes: Any) -> Callable[[Path], None]:
    return lambda bundle: change(next((bundle / "data").glob("*/audit.json")), lambda audit: audit.update(changes))


def counted(audit: dict[str, Any]) -> None:
    audit["images_by_split_and_class"]["test"][0] += 1


def described(network: dict[str, Any]) -> None:
    network["counts"]["macs"] += 1


FORGED: dict[str, tuple[Callable[[Path], object], str]] = {
    "an accuracy": (of_test(top1=0.99), "record.json says top1 0.99, and the predictions have 0."),
    "another quality": (
        of_test(balanced_accuracy=0.99),
        "record.json says balanced_accuracy 0.99, and the predictions",
    ),
    "recalls": (of_test(recall_by_class=[1.0, 1.0, None]), "says other recalls than the predictions have on the test"),
    "an accuracy and its predictions": (
        predictions_with(test_predicted=lambda found: found["test_labels"]),
        "and the predictions have 1 on the test split",
    ),
    "labels": (
        predictions_with(test_labels=lambda found: found["test_predicted"]),
        "has other labels of the test split than other trials",
    ),
    "no test split": (record_with(test=None), "has a record or predictions of the test split without the other"),
    "an array more": (
        predictions_with(faces=lambda found: np.zeros((2, 48, 48), np.uint8)),
        "predictions.npz cannot be read (it has an array called 'faces')",
    ),
    "arrays of another shape": (
        predictions_with(test_labels=lambda found: np.zeros((2, 48, 48), np.uint8)),
        "test_labels is uint8 of shape (2, 48, 48)",
    ),
    "settings": (other_seed, "record.json has settings that make the trial "),
    "counts": (record_with(trainable_params=5), "record.json has other counts of lenet5 than another trial"),
    "a description": (
        lambda bundle: [change(file, described) for file in (bundle / "networks").glob("*/network.json")],
        "has other counts of lenet5 than its trials",
    ),
    "the audit's data": (of_an_audit(data_fingerprint="0" * 64), "audit.json is of other data than stripes of the run"),
    "the audit's counts": (
        lambda bundle: change(next((bundle / "data").glob("*/audit.json")), counted),
        "audit.json counts other images by class on the test split",
    ),
    "a plan without a trial": (
        lambda bundle: change(bundle / "plan.json", lambda rows: rows.pop()),
        "is of no planned trial",
    ),
    "a part": (
        lambda bundle: change(bundle / "run.json", lambda config: config.update(shard="1/2")),
        "run.json is part 1/2 of a run",
    ),
    "a path": (in_the_suite("read from /home/anna/data"), "run.json holds an absolute path: /home/anna/data"),
    "a person": (in_the_suite("ask anna@example.org"), "run.json holds an address of a person or machine"),
    "a machine": (in_the_suite("on 192.168.1.7"), "run.json holds an address of a machine: 192.168.1.7"),
    "a picture": (in_the_suite("data:image/png;base64,aGk="), "run.json holds a file in the guise of text"),
}


@pytest.mark.parametrize("what", FORGED)
def test_what_is_made_up_is_found_though_it_was_sealed_again(bundle: Path, what: str) -> None:
    how, sentence = FORGED[what]
    how(bundle)
    seal_again(bundle)
    assert sentence in problems(bundle)


def test_facts_that_do_not_follow_are_found(bundle: Path) -> None:
    change(bundle / "submission.json", lambda values: values["facts"]["networks"][0].update(macs=1))
    assert problems(bundle) == "submission.json states other networks than follow from the files"


def test_a_planned_trial_that_is_silently_left_out_is_found(bundle: Path) -> None:
    shutil.rmtree(a_trial(bundle))
    seal_again(bundle)
    assert problems(bundle) == "plan.json has planned trials without a result that submission.json does not name"


def test_a_file_that_none_may_have_cannot_be_sealed(bundle: Path) -> None:
    seal = {"sha256": "0" * 64, "bytes": 1}
    change(bundle / "submission.json", lambda values: values["files"].update({"../../.bashrc": seal}))
    assert problems(bundle) == "submission.json seals ../../.bashrc, which is no file that a bundle may have"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is not valid ("),
        ("[]", "it is no table"),
        ("{}", "is not valid (fbench_version: Field required)"),
        ('{"schema_version": 9}', "schema version 9"),
        ("[" * 5000, "is not valid ("),
        (json.dumps({"by": "x" * 6_000_000}), "has more than the 5,000,000 bytes"),
    ],
)
def test_a_submission_that_is_none_is_one_problem(bundle: Path, content: str, reason: str) -> None:
    (bundle / "submission.json").write_text(content)
    (found,) = check_bundle(bundle).findings
    assert found.is_problem
    assert reason in found.sentence or "are the most that are read" in found.sentence


def test_a_folder_without_a_submission_lacks_it(tmp_path: Path) -> None:
    assert problems(tmp_path) == "submission.json is not valid (it is missing)"
    with pytest.raises(UserError, match=r"is no bundle \(it has no submission.json\); fbench submit RUN --to DIR"):
        open_bundle(tmp_path)


def test_bounds_on_files_and_depth_hold(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = bundle.joinpath(*"abcdefghijklmn")
    deep.mkdir(parents=True)
    assert "a/b/c/d/e/f/g/h/i/j/k/ lies deeper than any file of a bundle" in problems(bundle)
    monkeypatch.setattr(contents, "_MOST_FILES", 3)
    assert "has more than the 3 files that a bundle may have" in problems(bundle)


def test_seeds_that_were_picked_are_told_and_pass(bundle: Path) -> None:
    shutil.rmtree(a_trial(bundle, "narrow", 0))
    change(bundle / "plan.json", lambda rows: rows.remove(next(one for one in rows if one["network"] == "narrow")))
    seal_again(bundle)
    assert notes(bundle) == ["plan.json has of narrow on stripes the seeds 1"]
    assert problems(bundle) == ""


def test_counts_that_are_not_those_of_the_contract_are_found(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = json.loads((a_trial(bundle) / "record.json").read_text())
    trainable, total, macs = (record[name] for name in ("trainable_params", "total_params_keras", "macs"))

    def contract(trainable: int) -> dict[str, ContractRow]:
        return {"lenet5": ContractRow("lenet5", Counts(trainable, total - trainable, macs))}

    monkeypatch.setattr(network_checks, "_OF_CONTRACT", ((1, 16, 16), 3))
    monkeypatch.setattr(network_checks, "built_in_contract", lambda: contract(trainable))
    assert problems(bundle) == ""
    monkeypatch.setattr(network_checks, "built_in_contract", lambda: contract(trainable - 1))
    assert f"counts {trainable:,} trainable_params of lenet5, and the contract {trainable - 1:,}" in problems(bundle)


def test_the_committed_bundles_pass() -> None:
    bundles = [folder for folder in sorted(COMMUNITY.iterdir()) if folder.is_dir()]
    assert bundles
    assert {folder.name: problems(folder) for folder in bundles} == dict.fromkeys((one.name for one in bundles), "")
