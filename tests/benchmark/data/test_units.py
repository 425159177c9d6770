"""What is independent in a data set: subjects, groups of copies, or images."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from fbench.benchmark.data.references import parse_reference
from fbench.benchmark.data.units import clusters_of_rows
from fbench.benchmark.records.specs import data_spec
from tests.benchmark.data.test_exact_copies import LEAKY, tiny


def test_subjects_are_the_units_where_the_source_tells_them() -> None:
    told = replace(tiny([1, 2, 3, 3], [2, 2, 2, 2]), subjects=np.array(["S010", "S005", "S010", "S010"]))
    found = clusters_of_rows(told, told.rows("test"))
    assert found is not None
    assert (found.unit, found.numbers.tolist()) == ("subjects", [0, 1, 0, 0])


def test_subjects_that_are_trained_on_too_are_known() -> None:
    told = replace(tiny([1, 2, 3, 3], [0, 2, 2, 2]), subjects=np.array(["S010", "S005", "S010", "S010"]))
    found = clusters_of_rows(told, told.rows("test"))
    assert found is not None
    assert (found.unit, found.numbers.tolist()) == ("known_subjects", [0, 1, 1])


def test_near_copies_and_mirrored_ones_belong_together() -> None:
    """A chain: the third is nearly the second, which is nearly the first mirrored; the fourth is another picture."""
    random = np.random.default_rng(0)
    first, other = random.integers(30, 220, (2, 1, 48, 48))
    second = first[..., ::-1] + random.integers(-8, 9, first.shape)
    third = second + random.integers(-8, 9, first.shape)
    images = np.stack([first, other, second, third]).astype(np.uint8)
    made = replace(tiny([1, 2, 3, 4], [2, 2, 2, 2]), images=images, synthetic=False)
    found = clusters_of_rows(made, made.rows("test"))
    assert found is not None
    assert (found.unit, found.numbers.tolist()) == ("copies", [0, 1, 0, 0])
    assert clusters_of_rows(replace(made, synthetic=True), made.rows("test")) is None


def test_exact_copies_belong_together_where_nothing_is_known_of_subjects() -> None:
    found = clusters_of_rows(LEAKY, LEAKY.rows("test"))
    assert found is not None
    assert (found.unit, found.numbers.tolist()) == ("copies", [0, 1, 2, 2])


def test_images_without_copies_stand_for_themselves() -> None:
    single = tiny([1, 2, 3], [2, 2, 2])
    assert clusters_of_rows(single, single.rows("test")) is None


def test_a_data_set_counts_its_units() -> None:
    spec = data_spec(parse_reference("synthetic"), LEAKY)
    assert (spec.unit, spec.units_by_split) == ("copies", {"test": 3})
    spec = data_spec(parse_reference("synthetic"), tiny([1, 2, 3], [2, 2, 1]))
    assert (spec.unit, spec.units_by_split) == ("images", {})
