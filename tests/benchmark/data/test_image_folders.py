"""Image folders: where labels, splits and order come from, and what is refused."""

from __future__ import annotations

import os
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

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.core.errors import UserError


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
    chosen = dataset.rows("validation")
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
    assert [part.model_dump() for part in dataset.left_out] == [
        {"reason": "is no image file by its suffix", "names": ("train/a/labels.txt",)}
    ]
    assert dataset.description.endswith("1 file was left out: each is no image file by its suffix.")


def test_links_in_a_circle_are_not_followed(tmp_path: Path) -> None:
    write_tree(tmp_path, class_tree({"train": 1, "val": 1, "test": 1}, ["a", "b"]))
    (tmp_path / "train" / "a" / "loop").symlink_to(tmp_path / "train", target_is_directory=True)
    dataset = load("folder", tmp_path)
    assert len(dataset.images) == 6
    assert dataset.left_out[0].reason == "is a link to a folder, which is not followed"
    assert dataset.left_out[0].names == ("train/a/loop",)


def test_a_link_that_leads_nowhere_or_in_a_circle_is_left_out(tmp_path: Path) -> None:
    write_tree(tmp_path, class_tree({"train": 1, "val": 1, "test": 1}, ["a", "b"]))
    (tmp_path / "train" / "a" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "train" / "a" / "self.png").symlink_to(tmp_path / "train" / "a" / "self.png")
    (left_out,) = load("folder", tmp_path).left_out
    assert left_out.names == ("train/a/gone.png", "train/a/self.png")
    assert left_out.reason == "is a link that leads nowhere"


BAD = {
    "cut short.jpg": (lambda path: path.write_bytes(b"\xff\xd8\xff\xe0" + b"0" * 40), "is cut short or damaged"),
    "empty\nline.png": (lambda path: path.write_bytes(b""), "is empty"),
    "t\u00ebxt.png": (lambda path: path.write_text("hello"), "is not an image"),
}


def test_bad_images_are_left_out_by_name_and_reason_and_the_rest_is_read(tmp_path: Path) -> None:
    write_tree(tmp_path, class_tree({"train": 2, "val": 1, "test": 1}, ["a", "b"]))
    for name, (make, _) in BAD.items():
        make(tmp_path / "train" / "a" / name)
    dataset = load("folder", settle(tmp_path))
    assert len(dataset.images) == 8
    found = {name: part.reason for part in dataset.left_out for name in part.names}
    assert found == {f"train/a/{name}": reason for name, (_, reason) in BAD.items()}
    again = load("folder", tmp_path)
    assert again.left_out == dataset.left_out


