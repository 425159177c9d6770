"""The loaders on real FER2013 and CK+48, where a copy lies beside the checkout."""

from __future__ import annotations

import importlib.util
import os
from argparse import Namespace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from sample_files import CK_CLASSES

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.layouts.ckplus import subject_of
from fbench.benchmark.data.layouts.fer2013_csv import read_fer2013_csv
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference

PACK = Path(__file__).parents[3].parent / "shared" / "data"
PER_CLASS = 3

pytestmark = pytest.mark.skipif(
    not (PACK / "unpack.py").exists(), reason="there is no copy of FER2013 and CK+48 in ../shared/data"
)


def read(name: str, path: Path) -> ImageDataset:
    return load_dataset(DataReference(name=name, path=path))


@pytest.fixture(scope="module")
def unpack() -> ModuleType:
    spec = importlib.util.spec_from_file_location("unpack", PACK / "unpack.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def some_fer2013(unpack: ModuleType, real_fer2013: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images, emotion and usage of three images of each class in each split."""
    images, emotion, usage = real_fer2013
    options = Namespace(splits=None, per_class=PER_CLASS, limit=None, seed=0)
    rows, _ = unpack.choose_rows(options, emotion, usage)
    return images[rows], emotion[rows], usage[rows]


@pytest.fixture(scope="module")
def layouts(
    unpack: ModuleType, some_fer2013: tuple[np.ndarray, ...], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """The subset in four public layouts, written by the pack's own code."""
    vars(unpack).update(load_fer2013=lambda _folder: some_fer2013, check_md5=lambda *_: None)
    root = tmp_path_factory.mktemp("fer2013")
    options = {"splits": None, "per_class": None, "limit": None, "seed": 0, "pack": PACK, "format": "png"}
    for name, write, layout in (
        ("csv", unpack.cmd_csv, ""),
        ("icml", unpack.cmd_icml, ""),
        ("three", unpack.cmd_folders, "three"),
        ("kaggle", unpack.cmd_folders, "kaggle"),
    ):
        (root / name).mkdir()
        write(Namespace(out=str(root / name), layout=layout, **options))
    return {child.name: child for child in root.iterdir()}


@pytest.mark.slow
def test_fer2013_is_the_same_data_set_in_every_layout(
    layouts: dict[str, Path], some_fer2013: tuple[np.ndarray, ...]
) -> None:
    images, emotion, usage = some_fer2013
    datasets = {name: read("fer2013", path) for name, path in layouts.items()}
    for dataset in datasets.values():
        np.testing.assert_array_equal(dataset.images[:, 0], images)
        np.testing.assert_array_equal(dataset.labels, emotion)
        np.testing.assert_array_equal(dataset.split, usage)
    assert len(datasets) == 4
    assert len({dataset.fingerprint for dataset in datasets.values()}) == 1


def test_ck48_has_its_published_counts_and_every_class_on_every_side(unpack: ModuleType, tmp_path: Path) -> None:
    unpack.cmd_ck48(Namespace(pack=PACK, out=tmp_path))
    dataset = read("ck48", tmp_path / "CK+48")
    counts = np.bincount(dataset.labels).tolist()
    assert dict(zip(CK_CLASSES, counts, strict=True)) == {
        "anger": 135, "contempt": 54, "disgust": 177, "fear": 75, "happy": 207, "sadness": 84, "surprise": 249
    }  # fmt: skip
    subjects = np.array([subject_of(place.rpartition("/")[2]) for place in dataset.sample_ids.tolist()])
    sides = [set(subjects[dataset.split == index]) for index in range(3)]
    assert [len(side) for side in sides] == [82, 18, 18]
    assert sum(map(len, sides)) == len(set.union(*sides)) == 118
    for index in range(3):
        assert np.bincount(dataset.labels[dataset.split == index], minlength=7).min() > 0
    assert "converted" not in dataset.description


@pytest.mark.slow
def test_each_subject_of_ck48_is_tested_in_one_of_ten_folds(unpack: ModuleType, tmp_path: Path) -> None:
    unpack.cmd_ck48(Namespace(pack=PACK, out=tmp_path))
    tested: list[str] = []
    for fold in range(1, 11):
        dataset = load_dataset(DataReference(name="ck48", path=tmp_path / "CK+48", options={"fold": f"{fold}/10"}))
        assert dataset.subjects is not None
        sides = [set(dataset.subjects[dataset.split == index].tolist()) for index in range(3)]
        assert sum(map(len, sides)) == len(set.union(*sides)) == 118
        assert {len(sides[1]), len(sides[2])} <= {11, 12}
        tested += sides[2]
    assert len(tested) == len(set(tested)) == 118


@pytest.mark.skipif("FBENCH_FULL_DATA" not in os.environ, reason="a minute of work: set FBENCH_FULL_DATA=1 for it")
def test_the_whole_of_fer2013_is_read_from_its_csv(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("whole", PACK / "unpack.py")
    assert spec is not None
    assert spec.loader is not None
    whole = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(whole)
    whole.main(["csv", str(tmp_path)])
    dataset = read_fer2013_csv(tmp_path / "fer2013.csv")
    images, emotion, usage = whole.load_fer2013()
    np.testing.assert_array_equal(dataset.images[:, 0], images)
    np.testing.assert_array_equal(dataset.labels, emotion)
    np.testing.assert_array_equal(dataset.split, usage)
    for index, counts in enumerate(whole.OFFICIAL_COUNTS.values()):
        assert np.bincount(dataset.labels[dataset.split == index]).tolist() == counts
