"""Images that are arrays already are a data set like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.references import parse_reference
from fbench.core.errors import UserError
from fbench.data import from_arrays

GENERATOR = np.random.default_rng(0)
IMAGES = GENERATOR.integers(0, 256, (60, 32, 32), np.uint8)
COLOUR = GENERATOR.integers(0, 256, (60, 32, 32, 3), np.uint8)
LABELS = np.arange(60) % 3


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FBENCH_CACHE_DIR", str(tmp_path / "cache"))


def load(reference: str) -> Any:
    return load_dataset(parse_reference(reference))


def test_arrays_come_back_as_a_named_data_set() -> None:
    found = load(from_arrays(IMAGES, LABELS, name="shapes", class_names=("a", "b", "c")))
    assert (found.name, found.image_shape, found.class_names) == ("shapes", (1, 32, 32), ("a", "b", "c"))
    np.testing.assert_array_equal(found.images[:, 0], IMAGES)
    np.testing.assert_array_equal(found.labels, LABELS)
    shares = [(found.split == index).mean() for index in range(3)]
    assert shares == pytest.approx([0.7, 0.15, 0.15])


def test_channels_last_and_first_are_one_data_set() -> None:
    last, first = (
        load(from_arrays(images, LABELS, name="shapes")) for images in (COLOUR, COLOUR.transpose(0, 3, 1, 2))
    )
    assert last.image_shape == (3, 32, 32)
    assert last.fingerprint == first.fingerprint


def test_labels_may_be_names_and_splits_words() -> None:
    words = np.array(["train"] * 40 + ["validation"] * 10 + ["test"] * 10)
    found = load(from_arrays(IMAGES, np.array(["c", "a", "b"])[LABELS], name="shapes", split=words))
    assert found.class_names == ("a", "b", "c")
    assert np.bincount(found.split).tolist() == [40, 10, 10]


def test_a_subject_is_in_one_split_and_what_intervals_are_for() -> None:
    subjects = np.array([f"s{index // 3}" for index in range(60)])
    found = load(from_arrays(IMAGES, LABELS, name="shapes", subjects=subjects))
    for subject in set(subjects):
        assert len(set(found.split[found.subjects == subject])) == 1


def test_the_same_arrays_are_kept_once_and_a_file_may_be_named(tmp_path: Path) -> None:
    assert from_arrays(IMAGES, LABELS, name="shapes") == from_arrays(IMAGES, LABELS, name="shapes")
    assert from_arrays(IMAGES, LABELS, name="s", file=tmp_path / "s.npz") == f"s=arrays:{tmp_path / 's.npz'}"
    with pytest.raises(UserError, match=r"give a name that ends in \.npz"):
        from_arrays(IMAGES, LABELS, name="s", file=tmp_path / "s.dat")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": IMAGES.astype(float)}, "type float64; give uint8"),
        ({"images": IMAGES[:, :, :20]}, "as high as wide"),
        ({"images": COLOUR[..., :2]}, r"C 1 or 3"),
        ({"labels": LABELS[:5]}, r"labels of the shape \(5,\) for 60 images"),
        ({"labels": LABELS - 1}, "from -1 to 1 for 2 classes; count from 0"),
        ({"labels": LABELS * 0}, "has 1 classes"),
        ({"labels": LABELS * 0.5}, "type float64; give whole numbers or names"),
        ({"class_names": ("a", "b")}, "from 0 to 2 for 2 classes"),
        ({"class_names": ("a", "b", "c", "d")}, "no training image of the class 'd'"),
        ({"split": np.zeros(60, int)}, "no image for the validation split"),
        ({"split": np.full(60, "dev")}, "has the split 'dev'"),
        ({"name": "fer2013"}, "which is a data set that fbench knows"),
        ({"name": "a/b"}, "give letters, digits"),
        ({"name": "a b"}, "from_arrays names its data 'a b'; give letters, digits"),
        ({"class_names": ("a", "b", "a")}, "has 'a' 2 times in class_names; give each once"),
        ({"class_names": np.array([["a", "b", "c"]])}, r"class_names of the shape \(1, 3\)"),
        ({"class_names": np.array(["a", None, "c"], dtype=object)}, "class_names of the type object"),
        ({"class_names": ("a", " ", "c")}, "a class without a name"),
        ({"sample_ids": ["x"] * 60}, "has 'x' 60 times in sample_ids"),
        ({"labels": [[0], [0, 1]]}, "labels is no array"),
    ],
)
def test_what_does_not_fit_is_a_sentence(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        from_arrays(**({"images": IMAGES, "labels": LABELS, "name": "shapes"} | changes))


def test_a_file_of_other_arrays_is_a_sentence(tmp_path: Path) -> None:
    np.savez(tmp_path / "odd.npz", images=IMAGES, labels=LABELS, pixels=IMAGES)
    with pytest.raises(UserError, match="an array 'pixels'; known are images"):
        load(f"x=arrays:{tmp_path / 'odd.npz'}")
    np.savez(tmp_path / "bare.npz", images=IMAGES)
    with pytest.raises(UserError, match=r"bare\.npz holds arrays; write --data x=arrays:.*bare\.npz"):
        load(f"x=folder:{tmp_path / 'bare.npz'}")
    with pytest.raises(UserError, match="no array 'labels'"):
        load(f"arrays={tmp_path / 'bare.npz'}")
    (tmp_path / "none.npz").write_bytes(b"nothing")
    with pytest.raises(UserError, match=r"none\.npz"):
        load(f"arrays={tmp_path / 'none.npz'}")
