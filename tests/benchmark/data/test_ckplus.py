"""CK+48: classes, subjects, and a split on which no subject is on two sides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sample_files import CK_CLASSES, ck_tree, random_images, write_tree

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.layouts.ckplus import subject_of
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.data.units import clusters_of_rows
from fbench.core.errors import UserError


def load(path: Path, **options: str) -> ImageDataset:
    return load_dataset(DataReference(name="ck48", path=path, options=options))


def test_images_and_labels_are_those_of_the_files(tmp_path: Path) -> None:
    files = ck_tree(20)
    dataset = load(write_tree(tmp_path / "CK+48", files))
    assert dataset.class_names == CK_CLASSES
    assert not dataset.may_show_images
    for image, label, place in zip(dataset.images, dataset.labels, dataset.sample_ids.tolist(), strict=True):
        np.testing.assert_array_equal(image[0], files[place])
        assert place.startswith(f"{CK_CLASSES[label]}/")


def test_no_subject_is_on_two_sides_and_the_shares_are_of_subjects(tmp_path: Path) -> None:
    dataset = load(write_tree(tmp_path / "CK+48", ck_tree(20)))
    subjects = np.array([subject_of(place.rpartition("/")[2]) for place in dataset.sample_ids.tolist()])
    sides = [set(subjects[dataset.split == index]) for index in range(3)]
    assert [len(side) for side in sides] == [14, 3, 3]
    assert set.union(*sides) == set(subjects)
    assert len(set.union(*sides)) == 20
    assert "no subject is on two sides" in dataset.description
    assert "train 14 subjects (294 images)" in dataset.description


def test_by_frame_is_another_data_set_that_says_so_and_keeps_who_is_shown(tmp_path: Path) -> None:
    path = write_tree(tmp_path / "CK+48", ck_tree(20))
    by_subject, by_frame = load(path), load(path, split="by_frame")
    assert by_frame.name == "ck48-by_frame"
    assert by_frame.fingerprint != by_subject.fingerprint
    assert "split by frame" in by_frame.description
    assert "frames of one subject train and test" in by_frame.description
    np.testing.assert_array_equal(by_frame.images, by_subject.images)
    shares = np.array([np.bincount(by_frame.labels[by_frame.split == index]) for index in range(3)])
    assert (shares == [[42] * 7, [9] * 7, [9] * 7]).all()  # 60 frames of each class
    for dataset, unit in ((by_subject, "subjects"), (by_frame, "known_subjects")):
        found = clusters_of_rows(dataset, dataset.rows("test"))
        assert found is not None
        assert found.unit == unit


def test_folds_of_frames_test_each_frame_once(tmp_path: Path) -> None:
    path = write_tree(tmp_path / "CK+48", ck_tree(20))
    folds = [load(path, split="by_frame", fold=f"{fold}/4") for fold in (1, 2, 3, 4)]
    assert folds[0].name == "ck48-by_frame-fold1of4"
    tested = [place for dataset in folds for place in dataset.sample_ids[dataset.split == 2].tolist()]
    assert sorted(tested) == sorted(folds[0].sample_ids.tolist())


def test_the_folder_around_it_and_the_folder_itself_are_the_same_data_set(tmp_path: Path) -> None:
    write_tree(tmp_path / "CK+48", ck_tree(4))
    assert load(tmp_path).fingerprint == load(tmp_path / "CK+48").fingerprint


@pytest.mark.parametrize(
    ("file_name", "subject"),
    [
        ("S010_004_00000017.png", "S010"),
        ("S999_001_00000018.png", "S999"),
        ("happy-s010-4_crop.jpg", "S010"),
        ("S010_004_00000017", "S010"),
        ("S10_004_00000017.png", None),
        ("S0101_004.png", None),
        ("S010_and_S011.png", None),
        ("happy_17.png", None),
        ("xS010_004_00000017.png", None),
    ],
)
def test_the_subject_is_read_from_the_file_name(file_name: str, subject: str | None) -> None:
    assert subject_of(file_name) == subject


def test_a_file_without_a_subject_is_named(tmp_path: Path) -> None:
    files = ck_tree(4)
    files["happy/face_1.png"] = random_images(1)[0]
    with pytest.raises(UserError, match=r"happy/face_1\.png does not tell its subject"):
        load(write_tree(tmp_path, files))


def test_other_class_folders_are_refused(tmp_path: Path) -> None:
    files = ck_tree(4)
    files["bored/S001_009_00000001.png"] = random_images(1)[0]
    with pytest.raises(UserError, match=r"class folder 'bored', but CK\+48 has anger, contempt"):
        load(write_tree(tmp_path, files))


def test_too_few_subjects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="images of 2 subjects"):
        load(write_tree(tmp_path, ck_tree(2)))


def test_contempt_may_be_left_out(tmp_path: Path) -> None:
    dataset = load(write_tree(tmp_path, ck_tree(4)), classes="basic6")
    assert dataset.class_names == ("anger", "disgust", "fear", "happy", "sadness", "surprise")
    assert np.bincount(dataset.labels).tolist() == [12] * 6
    assert [(part.reason, len(part.names)) for part in dataset.left_out] == [("is labelled contempt", 12)]
    for label, place in zip(dataset.labels, dataset.sample_ids.tolist(), strict=True):
        assert place.startswith(f"{dataset.class_names[label]}/")


def test_neutral_is_used_where_the_copy_has_it_and_asked_for(tmp_path: Path) -> None:
    files = ck_tree(4)
    with pytest.raises(UserError, match="no image of the class 'neutral', which classes=basic7 wants"):
        load(write_tree(tmp_path / "without", files), classes="basic7")
    files |= {f"neutral/S{who:03}_008_00000001.png": image for who, image in enumerate(random_images(4))}
    path = write_tree(tmp_path / "with", files)
    assert load(path, classes="basic7").class_names[-1] == "neutral"
    plain = load(path)
    assert plain.class_names == CK_CLASSES
    assert [(part.reason, len(part.names)) for part in plain.left_out] == [("is labelled neutral", 4)]
    assert plain.fingerprint == load(tmp_path / "without").fingerprint


def test_over_all_folds_each_subject_is_tested_and_selected_once_and_never_on_two_sides(tmp_path: Path) -> None:
    path = write_tree(tmp_path, ck_tree(11))
    roles: dict[str, list[int]] = {f"S{who:03}": [] for who in range(11)}
    for fold in range(1, 5):
        dataset = load(path, fold=f"{fold}/4")
        assert dataset.subjects is not None
        for who, role in set(zip(dataset.subjects.tolist(), dataset.split.tolist(), strict=True)):
            roles[who].append(role)
    # Four folds, one role in each: on two sides of one fold would be a fifth entry.
    assert [sorted(found) for found in roles.values()] == [[0, 0, 1, 2]] * 11


def test_more_folds_than_subjects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="images of 4 subjects, and each of the 5 parts needs one"):
        load(write_tree(tmp_path, ck_tree(4)), fold="1/5")
