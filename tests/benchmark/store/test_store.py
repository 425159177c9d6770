from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from support import trial_spec_of

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.records.predictions import (
    LOGITS_FILE,
    SplitPredictions,
    prediction_files,
    read_classes,
    read_predictions,
)
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.training.networks import load_model
from fbench.benchmark.training.trial import TrialContext, run_trial
from fbench.core.contained import ContainedPath
from fbench.core.errors import UserError
from tests.reports.fabricated_run import Recipe, fabricate_run

CPU = TrialContext(torch.device("cpu"))


def stored(stripes: ImageDataset, path: Path) -> tuple[RunFolder, str]:
    folder = RunFolder(path)
    result = run_trial(trial_spec_of(stripes), stripes, CPU)
    folder.write_trial(result)
    return folder, result.record.trial_id


def test_a_trial_comes_back_as_it_was_written(stripes: ImageDataset, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    result = run_trial(trial_spec_of(stripes), stripes, CPU)
    folder.write_trial(result)
    trial_id = result.record.trial_id
    assert folder.trials() == {trial_id: result.record}
    assert tuple(folder.history(trial_id)) == result.history
    predictions = folder.predictions(trial_id)
    assert result.predictions is not None
    for split, written in result.predictions.items():
        np.testing.assert_array_equal(predictions[split].predicted, written.predicted)
        assert predictions[split].logits is not None
        assert predictions[split].logits.dtype == np.float16  # type: ignore[union-attr] # asserted above
        np.testing.assert_array_equal(predictions[split].sample_ids, written.sample_ids)


@pytest.mark.parametrize("name", ["run.json", "plan.json", "trials/*/record.json"])
def test_a_record_is_a_line_for_each_value_indented_by_one_space_a_level(tmp_path: Path, name: str) -> None:
    """As those that are committed: written again with another indent, every line of them would differ."""
    fabricate_run(tmp_path, Recipe(accuracy={"ires": 0.6}, seeds=(0,), images=40, with_cost=False))
    (file,) = tmp_path.glob(name)
    lines = file.read_text(encoding="utf-8").splitlines()
    depths = {len(line) - len(line.lstrip(" ")) for line in lines}
    assert depths == set(range(max(depths) + 1))
    assert max(depths) > 0


def test_classes_are_read_without_the_logits(stripes: ImageDataset, tmp_path: Path) -> None:
    folder, trial_id = stored(stripes, tmp_path)
    everything, classes = folder.predictions(trial_id), read_classes(folder.trial_files(trial_id))
    assert classes.keys() == everything.keys()
    for split, part in classes.items():
        np.testing.assert_array_equal(part.predicted, everything[split].predicted)
        np.testing.assert_array_equal(part.labels, everything[split].labels)
        assert part.logits is None
        assert part.sample_ids is None
    (folder.trial_folder(trial_id) / LOGITS_FILE).unlink()
    assert folder.predictions(trial_id)["test"].logits is None


def test_recorded_accuracy_is_that_of_the_stored_predictions(stripes: ImageDataset, tmp_path: Path) -> None:
    folder, trial_id = stored(stripes, tmp_path)
    record, predictions = folder.trial(trial_id), folder.predictions(trial_id)
    assert record.test is not None
    assert record.validation is not None
    assert predictions["test"].correct.mean() == record.test.top1
    assert predictions["validation"].correct.mean() == record.validation.top1
    np.testing.assert_array_equal(predictions["test"].labels, stripes.labels[stripes.rows("test")])


def test_a_stored_network_gives_the_stored_predictions(stripes: ImageDataset, tmp_path: Path) -> None:
    from fbench.benchmark.records.numerics import choose_numerics
    from fbench.benchmark.training.evaluate import predict_logits
    from fbench.benchmark.training.tensors import fit_normalisation, split_to_device

    folder, trial_id = stored(stripes, tmp_path)
    network, numerics = load_model(folder, trial_id), choose_numerics("cpu")
    assert not network.training
    train, test = (split_to_device(stripes, split, torch.device("cpu"), numerics) for split in ("train", "test"))
    logits = predict_logits(network, test, fit_normalisation(train), numerics, flip=False)
    np.testing.assert_array_equal(logits.argmax(1).numpy(), folder.predictions(trial_id)["test"].predicted)


def test_the_small_part_alone_still_gives_accuracy(tmp_path: Path) -> None:
    part = SplitPredictions(
        predicted=np.array([0, 1, 299]),
        labels=np.array([0, 2, 299]),
        logits=np.zeros((3, 300), np.float16),
        sample_ids=np.array(["a", "b", "c"]),
    )
    for name, content in prediction_files({"validation": part}).items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "logits.npz").unlink()
    (back,) = read_predictions(ContainedPath(tmp_path)).values()
    assert back.logits is None
    assert back.correct.tolist() == [True, False, True]


