"""The cache of data sets: when it is used, when it is not, and that it never costs a result."""

from __future__ import annotations

import io
import logging
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import platformdirs
import pytest
from sample_files import (
    ck_tree,
    class_tree,
    random_images,
    settle,
    small_fer2013,
    write_lines,
    write_png,
    write_tree,
)

from fbench.benchmark.data.cache import cache_directory
from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.identity import file_key
from fbench.benchmark.data.layouts import ck48, folder
from fbench.benchmark.data.layouts import fer2013 as fer2013_layouts
from fbench.benchmark.data.layouts.fer2013_csv import read_fer2013_csv
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.data.synthetic import dataset as synthetic
from fbench.benchmark.data.synthetic.dataset import load_synthetic
from fbench.core.errors import UserError
from fbench.core.files import replacing


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    return write_lines(tmp_path / "fer2013.csv", small_fer2013()[0])


def fer2013(path: Path) -> ImageDataset:
    return load_dataset(DataReference(name="fer2013", path=path))


READERS: dict[ModuleType, tuple[str, ...]] = {
    fer2013_layouts: ("read_fer2013_csv", "read_image_tree"),
    ck48: ("read_ckplus",),
    folder: ("read_image_tree",),
}


def forbid(monkeypatch: pytest.MonkeyPatch, *readers: str) -> None:
    """Make every reader fail, so that only the cache can answer."""

    def fail(*_: object) -> ImageDataset:
        pytest.fail("the source was read again")

    for module, names in READERS.items():
        for reader in names:
            if reader in (readers or names):
                monkeypatch.setattr(module, reader, fail)


def entries() -> list[Path]:
    return sorted((cache_directory() / "datasets").glob("*"))


def assert_same(first: ImageDataset, second: ImageDataset) -> None:
    for name in ("images", "labels", "split", "sample_ids"):
        before, after = getattr(first, name), getattr(second, name)
        np.testing.assert_array_equal(before, after)
        assert before.dtype == after.dtype
    for name in ("name", "class_names", "may_show_images", "synthetic", "description", "fingerprint"):
        assert getattr(first, name) == getattr(second, name)


