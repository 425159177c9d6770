"""Files that are given for data and are something else, each made by the library or program that defines it."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sample_files import class_tree, random_images, small_fer2013, write_lines, write_png, write_tree

from fbench.benchmark.data.catalogue import DATA_SETS, known_data
from fbench.benchmark.data.file_kinds import file_kind
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.core.errors import UserError

TEXT = "\n".join(small_fer2013()[0]).encode()


def tar(mode: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=f"w{mode}") as archive:  # type: ignore[call-overload]
        info = tarfile.TarInfo("fer2013/fer2013.csv")
        info.size = len(TEXT)
        archive.addfile(info, io.BytesIO(TEXT))
    return stream.getvalue()


def zipped(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return stream.getvalue()


def array(*, archive: bool) -> bytes:
    stream = io.BytesIO()
    if archive:
        np.savez(stream, a=np.zeros(3))
    else:
        np.save(stream, np.zeros(3))
    return stream.getvalue()


def picture(kind: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(random_images(1)[0]).save(stream, kind)
    return stream.getvalue()


KINDS = {
    "a gzip archive": gzip.compress(TEXT),
    "a bzip2 archive": bz2.compress(TEXT),
    "a xz archive": lzma.compress(TEXT),
    "a LZMA archive": lzma.compress(TEXT, lzma.FORMAT_ALONE),
    "a zip archive": zipped("fer2013.csv"),
    "a tar archive": tar(""),
    "a tar archive packed with gzip": tar(":gz"),
    "a tar archive packed with bzip2": tar(":bz2"),
    "a tar archive packed with xz": tar(":xz"),
    "a 7z archive": b"7z\xbc\xaf\x27\x1c\x00\x04" + bytes(24),
    "a RAR archive": b"Rar!\x1a\x07\x01\x00" + bytes(24),
    "a Zstandard archive": b"\x28\xb5\x2f\xfd\x24\x05\x29\x00\x00hello",
    "an Excel workbook": zipped("[Content_Types].xml", "xl/workbook.xml"),
    "a NumPy archive (.npz)": array(archive=True),
    "a NumPy array": array(archive=False),
    "a Parquet file": b"PAR1\x15\x04",
    "a web page (HTML)": b"\n<!DOCTYPE html><html><title>Sign in</title></html>",
    "a pointer of Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 301072766\n",
    "a pointer of git-annex": b"/annex/objects/MD5E-s301072766--4d7a.csv\n",
    "a PDF document": b"%PDF-1.7\n",
    "a PNG image": picture("PNG"),
    "a JPEG image": picture("JPEG"),
    "text in UTF-16": TEXT.decode().encode("utf-16"),
    "binary and no text": TEXT.decode().encode("utf-16-le"),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_told_by_content_whatever_the_name(name: str, tmp_path: Path) -> None:
    file = tmp_path / "fer2013.csv"
    file.write_bytes(KINDS[name])
    with pytest.raises(UserError, match=r"is .* by its content, which is not what --data fer2013 reads; ") as caught:
        load_dataset(DataReference(name="fer2013", path=file))
    assert f"is {name} by" in str(caught.value)
    assert ("unpack it" in str(caught.value)) == ("archive" in name and "NumPy" not in name)
    with pytest.raises(UserError, match="by its content") as caught:  # the same file, found in its folder
        load_dataset(DataReference(name="fer2013", path=tmp_path))
    assert f"is {name} by" in str(caught.value)


def test_a_database_is_told_from_a_table(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "fer2013.csv") as database:
        database.execute("create table faces (pixels text)")
    database.close()
    kind = file_kind(tmp_path / "fer2013.csv")
    assert kind is not None
    assert kind.name == "an SQLite database"


def test_a_zip_archive_that_was_cut_off_is_still_one(tmp_path: Path) -> None:
    file = tmp_path / "faces.zip"
    file.write_bytes(KINDS["a zip archive"][:100])
    kind = file_kind(file)
    assert kind is not None
    assert kind.is_archive


@pytest.mark.parametrize("name", [name for name in DATA_SETS if known_data(name).takes_path])
def test_every_data_set_tells_an_archive(name: str, tmp_path: Path) -> None:
    (tmp_path / "faces").write_bytes(tar(":gz"))
    with pytest.raises(UserError, match=r"is a tar archive packed with gzip by its content.*; unpack it"):
        load_dataset(DataReference(name=name, path=tmp_path / "faces"))


@pytest.mark.parametrize("name", ["fer2013", "ck48", "imed", "folder"])
def test_a_folder_of_archives_alone_names_one(name: str, tmp_path: Path) -> None:
    for part in ("train", "test"):
        (tmp_path / f"{part}.zip").write_bytes(KINDS["a zip archive"])
    (tmp_path / "README.md").write_text("Faces")
    with pytest.raises(UserError, match=r"holds 2 files \.zip, 1 file \.md; unpack test\.zip and the other"):
        load_dataset(DataReference(name=name, path=tmp_path))


def test_one_part_that_is_still_packed_is_named(tmp_path: Path) -> None:
    write_tree(tmp_path, class_tree({"train": 1}, ("a", "b")))
    (tmp_path / "test.zip").write_bytes(KINDS["a zip archive"])
    with pytest.raises(UserError, match=r"has train/ and neither val/ nor test/ .*unpack test\.zip there"):
        load_dataset(DataReference(name="folder", path=tmp_path))


def test_a_pipe_and_a_device_are_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(UserError, match="is a pipe or device"):
            load_dataset(DataReference(name="fer2013", path=path))


def test_a_link_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    (tmp_path / "fer2013.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(UserError, match="is a link that leads nowhere; mend it"):
        load_dataset(DataReference(name="fer2013", path=tmp_path / "fer2013.csv"))
    (tmp_path / "faces").symlink_to("../.git/annex/objects/xx/SHA256E-s1")
    with pytest.raises(UserError, match="git annex get"):
        load_dataset(DataReference(name="fer2013", path=tmp_path / "faces"))


@pytest.mark.parametrize(("separator", "word"), [(";", "semicolons"), ("\t", "tabs")])
def test_other_separators_are_named(separator: str, word: str, tmp_path: Path) -> None:
    lines = [line.replace(",", separator) for line in small_fer2013()[0]]
    with pytest.raises(UserError, match=f"separated by {word}, so save it again with commas"):
        load_dataset(DataReference(name="fer2013", path=write_lines(tmp_path / "a.csv", lines)))


def test_jpegs_are_read_under_every_suffix_of_theirs(tmp_path: Path) -> None:
    suffixes = (".jfif", ".jpe", ".JPG", ".jpeg", ".jif")
    for name in ("a", "b"):
        for number, suffix in enumerate(suffixes):
            folder = tmp_path / name
            folder.mkdir(exist_ok=True)
            Image.fromarray(random_images(1, number)[0]).save(folder / f"{number}{suffix}", "JPEG")
        write_png(folder / "5.png", random_images(1, 9)[0]).rename(folder / "5.jpg")  # a PNG by its content
    dataset = load_dataset(DataReference(name="folder", path=tmp_path))
    assert len(dataset.labels) == 2 * (len(suffixes) + 1)
    assert dataset.left_out == ()
    with Image.open(tmp_path / "a" / "0.jfif") as image:
        (row,) = np.flatnonzero(dataset.sample_ids == "a/0.jfif")
        assert np.array_equal(dataset.images[row, 0], np.asarray(image))


def test_images_in_formats_that_are_not_read_are_counted_with_their_reason(tmp_path: Path) -> None:
    write_tree(tmp_path, class_tree({"": 5}, ("a", "b")))
    (tmp_path / "a" / "x.heic").write_bytes(b"\x00\x00\x00\x18ftypheic")
    (tmp_path / "a" / "y").write_bytes(b"")
    dataset = load_dataset(DataReference(name="folder", path=tmp_path))
    assert {part.reason: part.names for part in dataset.left_out} == {
        "is in an image format that is not read; convert it to PNG": ("a/x.heic",),
        "is no image file by its suffix": ("a/y",),
    }


def test_a_folder_without_a_readable_image_tells_what_is_there(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.heic").write_bytes(b"\x00")
        (tmp_path / name / "y.avif").write_bytes(b"\x00")
    (tmp_path / "b" / "notes").write_bytes(b"")
    with pytest.raises(UserError, match=r"it holds 2 files \.heic, 2 files \.avif, 1 file without suffix"):
        load_dataset(DataReference(name="folder", path=tmp_path))


def test_pointers_in_place_of_images_are_named(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.png").write_bytes(KINDS["a pointer of Git LFS"])
    with pytest.raises(UserError, match=r"x\.png is a pointer of Git LFS: fetch the file with `git lfs pull`"):
        load_dataset(DataReference(name="folder", path=tmp_path))
