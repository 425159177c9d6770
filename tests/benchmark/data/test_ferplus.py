"""FERPlus: the authors' rules on hand-made votes, joined to FER2013 by row, and counts of the published data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_files import settle, small_fer2013, write_lines

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.layouts.fer2013_csv import read_fer2013_csv
from fbench.benchmark.data.layouts.ferplus_votes import (
    FERPLUS_CLASSES,
    distribution,
    majority,
    non_faces,
    non_faces_of_rows,
    read_votes,
)
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.core.errors import UserError

HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
SHARED = Path(__file__).parents[4] / "shared" / "data" / "fer2013new.csv"

# votes (neutral happiness surprise sadness anger disgust fear contempt unknown NF)  ->  majority, shares
HAND_MADE = [
    ((4, 0, 0, 1, 3, 2, 0, 0, 0, 0), -1, {0: 4 / 7, 4: 3 / 7}),  # 4 of 9 is no majority; two columns hold 7 of 9
    ((6, 0, 1, 1, 0, 0, 0, 0, 2, 0), 0, {0: 1.0}),  # 6 of 8 left are three quarters
    ((0, 10, 0, 0, 0, 0, 0, 0, 0, 0), 1, {1: 1.0}),
    ((5, 0, 0, 5, 0, 0, 0, 0, 0, 0), -1, {0: 0.5, 3: 0.5}),  # half is no majority
    ((0, 0, 0, 0, 0, 0, 0, 0, 0, 10), 9, {9: 1.0}),
    ((0, 0, 3, 0, 0, 0, 3, 0, 4, 0), -1, {}),  # unknown comes first and holds too few
    ((0, 6, 0, 0, 0, 0, 0, 0, 4, 0), 1, {1: 1.0}),  # unknown behind an expression is dropped
    ((1, 1, 1, 1, 1, 1, 1, 1, 1, 1), -1, {}),  # ten outliers
]


@pytest.mark.parametrize(("votes", "winner", "shares"), HAND_MADE)
def test_hand_made_votes(votes: tuple[int, ...], winner: int, shares: dict[int, float]) -> None:
    counts = np.array([votes], np.uint8)
    assert majority(counts).tolist() == [winner]
    found = distribution(counts[0])
    assert {column: share for column, share in enumerate(found.tolist()) if share} == pytest.approx(shares)


@given(st.lists(st.integers(0, 10), min_size=10, max_size=10))
def test_shares_are_none_or_sum_to_one_and_outliers_have_none(votes: list[int]) -> None:
    counts = np.array(votes, np.uint8)
    shares = distribution(counts)
    assert shares.sum() == pytest.approx(1.0) or not shares.any()
    assert not shares[counts <= 1].any()


def ferplus(folder: Path, rows: list[str], labels: str = "majority") -> ImageDataset:
    write_lines(folder / "fer2013new.csv", [HEADER, *rows])
    return load_dataset(DataReference(name="ferplus", path=folder, options={"labels": labels}))


def usages(lines: list[str]) -> list[str]:
    return [line.rpartition(",")[2] for line in lines[1:]]


def rows_of(lines: list[str], votes: list[tuple[int, ...]]) -> list[str]:
    """Every row has the same file name: names are no key."""
    return [
        f"{usage},fer0000000.png,{','.join(map(str, votes[row % len(votes)]))}"
        for row, usage in enumerate(usages(lines))
    ]


HAPPY, NOBODY = (0, 10, 0, 0, 0, 0, 0, 0, 0, 0), (0, 0, 0, 0, 0, 0, 0, 0, 0, 10)
SAD = (0, 0, 0, 10, 0, 0, 0, 0, 0, 0)
LATER_S = 1_600_000_100
MIXED = (5, 0, 0, 5, 0, 0, 0, 0, 0, 0)


def test_labels_are_joined_by_row_and_undecided_rows_left_out(tmp_path: Path) -> None:
    lines, _ = small_fer2013()
    write_lines(tmp_path / "fer2013.csv", lines)
    rows = rows_of(lines, [HAPPY])
    rows[0], rows[1] = rows_of(lines, [NOBODY])[0], rows_of(lines, [MIXED])[1]
    dataset = ferplus(tmp_path, rows)
    assert dataset.class_names == FERPLUS_CLASSES
    assert set(dataset.labels.tolist()) == {1}
    assert dataset.label_shares is None
    assert "row:0" not in dataset.sample_ids
    assert {name: part.reason for part in dataset.left_out for name in part.names} == {
        "row:0": "is no face to most taggers",
        "row:1": "has no expression that enough taggers agree on",
    }


def test_shares_become_training_targets(tmp_path: Path) -> None:
    lines, _ = small_fer2013()
    write_lines(tmp_path / "fer2013.csv", lines)
    dataset = ferplus(tmp_path, rows_of(lines, [MIXED]), "probability")
    assert dataset.label_shares is not None
    np.testing.assert_allclose(dataset.label_shares[:, [0, 3]], 0.5)
    assert set(dataset.labels.tolist()) == {0}
    assert dataset.name == "ferplus-probability"


def test_non_faces_are_dropped_and_fer2013s_labels_stay(tmp_path: Path) -> None:
    lines, _ = small_fer2013()
    whole = read_fer2013_csv(write_lines(tmp_path / "fer2013.csv", lines))
    rows = rows_of(lines, [HAPPY])
    rows[0] = rows_of(lines, [NOBODY])[0]
    dataset = ferplus(tmp_path, rows, "drop_non_face")
    assert dataset.class_names == whole.class_names
    np.testing.assert_array_equal(dataset.labels, whole.labels[1:])
    np.testing.assert_array_equal(dataset.split, whole.split[1:])


def test_files_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    lines, _ = small_fer2013()
    write_lines(tmp_path / "fer2013.csv", lines)
    rows = rows_of(lines, [HAPPY])
    with pytest.raises(UserError, match="cannot be joined by position"):
        ferplus(tmp_path, rows[:-1])
    other = [row.replace("Training", "PrivateTest") for row in rows]
    with pytest.raises(UserError, match="calls data row 0 PrivateTest"):
        ferplus(tmp_path, other)
    (tmp_path / "fer2013.csv").unlink()
    with pytest.raises(UserError, match=r"neither of fer2013\.csv and icml_face_data\.csv"):
        ferplus(tmp_path, rows)


@pytest.mark.parametrize("given", ["", "fer2013new.csv", "icml_face_data.csv"])
def test_either_file_or_the_folder_may_be_given(given: str, tmp_path: Path) -> None:
    lines, _ = small_fer2013()
    write_lines(tmp_path / "icml_face_data.csv", lines)
    rows = rows_of(lines, [HAPPY])
    whole = ferplus(tmp_path, rows)
    dataset = load_dataset(DataReference(name="ferplus", path=tmp_path / given))
    assert dataset.fingerprint == whole.fingerprint


def test_changed_votes_or_images_are_read_anew(tmp_path: Path) -> None:
    lines, _ = small_fer2013()
    write_lines(tmp_path / "fer2013.csv", lines)
    assert ferplus(tmp_path, rows_of(lines, [HAPPY])).labels.tolist() == [1] * 6
    reference = DataReference(name="ferplus", path=tmp_path)
    write_lines(tmp_path / "fer2013new.csv", [HEADER, *rows_of(lines, [SAD])])
    settle(tmp_path / "fer2013new.csv", LATER_S)
    assert load_dataset(reference).labels.tolist() == [3] * 6
    others, images = small_fer2013(seed=1)
    settle(write_lines(tmp_path / "fer2013.csv", others), LATER_S)
    np.testing.assert_array_equal(load_dataset(reference).images[:, 0], images)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("Training,a.png,1,2,3", "line 3: 5 columns"),
        ("Training,a.png,0,x,0,0,0,0,0,0,0,0", "line 3: 'x' votes for happiness"),
        ("Training,a.png,0,0,0,0,0,-1,0,0,0,0", "line 3: '-1' votes for disgust"),
    ],
)
def test_a_bad_line_is_named_by_its_number(row: str, message: str, tmp_path: Path) -> None:
    good = "Training,a.png,0,10,0,0,0,0,0,0,0,0"
    with pytest.raises(UserError, match=message):
        read_votes(write_lines(tmp_path / "fer2013new.csv", [HEADER, good, row]))


def test_another_file_is_refused_by_its_header(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not begin with Usage,Image name,neutral"):
        read_votes(write_lines(tmp_path / "fer2013new.csv", ["emotion,pixels,Usage"]))


@pytest.mark.skipif(not SHARED.exists(), reason="the published votes are not here")
def test_the_published_votes_have_the_known_counts() -> None:
    """The authors' majority keeps 25,060, 3,199 and 3,153 images; 173 rows have no name and ten votes for NF."""
    votes = read_votes(SHARED)
    assert len(votes.counts) == 35887
    assert int(((votes.counts[:, 9] == 10) & (votes.names == "")).sum()) == 173
    assert non_faces(votes)[votes.counts[:, 9] == 10].all()
    assert int(non_faces(votes).sum()) == 177
    winner = majority(votes.counts)
    kept = (winner >= 0) & (winner < 8)
    by_usage = [int((kept & (votes.usage == usage)).sum()) for usage in ("Training", "PublicTest", "PrivateTest")]
    assert by_usage == [25060, 3199, 3153]


def test_votes_on_rows_of_other_splits_are_not_joined_in_an_audit_either(tmp_path: Path) -> None:
    lines, _ = small_fer2013()
    whole = read_fer2013_csv(write_lines(tmp_path / "fer2013.csv", lines))
    file = write_lines(tmp_path / "fer2013new.csv", [HEADER, *rows_of(lines, [HAPPY, NOBODY])])
    assert non_faces_of_rows(whole, read_votes(file), file)[:2].tolist() == [False, True]
    moved = write_lines(tmp_path / "fer2013new.csv", [HEADER, *reversed(rows_of(lines, [HAPPY]))])
    with pytest.raises(UserError, match="calls data row 0 PrivateTest"):
        non_faces_of_rows(whole, read_votes(moved), moved)