def test_the_second_read_of_a_csv_comes_from_the_cache(csv_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fer2013(csv_file)
    forbid(monkeypatch)
    assert_same(first, fer2013(csv_file))


@pytest.mark.parametrize(
    ("name", "files"),
    [("fer2013", class_tree({"train": 2, "test": 1})), ("ck48", ck_tree(3)), ("folder", class_tree({"": 3}))],
)
def test_the_second_read_of_folders_comes_from_the_cache(
    name: str, files: dict[str, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = DataReference(name=name, path=write_tree(tmp_path, files))
    first = load_dataset(reference)
    forbid(monkeypatch)
    assert_same(first, load_dataset(reference))


def test_the_second_read_of_the_synthetic_set_comes_from_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def small(*, seed: int = 0, train: int = 7, validation: int = 7, test: int = 7) -> ImageDataset:
        return load_synthetic(seed=seed, train=train, validation=validation, test=test)

    def fail(*, seed: int = 0, train: int = 7, validation: int = 7, test: int = 7) -> ImageDataset:
        pytest.fail("the faces were rendered again")

    monkeypatch.setattr(synthetic, "load_synthetic", small)
    first = load_dataset(DataReference(name="synthetic"))
    assert first.may_show_images
    monkeypatch.setattr(synthetic, "load_synthetic", fail)
    assert_same(first, load_dataset(DataReference(name="synthetic")))
    (generator,) = synthetic.DATA_SET.layouts
    newer = replace(synthetic.DATA_SET, layouts=(replace(generator, version=generator.version + 1),))
    monkeypatch.setattr(synthetic, "DATA_SET", newer)
    with pytest.raises(pytest.fail.Exception, match="rendered again"):
        load_dataset(DataReference(name="synthetic"))


def test_the_restored_fingerprint_is_that_of_the_restored_arrays(csv_file: Path) -> None:
    fer2013(csv_file)
    restored = fer2013(csv_file)
    assert "fingerprint" in vars(restored)
    del vars(restored)["fingerprint"]
    assert restored.fingerprint == fer2013(csv_file).fingerprint


def test_a_touched_or_moved_file_is_the_same_content(csv_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, key = fer2013(csv_file), file_key(csv_file)
    os.utime(csv_file, (1_700_000_000, 1_700_000_000))
    assert file_key(csv_file) == key
    moved = csv_file.rename(csv_file.with_name("other name.csv"))
    forbid(monkeypatch)
    assert_same(first, fer2013(moved))
    assert len(entries()) == 1


def test_an_untouched_file_is_not_hashed_again(csv_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = file_key(csv_file)
    monkeypatch.setattr("hashlib.file_digest", lambda *_: pytest.fail("the file was hashed again"))
    assert file_key(csv_file) == key


def test_changed_content_is_read_anew(csv_file: Path) -> None:
    first = fer2013(csv_file)
    lines, _ = small_fer2013()
    lines[1] = "4" + lines[1][1:]
    csv_file.write_text("\n".join(lines) + "\n")
    second = fer2013(csv_file)
    assert second.labels[0] == 4
    assert second.fingerprint != first.fingerprint
    assert len(entries()) == 2


def test_a_change_that_the_modification_time_cannot_show_is_seen(csv_file: Path) -> None:
    just_now = time.time() + 60  # later than any clock tick of this test, so never settled
    os.utime(csv_file, (just_now, just_now))
    assert fer2013(csv_file).labels[0] == 0
    with csv_file.open("r+") as stream:  # the same size, inode and time
        stream.seek(csv_file.read_text().index("\n") + 1)
        stream.write("4")
    os.utime(csv_file, (just_now, just_now))
    assert fer2013(csv_file).labels[0] == 4


def test_a_folder_with_a_file_too_new_to_trust_is_not_kept(tmp_path: Path) -> None:
    write_tree(tmp_path, class_tree({"train": 1, "val": 1, "test": 1}))
    just_now = time.time() + 60
    os.utime(tmp_path / "train" / "happy" / "000.png", (just_now, just_now))
    fer2013(tmp_path)
    assert entries() == []


def test_a_changed_added_or_renamed_image_makes_another_entry(tmp_path: Path) -> None:
    write_tree(tmp_path, class_tree({"train": 1, "val": 1, "test": 1}))
    seen = {fer2013(tmp_path).fingerprint}
    happy = tmp_path / "train" / "happy"
    settle(write_png(happy / "000.png", random_images(1, seed=9)[0]), 1_600_000_001)
    seen.add(fer2013(tmp_path).fingerprint)
    settle(write_png(happy / "001.png", random_images(1, seed=8)[0]))
    seen.add(fer2013(tmp_path).fingerprint)
    (happy / "001.png").rename(happy.parent / "sad" / "001.png")
    seen.add(fer2013(tmp_path).fingerprint)
    assert len(seen) == len(entries()) == 4


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def _flip(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def _other_archive(_: bytes) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, images=np.zeros(3))
    return stream.getvalue()


def _pickled(_: bytes) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, images=np.array([{"a": 1}], dtype=object))
    return stream.getvalue()


@pytest.mark.parametrize("damage", [_cut, _flip, _other_archive, _pickled, lambda _: b"", lambda _: b"garbage"])
def test_a_damaged_entry_is_passed_over_and_replaced(damage: Callable[[bytes], bytes], csv_file: Path) -> None:
    first = fer2013(csv_file)
    (entry,) = entries()
    whole = entry.read_bytes()
    entry.write_bytes(damage(whole))
    assert_same(first, fer2013(csv_file))
    with np.load(entry, allow_pickle=False) as replaced:
        np.testing.assert_array_equal(replaced["images"], first.images)


def test_a_damaged_index_is_passed_over(csv_file: Path) -> None:
    key = file_key(csv_file)
    (remembered,) = (cache_directory() / "content").glob("*.json")
    for content in (b"", b"{}", b"[]", b"\xff", b'{"stamp": 3, "sha256": "x"}'):
        remembered.write_bytes(content)
        assert file_key(csv_file) == key


def test_a_cache_that_cannot_be_written_costs_only_a_warning(
    csv_file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setenv("FBENCH_CACHE_DIR", str(write_lines(tmp_path / "a file", ["x"])))
    with caplog.at_level(logging.WARNING):
        assert len(fer2013(csv_file).images) == 6
    assert "could not be kept" in caplog.text


def test_a_file_that_changes_while_it_is_read_is_refused(csv_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read_and_change(path: Path, name: str) -> ImageDataset:
        dataset = read_fer2013_csv(path, name)
        path.write_text(path.read_text() + "\n")
        return dataset

    monkeypatch.setattr(fer2013_layouts, "read_fer2013_csv", read_and_change)
    with pytest.raises(UserError, match="changed while they were read"):
        fer2013(csv_file)
    assert entries() == []


def test_the_environment_names_the_folder_and_else_the_system(monkeypatch: pytest.MonkeyPatch, own_cache: Path) -> None:
    assert cache_directory() == own_cache
    monkeypatch.delenv("FBENCH_CACHE_DIR")
    assert cache_directory() == Path(platformdirs.user_cache_dir("fbench", appauthor=False))


def _fail_half_way(error: Exception) -> Iterator[bytes]:
    yield b"new"
    raise error


def test_a_replacement_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "kept", ["old"])
    full = OSError("no space left on device")
    with pytest.raises(OSError, match="no space left"), replacing(path) as stream:
        stream.writelines(_fail_half_way(full))
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]