def test_a_folder_of_bad_images_alone_is_refused_with_the_reason(tmp_path: Path) -> None:
    for part in ("train/a", "train/b", "test/a", "test/b"):
        (tmp_path / part).mkdir(parents=True)
        (tmp_path / part / "x.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"None of the 4 image files .* is empty"):
        load("folder", tmp_path)


def test_class_folders_beside_parts_are_refused(tmp_path: Path) -> None:
    files = class_tree({"train": 1, "test": 1}, ["a", "b"])
    files["happy/0.png"] = random_images(1)[0]
    with pytest.raises(UserError, match="images in happy/ beside train/, test/"):
        load("folder", write_tree(tmp_path, files))


def test_images_in_no_class_folder_are_left_out(tmp_path: Path) -> None:
    files = class_tree({"train": 1, "val": 1, "test": 1}, ["a", "b"])
    files["train/loose.png"] = random_images(1)[0]
    (left_out,) = load("folder", write_tree(tmp_path, files)).left_out
    assert (left_out.reason, left_out.names) == ("lies in no class folder", ("train/loose.png",))


@pytest.mark.parametrize("place", ["train/a", "a", "images/a"])
def test_images_beside_the_folders_of_the_root_are_refused(place: str, tmp_path: Path) -> None:
    write_tree(tmp_path, {f"{place}/0.png": random_images(1)[0], "loose.png": random_images(1)[0]})
    with pytest.raises(UserError, match=rf"images such as loose\.png beside the folder {place.split('/')[0]}/"):
        load("folder", tmp_path)


def test_a_pipe_and_a_linked_class_folder_are_left_out(tmp_path: Path) -> None:
    write_tree(tmp_path / "set", class_tree({"train": 1, "val": 1, "test": 1}, ["a", "b"]))
    write_tree(tmp_path / "elsewhere", class_tree({"": 1}, ["c"]))
    (tmp_path / "set" / "train" / "c").symlink_to(tmp_path / "elsewhere" / "c", target_is_directory=True)
    os.mkfifo(tmp_path / "set" / "train" / "a" / "pipe.png")
    found = {part.reason: part.names for part in load("folder", tmp_path / "set").left_out}
    assert found == {
        "is a link to a folder, which is not followed": ("train/c",),
        "is a pipe or device": ("train/a/pipe.png",),
    }


@pytest.mark.parametrize("wrapper", ["images", "fer2013/images"])
def test_a_single_folder_around_the_parts_is_looked_into(wrapper: str, tmp_path: Path) -> None:
    plain = write_tree(tmp_path / "plain", class_tree({"train": 2, "val": 1, "test": 1}))
    wrapped = write_tree(tmp_path / "wrapped" / wrapper, class_tree({"train": 2, "val": 1, "test": 1}))
    dataset = load("fer2013", tmp_path / "wrapped")
    assert wrapped.is_dir()
    assert dataset.fingerprint == load("fer2013", plain).fingerprint
    assert dataset.description.endswith(f"They lie in {wrapper}/.")


def test_without_test_the_validation_part_tests_and_a_tenth_of_train_selects(tmp_path: Path) -> None:
    dataset = load("folder", write_tree(tmp_path, class_tree({"train": 20, "validation": 3}, ["a", "b"])))
    assert np.bincount(dataset.split).tolist() == [36, 4, 6]
    assert all(name.startswith("validation/") for name in dataset.sample_ids[dataset.split == 2])
    assert "there is no test/, so val/ is the test split" in dataset.description


@pytest.mark.parametrize(
    "spellings",
    [
        ["0_angry", "1_disgust", "2_fear", "3_happy", "4_sad", "5_surprise", "6_neutral"],
        ["Anger", "DISGUSTED", "Fearful", "Happiness", "sadness", "Surprised", "Neutral"],
        ["1 - Angry", "2 - Disgust", "3 - Fear", "4 - Happy", "5 - Sad", "6 - Surprise", "7 - Neutral"],
    ],
)
def test_usual_spellings_of_the_classes_are_read(spellings: list[str], tmp_path: Path) -> None:
    dataset = load("fer2013", write_tree(tmp_path, class_tree({"train": 1, "val": 1, "test": 1}, spellings)))
    assert dataset.class_names == FER2013_CLASSES
    assert sorted(dataset.labels[dataset.split == 0].tolist()) == [0, 1, 2, 3, 4, 5, 6]


def test_a_fold_of_class_folders_tests_each_image_once(tmp_path: Path) -> None:
    write_tree(
        tmp_path,
        class_tree({"a": 0, "b": 0}, []) | {f"{c}/{i}.png": random_images(1, i)[0] for c in "ab" for i in range(9)},
    )
    tested: list[str] = []
    for fold in (1, 2, 3):
        dataset = load_dataset(DataReference(name="folder", path=tmp_path, options={"fold": f"{fold}/3"}))
        assert np.bincount(dataset.split).tolist() == [6, 6, 6]
        assert np.bincount(dataset.labels[dataset.split == 2]).tolist() == [3, 3]
        tested += dataset.sample_ids[dataset.split == 2].tolist()
    assert len(set(tested)) == len(tested) == 18


@pytest.mark.parametrize("part", ["train", "val", "test"])
def test_an_empty_part_is_named(part: str, tmp_path: Path) -> None:
    write_tree(tmp_path, class_tree({"train": 1, "val": 1, "test": 1}))
    for file in (tmp_path / part).rglob("*.png"):
        file.unlink()
    split = {"train": "train", "val": "validation", "test": "test"}[part]
    with pytest.raises(UserError, match=f"no usable image for the {split} split" if part != "train" else "train"):
        load("fer2013", tmp_path)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"train": 1}, "train/ and neither val/ nor test/"),
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
    with pytest.raises(UserError, match="no usable training image of the class 'smiel'"):
        load("folder", write_tree(tmp_path, files))


def test_a_folder_without_class_folders_is_refused(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", random_images(1)[0])
    with pytest.raises(UserError, match="0 class folders"):
        load("folder", tmp_path)


def test_a_file_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not what --data folder reads; give a folder with train/"):
        load("folder", write_png(tmp_path / "a.png", random_images(1)[0]))
