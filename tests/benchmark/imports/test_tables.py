"""CSV files of other people's training code, on a small data set whose answers are known by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fbench.benchmark.imports.evaluated import EvaluatedOn, evaluated_on
from fbench.benchmark.imports.importing import imported
from fbench.benchmark.imports.tables import read_tables
from fbench.benchmark.store.imported_files import is_imported, read_imported, write_imported
from fbench.core.errors import UserError

CLASSES = ("calm", "happy")
LABELS = [0, 1, 1, 0]
"""Of the test split."""


@pytest.fixture
def tested(tmp_path: Path) -> EvaluatedOn:
    """Ten images: six to train and validate, four to test, called t0 to t3."""
    file = tmp_path / "mine.npz"
    np.savez(
        file,
        images=np.zeros((10, 16, 16), np.uint8) + np.arange(10, dtype=np.uint8)[:, None, None],
        labels=[0, 1, 0, 1, 0, 1, *LABELS],
        class_names=CLASSES,
        split=["train"] * 4 + ["validation"] * 2 + ["test"] * 4,
        sample_ids=[*(f"r{row}" for row in range(6)), *(f"t{row}" for row in range(4))],
    )
    return evaluated_on(f"mine=arrays:{file}", "test")


def table(tmp_path: Path, *lines: str, name: str = "table.csv") -> Path:
    (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path / name


def answers(images: list[str], predicted: str = "1001", seed: int = 0, labels: list[str] | None = None) -> list[str]:
    given = labels or [CLASSES[label] for label in LABELS]
    rows = zip(images, given, predicted, strict=True)
    return [f"net,{seed},{image},{label},{answer}" for image, label, answer in rows]


HEADER = "network,seed,image,label,predicted"
IDS = ["t0", "t1", "t2", "t3"]


def test_accuracies_have_a_row_a_training(tmp_path: Path, tested: EvaluatedOn) -> None:
    file = table(tmp_path, "network,seed,epochs,top1", "net,1,60,0.5", "net,0,60,0.75", "other,0,60,1")
    results = imported(read_tables([file], tested), tested, "table.csv")
    assert {name: [(one.seed, one.top1) for one in found] for name, found in results.networks.items()} == {
        "net": [(0, 0.75), (1, 0.5)],
        "other": [(0, 1.0)],
    }
    assert not results.has_predictions("net")
    assert results.data.labels == ()
    assert (results.data.name, results.data.images, results.data.split) == ("mine", 4, "test")


@pytest.mark.parametrize("images", [IDS, ["0", "1", "2", "3"]])
@pytest.mark.parametrize("order", [[0, 1, 2, 3], [2, 0, 3, 1]])
def test_predictions_are_put_into_the_order_of_the_data_set(
    tmp_path: Path, tested: EvaluatedOn, images: list[str], order: list[int]
) -> None:
    rows = answers(images)
    file = table(tmp_path, HEADER, *(rows[row] for row in order))
    results = imported(read_tables([file], tested), tested, "table.csv")
    (training,) = results.networks["net"]
    assert training.predicted == (1, 0, 0, 1)
    assert training.top1 == 0.0
    assert results.data.labels == tuple(LABELS)
    assert results.has_predictions("net")


def test_a_file_of_results_is_read_again_as_it_was_written(tmp_path: Path, tested: EvaluatedOn) -> None:
    results = imported(read_tables([table(tmp_path, HEADER, *answers(IDS))], tested), tested, "table.csv")
    write_imported(tmp_path / "imported.json", results)
    assert is_imported(tmp_path / "imported.json")
    assert read_imported(tmp_path / "imported.json") == results
    assert not is_imported(tmp_path / "table.csv")
    assert results.kind == "imported, not trained here"


def test_trainings_come_from_several_files(tmp_path: Path, tested: EvaluatedOn) -> None:
    one = table(tmp_path, HEADER, *answers(IDS), name="one.csv")
    two = table(tmp_path, HEADER, *answers(IDS, "0110", seed=1), name="two.csv")
    assert {key: found.top1 for key, found in read_tables([one, two], tested).items()} == {("net", 0): 0, ("net", 1): 1}
    with pytest.raises(UserError, match="net with seed 0, which came before"):
        read_tables([one, table(tmp_path, "network,seed,top1", "net,0,0.5")], tested)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["network,seed,accuracy", "net,0,0.5"], "has no column 'image'"),
        (["network,sed,top1", "net,0,0.5"], "has no column 'seed'. Did you mean 'sed'?"),
        (["network,seed,top1", "net,0,63.1"], "line 2: the accuracy is 63.1; give a fraction"),
        (["network,seed,top1", "net,0,nan"], "the accuracy is nan"),
        (["network,seed,top1", "net,-1,0.5"], "the seed is '-1'"),
        (["network,seed,top1", "a:b,0,0.5"], "line 2: the network is called 'a:b'; give a short name without colons"),
        (["network,seed,top1", "a\x1b[31m,0,0.5"], "the network is called 'a\\x1b[31m'"),
        (["network,seed,top1", f"net,{'9' * 19},0.5"], "the seed is '9999999999999999999'"),
        (["network,seed,top1", "net,,0.5"], "line 2 has no seed"),
        (["network,seed,top1", "net,0,0.5", "net,0,0.6"], "line 3 has net with seed 0 again"),
        ([HEADER, *answers(IDS)[:3]], "has 3 of the 4 images of mine; the first that is missing is 't3'"),
        ([HEADER, *answers(IDS), "net,0,t0,calm,0"], "has the image t0 of its training again"),
        ([HEADER, *answers(["t0", "t1", "t2", "x9"])], "the image 'x9', which is none of the 4 of mine"),
        ([HEADER, *answers(IDS, labels=["0", "1", "0", "0"])], "the label of the image 't2' is calm in the file and"),
        ([HEADER, *answers(IDS, labels=["1", "1", "1", "0"])], "the label of the image 't0' is happy in the file and"),
        (["network,s\reed,top1"], "has no column 'seed'"),
        (["network,seed,top1" + "x" * 200_000], "is no CSV (field larger than field limit (131072)); mend its first"),
        ([HEADER, "net,0,t0,calm,sad"], "the predicted is 'sad'; give one of calm, happy"),
        ([HEADER, "net,0,t0,calm,2"], "the predicted is '2'"),
    ],
)
def test_what_cannot_be_is_one_sentence_that_names_the_place(
    tmp_path: Path, tested: EvaluatedOn, lines: list[str], said: str
) -> None:
    with pytest.raises(UserError) as error:
        read_tables([table(tmp_path, *lines)], tested)
    assert said in str(error.value)


def test_a_known_data_set_may_be_named_alone_and_predictions_need_its_images(tmp_path: Path) -> None:
    stated = evaluated_on("fer2013", "test")
    results = imported(read_tables([table(tmp_path, "network,seed,top1", "net,0,0.5")], stated), stated, "x")
    assert (results.data.name, results.data.fingerprint, results.data.images) == ("fer2013", None, None)
    with pytest.raises(UserError, match=r"held against the labels of fer2013; give --data fer2013=PATH"):
        read_tables([table(tmp_path, HEADER, *answers(IDS))], stated)
    with pytest.raises(UserError, match="data set"):
        evaluated_on("no_such_data", "test")


def test_an_empty_table_has_nothing_to_import(tmp_path: Path, tested: EvaluatedOn) -> None:
    with pytest.raises(UserError, match="has no training"):
        imported(read_tables([table(tmp_path, "network,seed,top1")], tested), tested, "table.csv")
