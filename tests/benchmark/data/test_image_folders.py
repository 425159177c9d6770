"""Image folders: where labels, splits and order come from, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sample_files import (
    FER2013_CLASSES,
    class_tree,
    fer2013_lines,
    random_images,
    settle,
    write_lines,
    write_png,
    write_tree,
)

from fbench.architectures.errors import UserError
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference


def load(name: str, path: Path) -> ImageDataset:
    return load_dataset(DataReference(name=name, path=path))


def test_train_val_and_test_are_the_three_splits(tmp_path: Path) -> None:
    files = class_tree({"train": 3, "val": 1, "test": 2})
    dataset = load("fer2013", write_tree(tmp_path, files))
    assert np.bincount(dataset.split).tolist() == [21, 7, 14]
    assert dataset.class_names == FER2013_CLASSES
    assert not dataset.may_show_images
    for image, label, split, place in zip(
        dataset.images, dataset.labels, dataset.split, dataset.sample_ids.tolist(), strict=True
    ):
        part, class_name, _ = place.split("/")
        np.testing.assert_array_equal(image[0], files[place])
        assert class_name == FER2013_CLASSES[label]
        assert part == ("train", "val", "test")[split]


@pytest.mark.parametrize("layout", ["three", "kaggle"])
def test_files_named_by_csv_row_give_the_fingerprint_of_the_csv(layout: str, tmp_path: Path) -> None:
    labels = [row * 5 % 7 for row in range(28)]
    usages = ["Training"] * 14 + ["PublicTest"] * 7 + ["PrivateTest"] * 7
    images = random_images(28)
    part = {"Training": "train", "PublicTest": "val" if layout == "three" else "test", "PrivateTest": "test"}
    tree = {
        f"{part[usage]}/{FER2013_CLASSES[label]}/{usage}_{row:05d}.png": images[row]
        for row, (label, usage) in enumerate(zip(labels, usages, strict=True))
    }
    from_folders = load("fer2013", write_tree(tmp_path / "tree", tree))
    from_csv = load("fer2013", write_lines(tmp_path / "fer2013.csv", fer2013_lines(labels, usages, images)))
    assert from_folders.fingerprint == from_csv.fingerprint
    assert ("told apart by file name" in from_folders.description) == (layout == "kaggle")


def test_without_val_a_tenth_of_each_class_of_train_selects(tmp_path: Path) -> None:
    files = class_tree({"train": 20, "test": 1})
    dataset = load("fer2013", write_tree(tmp_path, files))
    chosen = dataset.rows("selection")
    assert np.bincount(dataset.labels[chosen]).tolist() == [2] * 7
    assert all(place.startswith("train/") for place in dataset.sample_ids[chosen])
    assert dataset.rows("test").size == 7
    assert "seeded stratified 10% of train/ (14 of 140 images, seed 0)" in dataset.description


def test_the_drawn_selection_split_does_not_depend_on_the_spelling_of_folders(tmp_path: Path) -> None:
    spellings = ("Anger", "Disgusted", "Fearful", "Happiness", "Sadness", "Surprised", "NEUTRAL")
    plain = class_tree({"train": 10, "test": 1})
    spelled = class_tree({"train": 10, "test": 1}, spellings)
    first = load("fer2013", write_tree(tmp_path / "plain", plain))
    second = load("folder", write_tree(tmp_path / "spelled", spelled))
    assert second.class_names == FER2013_CLASSES
    assert first.fingerprint == second.fingerprint


def test_one_file_name_that_tells_no_usage_makes_test_the_test_split(tmp_path: Path) -> None:
    files = class_tree({"train": 2, "test": 0})
    names = ["PublicTest_1.png", "PrivateTest_2.png", "photo.png"]
    files |= {f"test/happy/{name}": image for name, image in zip(names, random_images(3), strict=True)}
    dataset = load("fer2013", write_tree(tmp_path, files))
    assert dataset.rows("test").size == 3


def test_other_class_names_are_sorted(tmp_path: Path) -> None:
    files = class_tree({"Training": 1, "validation": 1, "testing": 1}, ["smile", "frown", "Calm"])
    dataset = load("folder", write_tree(tmp_path, files))
    assert dataset.class_names == ("Calm", "frown", "smile")
    assert [place.split("/")[1] for place in dataset.sample_ids] == [
        dataset.class_names[label] for label in dataset.labels
    ]


def test_class_folders_alone_are_split_70_15_15_within_each_class(tmp_path: Path) -> None:
    dataset = load("folder", write_tree(tmp_path, class_tree({"": 20}, ["a", "b"])))
    for label in range(2):
        assert np.bincount(dataset.split[dataset.labels == label]).tolist() == [14, 3, 3]
    assert "one person may be on several sides" in dataset.description


def test_folders_inside_a_class_folder_belong_to_the_class(tmp_path: Path) -> None:
    files = class_tree({"train": 1, "val": 1, "test": 1}, ["a", "b"])
    files["train/a/more/deep.jpg.png"] = random_images(1)[0]
    dataset = load("folder", write_tree(tmp_path, files))
    assert dataset.labels[dataset.sample_ids == "train/a/more/deep.jpg.png"].tolist() == [0]


def test_other_files_are_counted_and_hidden_ones_ignored(tmp_path: Path) -> None:
    write_tree(tmp_path, class_tree({"train": 1, "val": 1, "test": 1}, ["a", "b"]))
    (tmp_path / "train" / "a" / "labels.txt").write_text("x")
    (tmp_path / "train" / "a" / ".DS_Store").write_text("x")
    (tmp_path / "__MACOSX").mkdir()
    dataset = load("folder", settle(tmp_path))
    assert len(dataset.images) == 6
    assert dataset.description.endswith("1 files that are not images were left out.")


def test_links_in_a_circle_are_not_followed(tmp_path: Path) -> None:
    write_tree(tmp_path, class_tree({"train": 1, "val": 1, "test": 1}, ["a", "b"]))
    (tmp_path / "train" / "a" / "loop").symlink_to(tmp_path / "train", target_is_directory=True)
    assert len(load("folder", tmp_path).images) == 6


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_an_empty_part_is_named(part: str, tmp_path: Path) -> None:
    write_tree(tmp_path, class_tree({"train": 1, "val": 1, "test": 1}))
    for file in (tmp_path / part).rglob("*.png"):
        file.unlink()
    split = {"train": "train", "val": "selection", "test": "test"}[part]
    with pytest.raises(UserError, match=f"no image for the {split} split; put image files into {part}/"):
        load("fer2013", tmp_path)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"train": 1, "val": 1}, "no folder test/ beside train/, val/"),
        ({"val": 1, "test": 1}, "no folder train/ beside val/, test/"),
        ({"train": 1, "val": 1, "valid": 1, "test": 1}, "val/ and valid/, which both mean 'val'"),
    ],
)
def test_parts_that_do_not_fit_are_refused(parts: dict[str, int], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=message):
        load("folder", write_tree(tmp_path, class_tree(parts)))


def test_fer2013_without_one_of_its_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no folder for 'neutral'.*folder="):
        load("fer2013", write_tree(tmp_path, class_tree({"train": 1, "test": 1}, FER2013_CLASSES[:6])))


def test_fer2013_with_another_class_is_refused(tmp_path: Path) -> None:
    classes = [*FER2013_CLASSES, "contempt"]
    with pytest.raises(UserError, match=r"a folder 'contempt', but FER2013 has the classes angry"):
        load("fer2013", write_tree(tmp_path, class_tree({"train": 1, "test": 1}, classes)))


def test_two_spellings_of_one_class_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'happiness' and 'happy', which both mean 'happy'"):
        load("folder", write_tree(tmp_path, class_tree({"train": 1, "test": 1}, ["happy", "happiness", "sad"])))


def test_a_class_without_training_images_is_refused(tmp_path: Path) -> None:
    files = class_tree({"train": 2, "test": 1}, ["smile", "frown"])
    files["test/smiel/0.png"] = random_images(1)[0]
    with pytest.raises(UserError, match="no training image of the class 'smiel'"):
        load("folder", write_tree(tmp_path, files))


def test_a_folder_without_class_folders_is_refused(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", random_images(1)[0])
    with pytest.raises(UserError, match="0 class folders"):
        load("folder", tmp_path)


def test_a_file_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not what --data folder reads; give a folder with train/"):
        load("folder", write_png(tmp_path / "a.png", random_images(1)[0]))
