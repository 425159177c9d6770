"""Files are read as the csv module reads them; mutations are read so, or refused by line."""

from __future__ import annotations

import csv
import functools
import io
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_files import USAGES, kaggle_train_lines, pixel_text, random_images, small_fer2013

from fbench.benchmark.data.dataset import ImageDataset
from fbench.benchmark.data.layouts.fer2013_csv import read_fer2013_csv
from fbench.benchmark.data.layouts.fer2013_rows import Columns, Line, Rows, parse_row, parse_rows
from fbench.benchmark.data.splits import FLAT_SHARES, SPLIT_SEED, stratified_split
from fbench.core.errors import UserError

COLUMNS = Columns(emotion=0, pixels=1, usage=2, count=3)
CHARACTERS = st.sampled_from([*"0123456789 ,\"'+-._\t\r\n;ex", "\u0663", "\u00a0", "\x00", "\ufeff"])


def read_text(text: str, encoding: str = "utf-8") -> ImageDataset:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fer2013.csv")
        path.write_bytes(text.encode(encoding))
        return read_fer2013_csv(path)


def reference(text: str) -> tuple[list[list[int]], list[int], list[int]]:
    """Pixels, labels and splits by the standard library alone; without Usage, the split that is drawn by class."""
    rows = [row for row in csv.reader(io.StringIO(text), skipinitialspace=True) if any(field.strip() for field in row)]
    names = [name.strip().lower() for name in rows[0]]
    emotion, pixels = (names.index(name) for name in ("emotion", "pixels"))
    labels = [int(row[emotion]) for row in rows[1:]]
    if "usage" in names:
        split = [USAGES.index(row[names.index("usage")].strip()) for row in rows[1:]]
    else:
        split = stratified_split(np.array(labels, np.uint8), FLAT_SHARES, SPLIT_SEED).tolist()
    return [[int(number) for number in row[pixels].split()] for row in rows[1:]], labels, split


def assert_equals_reference(dataset: ImageDataset, text: str) -> None:
    pixels, labels, split = reference(text)
    np.testing.assert_array_equal(dataset.images.reshape(len(dataset.images), -1), np.array(pixels))
    assert dataset.labels.tolist() == labels
    assert dataset.split.tolist() == split


@st.composite
def valid_files(draw: st.DrawFn) -> str:
    count = draw(st.integers(3, 6))
    images = random_images(count, draw(st.integers(0, 2**32 - 1)))
    usages = [*USAGES, *draw(st.lists(st.sampled_from(USAGES), min_size=count - 3, max_size=count - 3))]
    columns = draw(st.permutations(["emotion", "pixels", "Usage", *draw(st.sampled_from([[], ["id"]]))]))
    quoted = draw(st.sets(st.sampled_from(columns)))
    header_blank = draw(st.sampled_from(["", " "]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))

    def line(fields: dict[str, str]) -> str:
        return ",".join(f'"{fields[name]}"' if name in quoted else fields[name] for name in columns)

    lines = [("," + header_blank).join(columns)]
    for row, (image, usage) in enumerate(zip(images, draw(st.permutations(usages)), strict=True)):
        label = draw(st.integers(0, 6))
        lines.append(line({"emotion": str(label), "pixels": pixel_text(image), "Usage": usage, "id": str(row)}))
        lines.extend([""] * draw(st.integers(0, 1)))
    return end.join(lines) + draw(st.sampled_from(["", end]))


@settings(max_examples=60)
@given(text=valid_files(), encoding=st.sampled_from(["utf-8", "utf-8-sig"]))
def test_every_valid_file_is_read_as_the_csv_module_reads_it(text: str, encoding: str) -> None:
    assert_equals_reference(read_text(text, encoding), text.replace("\r\n", "\n").replace("\r", "\n"))


@dataclass(frozen=True)
class Mutation:
    """One change of a valid file; small to print, unlike the file."""

    seed: int
    place: int
    near_a_field: bool
    kind: str
    character: str

    def apply(self, text: str) -> tuple[str, int]:
        """The changed text, and the line of the change."""
        fields = [match.start() for match in re.finditer(r'[,\n"]', text)]
        places = fields if self.near_a_field else range(len(text))
        place = places[self.place % len(places)]
        word = re.compile(r"\d+|.", re.DOTALL).match(text, place)
        assert word is not None
        changed = {
            "replace": text[:place] + self.character + text[place + 1 :],
            "insert": text[:place] + self.character + text[place:],
            "remove": text[:place] + text[place + 1 :],
            "cut": text[:place],
            "duplicate": text[:place] + text[place] + text[place:],
            "swap": text[:place] + text[place + 1 : place + 2] + text[place] + text[place + 2 :],
            "repeat": text[:place] + word[0] + " " + text[place:],
        }
        return changed[self.kind], text.count("\n", 0, place) + 1


MUTATIONS = st.builds(
    Mutation,
    seed=st.integers(0, 3),
    place=st.integers(0, 100_000),
    near_a_field=st.booleans(),
    kind=st.sampled_from(["replace", "insert", "remove", "cut", "duplicate", "swap", "repeat"]),
    character=CHARACTERS | st.sampled_from(["256", "-1", "1.5", "1e2"]),
)


@functools.cache
def published(seed: int) -> str:
    return "\n".join([*small_fer2013(seed)[0], ""])


@functools.cache
def without_usage(seed: int) -> str:
    """As Kaggle's train.csv: pixels in quotes, and lines that end as on Windows."""
    return "\r\n".join([*kaggle_train_lines(3, seed), ""])


@pytest.mark.parametrize("source", [published, pytest.param(without_usage, marks=pytest.mark.slow)])
@settings(max_examples=250)
@given(mutation=MUTATIONS)
@pytest.mark.slow
def test_every_mutation_is_read_correctly_or_refused_by_its_line(
    source: Callable[[int], str], mutation: Mutation
) -> None:
    text, line = mutation.apply(source(mutation.seed))
    try:
        dataset = read_text(text)
    except UserError as error:
        refusal = str(error)
    else:
        assert_equals_reference(dataset, text.removeprefix("\ufeff").replace("\r", "\n"))
        return
    named = re.search(r"line (\d+)", refusal)
    if named is None:  # a file that was cut off between two lines
        assert mutation.kind == "cut", refusal
        assert re.search(r"split would be empty|too few rows|no rows|is empty", refusal), refusal
    else:  # a line break that was put in shows on the next line
        assert int(named[1]) in (line, line + 1), refusal


@settings(max_examples=300)
@given(
    seed=st.integers(0, 3),
    place=st.integers(0, 20_000),
    text=st.text(CHARACTERS, max_size=4),
    cut=st.integers(0, 3),
)
@pytest.mark.slow
def test_the_fast_reader_agrees_with_the_strict_one(seed: int, place: int, text: str, cut: int) -> None:
    row = small_fer2013(seed)[0][2]
    place %= len(row)
    line = Line(2, row[:place] + text.translate({10: "", 13: ""}) + row[place + cut :])
    assert _outcome(parse_rows, [line]) == _outcome(parse_row, line)


def _outcome(parse: object, line: object) -> object:
    try:
        rows: Rows = parse(line, COLUMNS, "file")  # type: ignore[operator]  # either of the two readers
    except UserError as error:
        return str(error)
    return rows.pixels.tolist(), rows.labels.tolist(), rows.split.tolist()
