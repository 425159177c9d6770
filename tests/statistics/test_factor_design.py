"""Crossed designs from named cells, and their answers over the seeds that all cells finished."""

from __future__ import annotations

import numpy as np
import pytest

from fbench.statistics.factors.design import SeedLeftOut, cross, crossed_design, missing_cells

CELLS = {
    "arch1": {"convolution": "separable", "head": "gap"},
    "arch2": {"convolution": "separable", "head": "dense"},
    "arch3": {"convolution": "full", "head": "gap"},
    "arch4": {"convolution": "full", "head": "dense"},
}
SEEDS = dict.fromkeys(CELLS, (0, 1))


def answers(rows: int = 2) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(5)
    return {cell: generator.integers(0, 2, (rows, 6)) for cell in CELLS}


def test_levels_stand_in_order_of_appearance_and_the_last_factor_changes_fastest() -> None:
    design = crossed_design(CELLS)
    assert design.factors == ("convolution", "head")
    assert design.levels == (("separable", "full"), ("gap", "dense"))
    assert design.shape == (2, 2)
    assert design.cells == ("arch1", "arch2", "arch3", "arch4")
    assert design.combinations[2] == ("full", "gap")


def test_the_levels_of_the_first_cell_come_first() -> None:
    design = crossed_design(CELLS, first="arch4")
    assert design.levels == (("full", "separable"), ("dense", "gap"))
    assert design.cells == ("arch4", "arch3", "arch2", "arch1")


def test_any_number_of_levels() -> None:
    cells = {f"{a}{b}": {"a": a, "b": b} for a in "xy" for b in "123"}
    assert crossed_design(cells).shape == (2, 3)


@pytest.mark.parametrize(
    ("cells", "first", "message"),
    [
        ({}, None, "0 cells has nothing to cross"),
        ({"a": {}}, None, "nothing to cross"),
        (CELLS, "arch5", "'arch5' is no cell"),
        (CELLS | {"arch4": {"convolution": "full"}}, None, "'arch4' has the factors convolution and 'arch1'"),
        ({"a": {"x": "1"}, "b": {"x": "1"}}, None, "'x' has the one level '1'"),
        ({k: v for k, v in CELLS.items() if k != "arch4"}, None, "convolution full, head dense is no cell"),
        (CELLS | {"arch5": CELLS["arch1"]}, None, "convolution separable, head gap is arch1 and arch5"),
    ],
)
def test_what_is_not_fully_crossed_is_refused(
    cells: dict[str, dict[str, str]], first: str | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        crossed_design(cells, first)


def test_answers_are_brought_into_the_order_of_cells_and_seeds() -> None:
    given = answers()
    data = cross(crossed_design(CELLS, first="arch4"), given, SEEDS | {"arch2": (1, 0)})
    assert data.seeds == (0, 1)
    assert data.correct.shape == (2, 2, 2, 6)
    assert np.array_equal(data.correct[0, 0], given["arch4"])
    assert np.array_equal(data.correct[1, 0], given["arch2"][::-1])
    assert data.accuracy[1, 1] == pytest.approx(given["arch1"].mean(axis=1))
    assert data.left_out == ()


def test_two_images_are_enough_and_one_is_refused() -> None:
    given = {cell: rows[:, :2] for cell, rows in answers().items()}
    assert cross(crossed_design(CELLS), given, SEEDS).correct.shape == (2, 2, 2, 2)
    with pytest.raises(ValueError, match="tested on 1 images; give all the same images, at least two"):
        cross(crossed_design(CELLS), {cell: rows[:, :1] for cell, rows in given.items()}, SEEDS)


def test_seeds_that_not_all_cells_finished_are_left_out_and_named() -> None:
    given = answers()
    given["arch3"] = given["arch3"][:1]
    data = cross(crossed_design(CELLS), given, {"arch1": (0, 7), "arch2": (0, 7), "arch3": (0,), "arch4": (0, 3)})
    assert data.seeds == (0,)
    assert data.left_out == (
        SeedLeftOut(3, ("arch1", "arch2", "arch3")),
        SeedLeftOut(7, ("arch3", "arch4")),
    )


def test_missing_cells_are_named() -> None:
    design = crossed_design(CELLS)
    assert missing_cells(design, ["arch1", "arch3"]) == ("arch2", "arch4")
    given = {cell: rows for cell, rows in answers().items() if cell not in ("arch2", "arch4")}
    with pytest.raises(ValueError, match="no answers of arch2, arch4"):
        cross(design, given, SEEDS)


def test_no_common_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="No seed was finished by all of arch1, arch2, arch3, arch4"):
        cross(crossed_design(CELLS), answers(), SEEDS | {"arch4": (2, 3)})


def test_an_answer_that_is_not_a_number_is_named() -> None:
    given = {cell: rows.astype(float) for cell, rows in answers().items()}
    given["arch2"][1, 4] = np.nan
    with pytest.raises(ValueError, match="'arch2' with seed 1 to image 4 is nan"):
        cross(crossed_design(CELLS), given, SEEDS)


def test_cells_of_other_images_or_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="tested on 5, 6 images"):
        cross(crossed_design(CELLS), answers() | {"arch2": np.ones((2, 5))}, SEEDS)
    with pytest.raises(ValueError, match=r"'arch2' have the shape \(3, 6\) for the seeds \[0, 1\]"):
        cross(crossed_design(CELLS), answers() | {"arch2": np.ones((3, 6))}, SEEDS)
    with pytest.raises(ValueError, match=r"'arch2' have the shape \(2, 6\) for the seeds \[1, 1\]"):
        cross(crossed_design(CELLS), answers(), SEEDS | {"arch2": (1, 1)})