def test_an_interrupted_write_leaves_nothing_behind(
    stripes: ImageDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run_trial(trial_spec_of(stripes), stripes, CPU)

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("fbench.benchmark.store.hashes.write_hashes", fail)
    with pytest.raises(OSError, match="disk full"):
        RunFolder(tmp_path).write_trial(result)
    assert RunFolder(tmp_path).trials() == {}
    assert list((tmp_path / "trials").iterdir()) == []


def test_a_record_changed_by_hand_is_named(stripes: ImageDataset, tmp_path: Path) -> None:
    folder, trial_id = stored(stripes, tmp_path)
    file = folder.trial_folder(trial_id) / "record.json"
    values = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(values | {"status": "splendid"}), encoding="utf-8")
    with pytest.raises(UserError, match=f"{trial_id}.*record.json does not hold a valid record"):
        folder.trials()
    file.write_text(json.dumps(values | {"schema_version": 99}), encoding="utf-8")
    with pytest.raises(UserError, match="schema version 99"):
        folder.trials()


@pytest.mark.parametrize(
    ("part", "key", "value", "words"),
    [
        ("protocol", "test_split", "merged_with_validation", "merges the validation split into the test split"),
        ("suite", "variants", {"unused": {"base": "ires"}}, "unused"),
    ],
)
def test_a_configuration_that_contradicts_itself_is_named_with_its_file(
    tmp_path: Path, part: str, key: str, value: object, words: str
) -> None:
    run = fabricate_run(tmp_path, Recipe(seeds=(0,), images=40))
    file = run.folder.path / "run.json"
    values = json.loads(file.read_text(encoding="utf-8"))
    values[part][key] = value
    file.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(UserError, match=rf"run\.json does not hold a valid record \(.*{words}.*\); restore it"):
        run.folder.config()


def test_a_record_of_another_schema_names_the_version_that_wrote_it(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path, Recipe(seeds=(0,), images=40))
    cost = next((run.folder.path / "costs").iterdir())
    values = json.loads(cost.read_text(encoding="utf-8")) | {"schema_version": 1}
    values["machine"]["versions"]["fbench"] = "0.0.7"
    cost.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(UserError) as refused:
        run.folder.costs()
    assert str(refused.value) == (
        f"{cost} has schema version 1 and this fbench reads 2; read it with fbench 0.0.7, which wrote it."
    )
    config = run.folder.path / "run.json"
    values = json.loads(config.read_text(encoding="utf-8")) | {"schema_version": 99, "fbench_version": "9.1"}
    config.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(UserError, match=r"reads 1; read it with fbench 9\.1, which wrote it\."):
        run.folder.config()
    cost.write_text(json.dumps({"schema_version": 1, "machine": None}), encoding="utf-8")
    with pytest.raises(UserError, match=r"read it with the fbench version that wrote it\."):
        run.folder.costs()


def test_no_run_and_no_trial_are_one_sentence(stripes: ImageDataset, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a run folder"):
        RunFolder.open(tmp_path / "nowhere")
    folder, trial_id = stored(stripes, tmp_path)
    with pytest.raises(UserError, match="has no trial 'x'"):
        load_model(folder, "x")
    (folder.trial_folder(trial_id) / "weights.safetensors").unlink()
    with pytest.raises(UserError, match="no weights"):
        load_model(folder, trial_id)


def test_a_trial_is_taken_whole_from_another_run(stripes: ImageDataset, tmp_path: Path) -> None:
    folder, trial_id = stored(stripes, tmp_path / "a")
    other = RunFolder(tmp_path / "b")
    other.take_trial(folder, trial_id)
    assert other.trials() == folder.trials()
    assert {p.name for p in other.trial_folder(trial_id).iterdir()} == {
        "record.json",
        "history.csv",
        "predictions.npz",
        "logits.npz",
        "weights.safetensors",
        "sha256.json",
    }


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("plan.json", '[{"network": "ires"}]', "data: Field required"),
        ("plan.json", "not json", "Expecting value"),
        ("test_readings.jsonl", "{broken", "Expecting property name"),
        ("networks/0123456789abcdef/network.json", "[", "Expecting value"),
    ],
)
def test_a_file_changed_by_hand_is_named_with_the_first_thing_wrong(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    folder = RunFolder(tmp_path)
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(text, encoding="utf-8")
    reading = {
        "plan.json": folder.plan,
        "test_readings.jsonl": folder.test_readings,
        "networks/0123456789abcdef/network.json": lambda: folder.network("0123456789abcdef" * 4),
    }[name]
    with pytest.raises(UserError, match=f"{re.escape(name)} does not hold a valid record .*{reason}"):
        reading()


def test_a_history_changed_by_hand_is_named(stripes: ImageDataset, tmp_path: Path) -> None:
    folder, trial_id = stored(stripes, tmp_path)
    file = folder.trial_folder(trial_id) / "history.csv"
    file.write_text(file.read_text().replace("evaluation,", "nonsense,", 1), encoding="utf-8")
    with pytest.raises(UserError, match=r"history\.csv does not hold a valid record \(evaluation: Field required"):
        folder.history(trial_id)


def test_a_record_in_the_folder_of_another_trial_is_named(stripes: ImageDataset, tmp_path: Path) -> None:
    folder, trial_id = stored(stripes, tmp_path)
    folder.trial_folder(trial_id).rename(folder.trial_folder("f" * 16))
    with pytest.raises(UserError, match=f"is the record of trial '{trial_id}'"):
        folder.trials()
