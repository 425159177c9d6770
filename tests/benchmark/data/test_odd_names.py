"""Names of files and folders as other systems leave them: bytes that are no UTF-8, two forms of one letter."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest
from sample_files import class_tree, random_images, write_png, write_tree

from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.core.errors import UserError, readable

GBK = os.fsdecode("生气".encode("gbk"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("angry", "angry"),
        ("生气", "生气"),
        (GBK, r"\udcc9\udcfa\udcc6\udcf8"),
        ("a\nb\x1b[1m\u2028", r"a\nb\x1b[1m\u2028"),
        ("gpj.\u202eexe", r"gpj.\u202eexe"),
        ("می\u200cخواهم\xa0é", "می\u200cخواهم\xa0é"),
    ],
)
def test_a_name_is_shown_on_one_line_of_text(text: str, shown: str) -> None:
    assert readable(text) == shown


@pytest.mark.parametrize("part", ["", "train"])
def test_a_class_folder_that_is_no_utf_8_is_named(part: str, tmp_path: Path) -> None:
    write_tree(tmp_path, class_tree({part: 1, "test": 1} if part else {"": 1}, ("a", GBK)))
    with pytest.raises(UserError, match=r"has the class folder .*udcc9.* not UTF-8.*rename it") as caught:
        load_dataset(DataReference(name="folder", path=tmp_path))
    assert str(tmp_path / part) in str(caught.value)


def test_a_class_folder_with_a_line_break_is_named(tmp_path: Path) -> None:
    write_tree(tmp_path, class_tree({"": 1}, ("a", "b\nc")))
    with pytest.raises(UserError, match=r"'b\\nc', whose name has a control character"):
        load_dataset(DataReference(name="folder", path=tmp_path))


def test_images_and_folders_above_the_classes_may_have_any_name(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for number, image in enumerate(random_images(5)):
            write_png(tmp_path / GBK / "inner" / name / f"{GBK}{number}.png", image)
    dataset = load_dataset(DataReference(name="folder", path=tmp_path))
    assert len(dataset.labels) == 10
    assert "They lie in \\udcc9" in dataset.description
    dataset.description.encode()  # so that JSON can hold it
    "".join(dataset.sample_ids).encode()


def test_a_class_map_gives_a_name_to_a_folder_that_has_none(tmp_path: Path) -> None:
    write_tree(tmp_path, class_tree({"": 5}, ("a", GBK)))
    (tmp_path / "map.toml").write_text('[classes]\ncalm = ["a"]\nangry = ["[!a]*"]\n')
    dataset = load_dataset(DataReference(name="folder", path=tmp_path / "map.toml"))
    assert dataset.class_names == ("calm", "angry")
    assert len(dataset.labels) == 10


@pytest.mark.parametrize("other", [unicodedata.normalize("NFD", "müde"), "müde "])
@pytest.mark.parametrize("parts", [{"": 1}, {"train": 1, "test": 1}])
def test_class_folders_that_look_the_same_are_refused(other: str, parts: dict[str, int], tmp_path: Path) -> None:
    write_tree(tmp_path, class_tree(parts, ("a", "müde")))
    last = list(parts)[-1]
    (tmp_path / last / "müde").rename(tmp_path / last / other)
    if len(parts) == 1:
        write_tree(tmp_path, class_tree(parts, ("müde",)))
    with pytest.raises(UserError, match=r"two spellings of the class folder 'müde'.*give both one name"):
        load_dataset(DataReference(name="folder", path=tmp_path))


def test_a_class_that_differs_in_case_between_parts_is_told(tmp_path: Path) -> None:
    write_tree(tmp_path, class_tree({"train": 10, "test": 1}, ("Cat", "dog")))
    (tmp_path / "test" / "Cat").rename(tmp_path / "test" / "cat")
    with pytest.raises(UserError, match="of the class 'cat', which differs from 'Cat' in case alone"):
        load_dataset(DataReference(name="folder", path=tmp_path))


def test_a_letter_in_both_cases_is_two_classes(tmp_path: Path) -> None:
    write_tree(tmp_path, class_tree({"": 10}, ("A", "a")))
    assert load_dataset(DataReference(name="folder", path=tmp_path)).class_names == ("A", "a")
