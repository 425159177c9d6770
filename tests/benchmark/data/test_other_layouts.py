"""IMED, RAF-DB and class maps, on small made trees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sample_files import random_images, settle, write_png, write_tree

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.layouts.class_names import FER2013_CLASSES
from fbench.benchmark.data.layouts.imed import mixed_emotions
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.core.errors import UserError


def load(name: str, path: Path, **options: str) -> ImageDataset:
    return load_dataset(DataReference(name=name, path=path, options=options))


def flat(folders: list[str], of_each: int) -> dict[str, np.ndarray]:
    images = iter(random_images(len(folders) * of_each))
    return {f"{folder}/{row}.png": next(images) for folder in folders for row in range(of_each)}


# --- IMED: seven single and twelve mixed emotions (Liliana et al. 2018)


def test_single_emotions_are_kept_in_fer2013s_order_and_mixed_ones_left_out(tmp_path: Path) -> None:
    folders = ["Marah", "Disgust", "Fear", "Happiness", "Sadness", "Surprise", "Neutral"]
    files = flat([*folders, "Angry-Disgust", "happy and surprised"], 20)
    dataset = load("imed", write_tree(tmp_path, files))
    assert dataset.class_names == FER2013_CLASSES
    assert np.bincount(dataset.labels).tolist() == [20] * 7
    assert np.bincount(dataset.split).tolist() == [7 * 14, 7 * 3, 7 * 3]
    reasons = {part.reason: len(part.names) for part in dataset.left_out}
    assert reasons == {
        "shows a mixed emotion (angry and disgust)": 20,
        "shows a mixed emotion (happy and surprise)": 20,
    }
    assert "images of one person may be on several sides" in dataset.description


@pytest.mark.parametrize(
    ("folder", "emotions"),
    [
        ("Angry-Disgust", ("angry", "disgust")),
        ("happily surprised", ("happy", "surprise")),
        ("sadly", None),
        ("Fear & Surprise", ("fear", "surprise")),
        ("marah dan sedih", ("angry", "sad")),
        ("Happy", None),
        ("boredom", None),
    ],
)
def test_a_mix_is_two_emotions_joined(folder: str, emotions: tuple[str, ...] | None) -> None:
    assert mixed_emotions(folder) == emotions


def test_a_folder_that_is_no_emotion_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="folder 'bored', which is neither one of angry"):
        load("imed", write_tree(tmp_path, flat(["happy", "sad", "bored"], 2)))


@pytest.mark.parametrize("parts", [("train", "test"), ("train", "validation")])
def test_parts_of_imed_are_its_splits(parts: tuple[str, str], tmp_path: Path) -> None:
    files = {
        f"{part}/{path}": image for part in parts for path, image in flat(["marah", "Happy", "Sad+Fear"], 20).items()
    }
    dataset = load("imed", write_tree(tmp_path, files))
    assert dataset.class_names == ("angry", "happy")
    assert np.bincount(dataset.split).tolist() == [36, 4, 40]
    assert all(name.startswith(f"{parts[1]}/") for name in dataset.sample_ids[dataset.split == 2])
    assert [len(part.names) for part in dataset.left_out] == [40]
    assert "do not tell whether one person is on several sides" in dataset.description


# --- RAF-DB, basic


def rafdb(root: Path, lines: list[str], missing: tuple[str, ...] = ()) -> Path:
    for row, line in enumerate(lines):
        stem = line.split(".")[0]
        if stem.startswith(("train", "test")) and stem not in missing:
            write_png(root / "basic" / "Image" / "aligned" / f"{stem}_aligned.png", random_images(1, row, size=100)[0])
    (root / "basic" / "EmoLabel").mkdir(parents=True, exist_ok=True)
    (root / "basic" / "EmoLabel" / "list_patition_label.txt").write_text("\n".join(lines) + "\n")
    return settle(root)


RAF_LINES = [f"train_{row:05}.png {row % 7 + 1}" for row in range(140)] + [
    f"test_{row:04}.png {row % 7 + 1}" for row in range(14)
]


def test_the_list_gives_labels_in_fer2013s_order_and_names_give_splits(tmp_path: Path) -> None:
    dataset = load("rafdb", rafdb(tmp_path, RAF_LINES))
    assert dataset.class_names == FER2013_CLASSES
    assert np.bincount(dataset.split).tolist() == [126, 14, 14]
    label = dict(zip(dataset.sample_ids.tolist(), dataset.labels.tolist(), strict=True))
    codes = ["surprise", "fear", "disgust", "happy", "sad", "angry", "neutral"]
    for row, name in enumerate(codes):
        assert FER2013_CLASSES[label[f"Image/aligned/test_{row:04}_aligned.png"]] == name
    assert "antialiased bilinear" in dataset.conversion


def test_a_listed_face_that_is_missing_is_left_out(tmp_path: Path) -> None:
    (left_out,) = load("rafdb", rafdb(tmp_path, RAF_LINES, missing=("train_00003",))).left_out
    assert left_out.names == ("Image/aligned/train_00003_aligned.png",)
    assert left_out.reason == "is in the list and not in the folder"


def test_a_face_that_is_not_listed_is_left_out(tmp_path: Path) -> None:
    write_png(tmp_path / "basic" / "Image" / "aligned" / "train_99999_aligned.png", random_images(1)[0])
    (left_out,) = load("rafdb", rafdb(tmp_path, RAF_LINES)).left_out
    assert left_out.names == ("Image/aligned/train_99999_aligned.png",)
    assert left_out.reason == "is in the folder and not in the list"


def test_a_list_without_its_faces_is_refused(tmp_path: Path) -> None:
    rafdb(tmp_path, ["train_00001.png 1"], missing=("train_00001",))
    with pytest.raises(UserError, match=r"list_patition_label\.txt and no folder Image/aligned"):
        load("rafdb", tmp_path)
    (tmp_path / "basic" / "Image" / "aligned").mkdir(parents=True)
    with pytest.raises(UserError, match="none of the faces that"):
        load("rafdb", tmp_path)


@pytest.mark.parametrize("bad", ["train_1.png 8", "train_1.png", "photo.png 3", "train_1.png 1 2", RAF_LINES[0]])
def test_a_bad_line_of_the_list_is_named_by_its_number(bad: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"list_patition_label\.txt, line 155"):
        load("rafdb", rafdb(tmp_path, [*RAF_LINES, bad]))


# --- class maps


def write_map(root: Path, text: str, name: str = "fbench_data.toml") -> Path:
    (root / name).write_text(text, encoding="utf-8")
    return settle(root)


CLASSES = '[classes]\ncalm = ["neutral", "relaxed"]\nglad = ["joy"]\n'


def test_a_class_map_joins_folders_into_classes_in_its_own_order(tmp_path: Path) -> None:
    write_tree(tmp_path, flat(["neutral", "relaxed", "joy", "trash"], 20))
    write_map(tmp_path, 'leave_out = ["trash"]\nmay_show_images = true\nlicence = "CC0"\n' + CLASSES)
    dataset = load("folder", tmp_path)
    assert dataset.class_names == ("calm", "glad")
    assert np.bincount(dataset.labels).tolist() == [40, 20]
    assert dataset.may_show_images
    assert "Licence: CC0." in dataset.description
    assert [(part.reason, len(part.names)) for part in dataset.left_out] == [
        ("lies in a folder that the class map leaves out", 20)
    ]


def test_subjects_told_by_file_names_are_never_on_two_sides(tmp_path: Path) -> None:
    images = iter(random_images(60))
    files = {f"{name}/P{who:02}_{name}.png": next(images) for name in ("neutral", "joy") for who in range(30)}
    write_map(write_tree(tmp_path, files), "subject = '(?P<subject>P\\d+)_'\n" + CLASSES.replace(', "relaxed"', ""))
    dataset = load("folder", tmp_path)
    assert dataset.subjects is not None
    sides = [set(dataset.split[dataset.subjects == who].tolist()) for who in np.unique(dataset.subjects)]
    assert len(sides) == 30
    assert all(len(side) == 1 for side in sides)
    fold = load("folder", tmp_path, fold="2/5")
    assert np.bincount(fold.split).tolist() == [36, 12, 12]


def test_folders_named_for_splits_are_the_splits(tmp_path: Path) -> None:
    files = {
        f"{top}/{path}": image for top in ("one", "two", "three") for path, image in flat(["neutral", "joy"], 3).items()
    }
    text = CLASSES.replace(', "relaxed"', "") + '[splits]\ntrain = ["one"]\nselection = ["two"]\ntest = ["three/"]\n'
    dataset = load("folder", write_map(write_tree(tmp_path, files), text))
    assert {name.split("/")[0]: split for name, split in zip(dataset.sample_ids, dataset.split, strict=True)} == {
        "one": 0,
        "two": 1,
        "three": 2,
    }


def test_folders_may_be_named_by_patterns_at_any_depth(tmp_path: Path) -> None:
    folders = ["one/neutral", "two/neutral", "two/neutral/blurred", "one/joy1", "one/joy2", "laugh/a/b"]
    text = 'leave_out = ["*/*/blurred"]\n[classes]\ncalm = ["*/neutral"]\nglad = ["o?e/joy*", "./laugh/"]\n'
    dataset = load("folder", write_map(write_tree(tmp_path, flat(folders, 10)), text))
    label = {
        name.rpartition("/")[0]: int(label) for name, label in zip(dataset.sample_ids, dataset.labels, strict=True)
    }
    assert label == {"one/neutral": 0, "two/neutral": 0, "one/joy1": 1, "one/joy2": 1, "laugh/a/b": 1}
    assert [len(part.names) for part in dataset.left_out] == [10]


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ('train = ["one"]\nselection = ["one/joy"]\ntest = ["three"]', "'one' and 'one/joy', which share images"),
        ('train = ["."]\nselection = ["two"]\ntest = ["three"]', "'.', which is not below the root"),
        ('train = ["../one"]\nselection = ["two"]\ntest = ["three"]', "'../one', which is not below the root"),
        ('train = ["one"]\nselection = ["two"]\ntest = ["four"]', "four, which is not there"),
    ],
)
def test_folders_of_splits_lie_apart_below_the_root(splits: str, message: str, tmp_path: Path) -> None:
    files = {
        f"{top}/{path}": image for top in ("one", "two", "three") for path, image in flat(["neutral", "joy"], 3).items()
    }
    text = CLASSES.replace(', "relaxed"', "") + f"[splits]\n{splits}\n"
    with pytest.raises(UserError, match=message):
        load("folder", write_map(write_tree(tmp_path, files), text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CLASSES, r"folder 'trash', which the class map does not list.*leave_out"),
        ('leave_out = ["trash"]\n' + CLASSES + 'sad = ["jo?"]\n', "joy under 'glad' and 'sad'"),
        ('leave_out = ["trash"]\n' + CLASSES + 'sad = ["jy"]\n', "no image in a folder 'jy', which .* under 'sad'"),
        ("leave_out = [\"trash\"]\nsubject = '(P)?'\n" + CLASSES, "does not tell its subject"),
        (CLASSES + 'sad = ["joy"]\n', "lists the folder 'joy' twice"),
        ('root = "nowhere"\n' + CLASSES, "is not there; mend root or splits"),
        ("subject = '('\n" + CLASSES, "no regular expression"),
        ("clases = 1\n" + CLASSES, "unknown key 'clases'"),
        ('[classes]\na = ["x"]\n', "classes"),
        ("[", "not valid TOML"),
        ('leave_out = ["trash"]\nsubject = "P1"\n' + CLASSES, "does not tell its subject"),
        ("shares = [0.5, 0.5]\n" + CLASSES, "nothing is left to train on"),
    ],
)
def test_a_class_map_that_does_not_fit_is_one_sentence(text: str, message: str, tmp_path: Path) -> None:
    write_map(write_tree(tmp_path, flat(["neutral", "relaxed", "joy", "trash"], 5)), text)
    with pytest.raises(UserError, match=message):
        load("folder", tmp_path)


def test_a_changed_class_map_is_other_data(tmp_path: Path) -> None:
    write_map(write_tree(tmp_path, flat(["neutral", "relaxed", "joy"], 20)), CLASSES)
    first = load("folder", tmp_path)
    write_map(tmp_path, "seed = 1\n" + CLASSES)
    assert load("folder", tmp_path).fingerprint != first.fingerprint


def test_a_folder_may_be_called_none(tmp_path: Path) -> None:
    write_tree(tmp_path, flat(["None/joy", "sad"], 20))
    dataset = load("folder", write_map(tmp_path, '[classes]\nglad = ["None/joy"]\nsad = ["sad"]\n'))
    assert np.bincount(dataset.labels).tolist() == [20, 20]
