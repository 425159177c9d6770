"""FER2013 from a CSV: what is read, and the one sentence for every way in which a file can be wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sample_files import FER2013_CLASSES, fer2013_lines, small_fer2013, write_lines

from fbench.benchmark.data.layouts.fer2013_csv import read_fer2013_csv
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.core.errors import UserError


def test_rows_become_images_labels_splits_and_ids(tmp_path: Path) -> None:
    lines, images = small_fer2013()
    dataset = read_fer2013_csv(write_lines(tmp_path / "fer2013.csv", lines))
    assert dataset.images.dtype == np.uint8
    np.testing.assert_array_equal(dataset.images, images[:, None])
    assert dataset.labels.tolist() == [0, 1, 2, 3, 5, 6]
    assert dataset.split.tolist() == [0, 1, 2, 0, 1, 2]
    assert dataset.sample_ids.tolist() == [f"row:{row}" for row in range(6)]
    assert dataset.class_names == FER2013_CLASSES
    assert not dataset.may_show_images
    assert not dataset.synthetic
    assert "PublicTest is the validation split (2)" in dataset.description


def test_the_icml_file_with_blanks_in_its_header_is_the_same_data_set(tmp_path: Path) -> None:
    lines, _ = small_fer2013()
    icml = ["emotion, Usage, pixels"]
    for line in lines[1:]:
        emotion, pixels, usage = line.split(",")
        icml.append(f"{emotion},{usage},{pixels}")
    first = read_fer2013_csv(write_lines(tmp_path / "fer2013.csv", lines))
    second = read_fer2013_csv(write_lines(tmp_path / "icml_face_data.csv", icml))
    assert first.fingerprint == second.fingerprint


@pytest.mark.parametrize("file_name", ["fer2013.csv", "icml_face_data.csv"])
def test_a_folder_with_the_csv_is_read(file_name: str, tmp_path: Path) -> None:
    lines, _ = small_fer2013()
    file = write_lines(tmp_path / file_name, lines)
    assert (
        load_dataset(DataReference(name="fer2013", path=tmp_path)).fingerprint
        == load_dataset(DataReference(name="fer2013", path=file)).fingerprint
    )


def test_more_rows_than_one_batch_keep_their_order_and_line_numbers(tmp_path: Path) -> None:
    images = np.repeat(np.arange(250, dtype=np.uint8), 5)[:, None, None] + np.zeros((1, 48, 48), np.uint8)
    labels = [row % 7 for row in range(1250)]
    usages = [("Training", "PublicTest", "PrivateTest")[row % 3] for row in range(1250)]
    lines = fer2013_lines(labels, usages, images)
    dataset = read_fer2013_csv(write_lines(tmp_path / "fer2013.csv", lines))
    np.testing.assert_array_equal(dataset.images[:, 0], images)
    assert dataset.labels.tolist() == labels
    assert dataset.split.tolist() == [row % 3 for row in range(1250)]
    lines[1201] = lines[1201].replace("Training", "Trainings").replace("Test", "Tests")
    with pytest.raises(UserError, match=r"line 1202: the Usage is"):
        read_fer2013_csv(write_lines(tmp_path / "wrong.csv", lines))


def _replace(number: int, change: Callable[[str], str]) -> Callable[[list[str]], list[str]]:
    return lambda lines: [change(line) if at == number else line for at, line in enumerate(lines, start=1)]


def _pixel(place: int, value: str) -> Callable[[str], str]:
    def change(line: str) -> str:
        emotion, pixels, usage = line.split(",")
        numbers = pixels.split(" ")
        numbers[place - 1] = value
        return ",".join([emotion, " ".join(numbers), usage])

    return change


BAD_FILES: dict[str, tuple[Callable[[list[str]], list[str]], list[str]]] = {
    "2,303 pixels": (
        _replace(3, lambda line: line.replace(" ", ",", 1).split(",", 2)[0] + "," + line.split(" ", 1)[1]),
        ["line 3", "2303 pixels", "2304"],
    ),
    "2,305 pixels": (
        _replace(3, lambda line: line.replace(" ", " 7 ", 1)),
        ["line 3", "2305 pixels", "2304"],
    ),
    "pixel 256": (_replace(4, _pixel(1000, "256")), ["line 4", "pixel 1000", "'256'", "0 to 255"]),
    "pixel -1": (_replace(4, _pixel(1, "-1")), ["line 4", "pixel 1 ", "'-1'"]),
    "pixel 7.5": (_replace(4, _pixel(2304, "7.5")), ["line 4", "pixel 2304", "'7.5'"]),
    "pixel x": (_replace(2, _pixel(5, "x")), ["line 2", "pixel 5", "'x'"]),
    "huge pixel": (_replace(2, _pixel(5, "9" * 5000)), ["line 2", "pixel 5", "'9999", "...'"]),
    "label 7": (_replace(5, lambda line: "7" + line[1:]), ["line 5", "emotion is '7'", "0 to 6"]),
    "label missing": (_replace(5, lambda line: line[1:]), ["line 5", "emotion is ''"]),
    "label a word": (_replace(5, lambda line: "happy" + line[1:]), ["line 5", "emotion is 'happy'"]),
    "unknown Usage": (
        _replace(6, lambda line: line.replace("PublicTest", "PublicTests")),
        [
            "line 6",
            "Usage is 'PublicTests'",
            "Did you mean 'PublicTest'?",
            "Training, PublicTest, PrivateTest",
        ],
    ),
    "no comma": (_replace(2, lambda line: line.replace(",", ";")), ["line 2", "1 columns", "header has 3"]),
    "last line cut in its pixels": (
        lambda lines: [*lines[:-1], lines[-1][:3000]],
        ["line 7", "2 columns", "cut off"],
    ),
    "last line cut in its Usage": (
        lambda lines: [*lines[:-1], lines[-1][:-3]],
        ["line 7", "Usage is 'PrivateT'"],
    ),
    "open quote": (_replace(4, lambda line: line.replace(",", ',"', 1)), ["line 4", "quotes are wrong"]),
    "text after quote": (
        _replace(4, lambda line: line.replace(",", ',"', 1)[:-12] + '"x,PrivateTest'),
        ["line 4", "quotes are wrong"],
    ),
    "wrong header": (
        _replace(1, lambda _: "label,image,split"),
        ["line 1", "'label,image,split'", "no column 'emotion'", "emotion, pixels and Usage"],
    ),
    "no header": (lambda lines: lines[1:], ["line 1", "no column 'emotion'", "..."]),
    "column twice": (
        _replace(1, lambda _: "emotion,pixels,pixels,Usage"),
        ["line 1", "more than one column 'pixels'"],
    ),
    "no training rows": (
        lambda lines: [line for line in lines if "Training" not in line],
        ["no row with the Usage Training", "train split"],
    ),
    "no validation rows": (
        lambda lines: [line for line in lines if "PublicTest" not in line],
        ["PublicTest", "validation split"],
    ),
    "no test rows": (
        lambda lines: [line for line in lines if "PrivateTest" not in line],
        ["PrivateTest", "test split"],
    ),
    "header only": (lambda lines: lines[:1], ["no rows"]),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_a_bad_file_is_refused_naming_file_line_and_value(case: str, tmp_path: Path) -> None:
    change, parts = BAD_FILES[case]
    lines, _ = small_fer2013()
    path = write_lines(tmp_path / "bad.csv", change(lines))
    with pytest.raises(UserError) as caught:
        load_dataset(DataReference(name="fer2013", path=path))
    message = str(caught.value)
    for part in [str(path), *parts]:
        assert part in message
    assert "\n" not in message
    assert message.endswith(".")
    assert len(message) < len(str(path)) + 300


def test_the_first_bad_line_is_the_one_named(tmp_path: Path) -> None:
    lines, _ = small_fer2013()
    lines = _replace(6, lambda line: "9" + line[1:])(_replace(3, _pixel(9, "300"))(lines))
    with pytest.raises(UserError, match=r"line 3: pixel 9 is '300'"):
        read_fer2013_csv(write_lines(tmp_path / "bad.csv", lines))


def test_a_misspelt_usage_is_refused_and_not_read_as_train_csv(tmp_path: Path) -> None:
    lines, _ = small_fer2013()
    path = write_lines(tmp_path / "fer2013.csv", [lines[0].replace("Usage", "Usagee"), *lines[1:]])
    with pytest.raises(UserError, match=r"line 1: the header .* has no column 'Usage'"):
        read_fer2013_csv(path)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "is a PNG image by its content"),
        ("emotion,pixels,Usage\n".encode("utf-16"), "is text in UTF-16 by its content: save it again as UTF-8"),
        (b"x" * (1 << 21), "line 1: longer than"),
    ],
)
def test_a_file_that_is_no_csv_is_refused(content: bytes, part: str, tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_fer2013_csv(path)
    assert part in str(caught.value)
    assert str(path) in str(caught.value)
