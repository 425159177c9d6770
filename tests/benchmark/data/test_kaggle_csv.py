"""Kaggle's train.csv and test.csv: labels without published splits, and images without labels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sample_files import (
    class_tree,
    kaggle_train_lines,
    pixel_text,
    random_images,
    small_fer2013,
    write_lines,
    write_tree,
)

from fbench.benchmark.data.layouts.fer2013_csv import read_fer2013_csv
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.core.errors import UserError


def test_kaggle_test_csv_is_refused_because_it_has_no_labels(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "test.csv", ["pixels", *(f'"{pixel_text(image)}"' for image in random_images(2))])
    with pytest.raises(UserError, match=r"Kaggle's test\.csv comes without labels, so give fer2013\.csv"):
        read_fer2013_csv(path)


def test_kaggle_train_csv_is_split_70_15_15_within_each_class_and_says_so(tmp_path: Path) -> None:
    dataset = read_fer2013_csv(write_lines(tmp_path / "train.csv", kaggle_train_lines()))
    assert dataset.labels.tolist() == [row % 7 for row in range(140)]
    for label in range(7):
        assert np.bincount(dataset.split[dataset.labels == label]).tolist() == [14, 3, 3]
    assert "not FER2013's published split" in dataset.description
    assert "test.csv has no labels and is not used" in dataset.description


def test_a_file_with_published_splits_wins_over_train_csv(tmp_path: Path) -> None:
    lines, _ = small_fer2013()
    write_lines(tmp_path / "train.csv", kaggle_train_lines())
    assert len(load_dataset(DataReference(name="fer2013", path=tmp_path)).labels) == 140
    write_lines(tmp_path / "fer2013.csv", lines)
    assert "PublicTest" in load_dataset(DataReference(name="fer2013", path=tmp_path)).description


def test_a_folder_with_train_and_test_csv_reads_the_labelled_one(tmp_path: Path) -> None:
    train = write_lines(tmp_path / "train.csv", kaggle_train_lines())
    write_lines(tmp_path / "test.csv", ["pixels", *(f'"{pixel_text(image)}"' for image in random_images(2))])
    folder = load_dataset(DataReference(name="fer2013", path=tmp_path))
    assert folder.fingerprint == load_dataset(DataReference(name="fer2013", path=train)).fingerprint


def test_image_folders_with_a_test_part_win_over_train_csv(tmp_path: Path) -> None:
    write_lines(tmp_path / "train.csv", kaggle_train_lines())
    write_tree(tmp_path, class_tree({"train": 10, "test": 2}))
    assert "test/ is the test split" in load_dataset(DataReference(name="fer2013", path=tmp_path)).description


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("begin", ["", "\ufeff"])
@pytest.mark.parametrize("columns_swapped", [False, True])
def test_line_ends_marks_and_the_order_of_columns_do_not_matter(
    end: str, begin: str, columns_swapped: bool, tmp_path: Path
) -> None:
    lines = kaggle_train_lines(3)
    plain = read_fer2013_csv(write_lines(tmp_path / "plain.csv", lines))
    if columns_swapped:
        lines = [",".join(reversed(line.split(","))) for line in lines]
    file = tmp_path / "train.csv"
    file.write_bytes((begin + (end * 2).join(lines)).encode())
    assert read_fer2013_csv(file).fingerprint == plain.fingerprint


def test_a_column_beside_the_two_is_refused_since_it_may_be_a_misspelt_usage(tmp_path: Path) -> None:
    lines = [f"{line},1" for line in kaggle_train_lines(3)]
    with pytest.raises(UserError, match=r"line 1: the header .* has no column 'Usage'"):
        read_fer2013_csv(write_lines(tmp_path / "train.csv", lines))


def test_too_few_rows_for_three_splits_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="too few rows for the validation split; give the whole file"):
        read_fer2013_csv(write_lines(tmp_path / "train.csv", kaggle_train_lines(1)))
