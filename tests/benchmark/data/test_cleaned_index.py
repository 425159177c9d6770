"""A cleaned index: which rows the rules leave out, and that the data set without them can be named."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_files import fer2013_lines, random_images, write_lines
from test_audit import ROWS, small

from fbench.benchmark.data.audit.audit import audit_dataset
from fbench.benchmark.data.audit.clean import DEFAULT_RULES, RULES, check_rules, rows_to_leave_out
from fbench.benchmark.data.cleaned import write_cleaned
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.references import parse_reference
from fbench.benchmark.data.source import DataReference
from fbench.core.errors import UserError


def left_out(*rules: str) -> dict[int, tuple[str, int | None]]:
    dataset = small(ROWS)
    audit = audit_dataset(dataset, near=True, non_faces=np.arange(10) == 9)
    return {row.row: (row.rule, row.copy_of) for row in rows_to_leave_out(dataset, audit, check_rules(rules))}


def test_each_rule_leaves_out_what_it_says() -> None:
    assert left_out("blank") == {0: ("blank", None)}
    assert left_out("copies_across_splits") == {3: ("copies_across_splits", 6), 5: ("copies_across_splits", 6)}
    assert left_out("copies_within_training") == {2: ("copies_within_training", 1)}
    assert set(left_out("conflicting_copies")) == {1, 2, 3}
    assert left_out("non_faces") == {9: ("non_faces", None)}
    assert left_out("near_copies_across_splits") == {}


def test_the_default_rules_leave_the_test_split_alone() -> None:
    assert set(left_out()) == {0, 1, 2, 3, 5}
    assert set(DEFAULT_RULES) == set(RULES) - {"non_faces"}


def test_a_rule_that_needs_what_was_not_looked_for_is_refused() -> None:
    dataset = small(ROWS)
    audit = audit_dataset(dataset, near=False)
    with pytest.raises(UserError, match="needs a full audit"):
        rows_to_leave_out(dataset, audit, ("near_copies_across_splits",))
    with pytest.raises(UserError, match="needs FERPlus votes"):
        rows_to_leave_out(dataset, audit, ("non_faces",))
    with pytest.raises(UserError, match=r"no cleaning rule 'blanks'.*Did you mean 'blank'"):
        check_rules(("blanks",))


@pytest.fixture
def leaky(tmp_path: Path) -> DataReference:
    """A FER2013 file in which the first test row is a copy of the first training row."""
    images = random_images(21)
    images[14] = images[0]
    usages = ["Training"] * 7 + ["PublicTest"] * 7 + ["PrivateTest"] * 7
    lines = fer2013_lines([row % 7 for row in range(21)], usages, images)
    return DataReference(name="fer2013", path=write_lines(tmp_path / "fer2013.csv", lines))


def clean(reference: DataReference, folder: Path) -> None:
    dataset = load_dataset(reference)
    rules = check_rules(())
    rows = rows_to_leave_out(dataset, audit_dataset(dataset, near=True), rules)
    write_cleaned(folder, reference, dataset, rules, rows)


def test_the_data_without_the_rows_can_be_named(leaky: DataReference, tmp_path: Path) -> None:
    clean(leaky, tmp_path / "index")
    dataset = load_dataset(parse_reference(f"cleaned={tmp_path / 'index'}"))
    assert dataset.name == "fer2013-cleaned"
    assert "row:0" not in dataset.sample_ids
    assert len(dataset.labels) == 20
    assert dataset.left_out[0].names == ("row:0",)
    with (tmp_path / "index" / "left_out.csv").open() as stream:
        (row,) = csv.DictReader(stream)
    assert row == {
        "row": "0",
        "sample_id": "row:0",
        "split": "train",
        "rule": "copies_across_splits",
        "copy_of": "row:14",
    }


def test_a_source_that_changed_is_refused(leaky: DataReference, tmp_path: Path) -> None:
    clean(leaky, tmp_path / "index")
    assert leaky.path is not None
    lines = leaky.path.read_text().splitlines()
    write_lines(leaky.path, lines[:-1])
    with pytest.raises(UserError, match="has changed since"):
        load_dataset(parse_reference(f"cleaned={tmp_path / 'index'}"))


def test_a_folder_of_something_else_is_neither_written_nor_read(leaky: DataReference, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(UserError, match="no cleaned index and no empty folder"):
        clean(leaky, tmp_path / "mine")
    with pytest.raises(UserError, match=r"has no cleaned\.json"):
        load_dataset(parse_reference(f"cleaned={tmp_path / 'mine'}"))


def test_a_table_of_rows_that_is_not_ours_is_not_replaced(leaky: DataReference, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "left_out.csv").write_text("my own list\n")
    with pytest.raises(UserError, match="no cleaned index and no empty folder"):
        clean(leaky, tmp_path / "mine")
    assert (tmp_path / "mine" / "left_out.csv").read_text() == "my own list\n"


def test_an_index_is_written_again_over_itself_and_over_what_a_kill_left(leaky: DataReference, tmp_path: Path) -> None:
    clean(leaky, tmp_path / "index")
    written = (tmp_path / "index" / "left_out.csv").read_bytes()
    (tmp_path / "index" / "cleaned.json").unlink()
    (tmp_path / "index" / ".writing-0123").write_bytes(b"half")
    clean(leaky, tmp_path / "index")
    assert (tmp_path / "index" / "left_out.csv").read_bytes() == written


def test_a_source_that_was_moved_is_named_with_its_index(leaky: DataReference, tmp_path: Path) -> None:
    clean(leaky, tmp_path / "index")
    assert leaky.path is not None
    leaky.path.rename(tmp_path / "elsewhere.csv")
    with pytest.raises(UserError, match=r"fer2013\.csv, from which .*index was made, is no longer there"):
        load_dataset(parse_reference(f"cleaned={tmp_path / 'index'}"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0,row:0", "x,row:0", "no readable cleaned index"),
        ("0,row:0", "\0", "no readable cleaned index"),
        ("0,row:0,train,copies_across_splits,row:14\n", "", "not those that cleaned.json counts"),
        ("row:14\n", "row:14\n1,row:1,train,blank,\n", "not those that cleaned.json counts"),
        ("row:14\n", "row:14\n0,row:0,train,copies_across_splits,row:14\n", "not those that cleaned.json counts"),
        ("0,row:0", "999,row:999", "leaves out row 999"),
    ],
)
def test_an_index_changed_by_hand_is_one_sentence(
    old: str, new: str, message: str, leaky: DataReference, tmp_path: Path
) -> None:
    clean(leaky, tmp_path / "index")
    file = tmp_path / "index" / "left_out.csv"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
    with pytest.raises(UserError, match=message):
        load_dataset(parse_reference(f"cleaned={tmp_path / 'index'}"))


# Picture 0 is black; any rows of few pictures make copies within and across splits, with one label or two.
ANY_ROWS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 1), st.integers(0, 2)), min_size=1, max_size=24)


@given(ANY_ROWS)
def test_the_default_rules_remove_every_leak_and_nothing_else_of_a_distinct_image(
    rows: list[tuple[int, int, int]],
) -> None:
    dataset = small(rows)
    audit = audit_dataset(dataset, near=True)
    out = {row.row for row in rows_to_leave_out(dataset, audit, DEFAULT_RULES)}
    kept = [row for number, row in enumerate(rows) if number not in out]
    assert [row for row in kept if row[2] == 2] == [row for row in rows if row[2] == 2]
    training = [picture for picture, _, split in kept if split == 0]
    assert len(training) == len(set(training))
    assert not {0} & {picture for picture, _, split in kept if split != 2}
    for picture in {picture for picture, _, _ in rows}:
        splits = {split for found, _, split in kept if found == picture}
        assert len(splits) <= 1
        alone = [row for row in rows if row[0] == picture]
        assert splits or picture == 0 or len({label for _, label, _ in alone}) == 2
