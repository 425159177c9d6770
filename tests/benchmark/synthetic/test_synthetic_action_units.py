"""Each action unit, alone on one face, changes its part of the face and moves it the way FACS says."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from fbench.benchmark.data.synthetic.action_units import ACTION_UNITS, AU_NUMBERS, ActionUnit, column
from fbench.benchmark.data.synthetic.drawing import Coordinates, face_coordinates
from fbench.benchmark.data.synthetic.parameters import FaceParameters, average_face
from fbench.benchmark.data.synthetic.render import render
from fbench.benchmark.data.synthetic.sampling import sample_parameters

VISIBLE_GRAY_LEVELS = 25


def with_units(*numbers: int, intensity: float = 1.0) -> npt.NDArray[np.float64]:
    row = np.zeros((1, len(AU_NUMBERS)))
    row[0, [column(number) for number in numbers]] = intensity
    return row


def draw(*numbers: int, intensity: float = 1.0) -> tuple[npt.NDArray[np.float64], Coordinates]:
    parameters = average_face(with_units(*numbers, intensity=intensity))
    return render(parameters)[0, 0].astype(float), face_coordinates(parameters.pose)


def plane(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return values.reshape(48, 48)


def inside_region(unit: ActionUnit, at: Coordinates) -> npt.NDArray[np.bool_]:
    across, v = at.across.reshape(-1, 48, 48), at.v.reshape(-1, 48, 48)
    region = unit.region
    return (across >= region.inner) & (across <= region.outer) & (v >= region.top) & (v <= region.bottom)


def many_faces(count: int, intensities: npt.NDArray[np.float64]) -> FaceParameters:
    drawn = sample_parameters(np.full(count, 6), seed=3, split="train")
    return FaceParameters(
        np.repeat(intensities, count, axis=0).astype(np.float32), drawn.identity, drawn.pose, drawn.light
    )


@pytest.mark.parametrize("unit", ACTION_UNITS, ids=lambda unit: f"AU{unit.number}")
def test_an_action_unit_alone_changes_its_region_and_nothing_else(unit: ActionUnit) -> None:
    faces = many_faces(200, with_units(unit.number))
    without, changed = render(many_faces(200, with_units()))[:, 0], render(faces)[:, 0]
    difference = np.abs(changed.astype(int) - without)
    outside = difference * ~inside_region(unit, face_coordinates(faces.pose))
    assert outside.max() == 0
    assert np.median(difference.max(axis=(1, 2))) >= VISIBLE_GRAY_LEVELS


@pytest.mark.parametrize("unit", ACTION_UNITS, ids=lambda unit: f"AU{unit.number}")
def test_a_stronger_action_unit_changes_more(unit: ActionUnit) -> None:
    rest, _ = draw()
    changes = [np.abs(draw(unit.number, intensity=level)[0] - rest).sum() for level in (0.0, 0.3, 0.6, 1.0)]
    assert changes[0] == 0
    assert changes == sorted(changes)
    assert changes[1] < changes[3]


def test_regions_are_the_parts_of_the_face_that_facs_names() -> None:
    regions = {unit.number: unit.region for unit in ACTION_UNITS}
    assert all(regions[number].bottom < 0 for number in (1, 2, 4))  # forehead and brows, above the middle of the face
    assert all(regions[number].top > 0 for number in (12, 15, 16, 20, 23, 26))  # below it
    assert all(regions[number].bottom < 0.25 and regions[number].top > -0.55 for number in (5, 6, 7))
    assert regions[9].outer < 0.5
    assert -0.5 < regions[9].top < regions[9].bottom < 0.5


def test_drawing_only_the_rows_of_a_feature_changes_no_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    faces = sample_parameters(np.arange(210) % 7, seed=8, split="train")
    expected = render(faces)
    monkeypatch.setattr("fbench.benchmark.data.synthetic.render.band", lambda at, top, bottom: slice(0, 48 * 48))
    np.testing.assert_array_equal(render(faces), expected)


def darkness_height(
    image: npt.NDArray[np.float64], at: Coordinates, low: float, high: float, top: float, bottom: float
) -> float:
    """Mean v of the darkest pixels of a box: where its brow or lip line is."""
    across, v = plane(at.across), plane(at.v)
    box = (across > low) & (across < high) & (v > top) & (v < bottom)
    dark = np.clip(np.median(image[box]) - 25 - image[box], 0, None)
    return float((dark * v[box]).sum() / dark.sum())


def test_au1_raises_the_inner_brow_and_au2_the_outer_brow() -> None:
    inner, outer = (0.16, 0.30, -0.80, -0.30), (0.52, 0.64, -0.85, -0.30)
    (rest, at), (au1, _), (au2, _) = draw(), draw(1), draw(2)
    assert darkness_height(au1, at, *inner) < darkness_height(rest, at, *inner) - 0.1
    assert darkness_height(au2, at, *outer) < darkness_height(rest, at, *outer) - 0.1
    assert abs(darkness_height(au1, at, *outer) - darkness_height(rest, at, *outer)) < 0.05


def test_au4_lowers_the_brow() -> None:
    brow = (0.2, 0.55, -0.70, -0.29)
    (rest, at), (au4, _) = draw(), draw(4)
    assert darkness_height(au4, at, *brow) > darkness_height(rest, at, *brow) + 0.05


def bright_eye_area(image: npt.NDArray[np.float64], at: Coordinates) -> float:
    across, v = plane(at.across), plane(at.v)
    return float(((image > 195) & (across > 0.1) & (across < 0.75) & (v > -0.45) & (v < 0.0)).sum())


def test_au5_shows_more_of_the_eye_and_au7_less() -> None:
    (rest, at), (au5, _), (au7, _) = draw(), draw(5), draw(7)
    assert bright_eye_area(au5, at) > 1.3 * bright_eye_area(rest, at)
    assert bright_eye_area(au7, at) < 0.7 * bright_eye_area(rest, at)


def lip_height(image: npt.NDArray[np.float64], at: Coordinates) -> tuple[float, float]:
    """Mean v of the dark line in the middle of the mouth and at its corners."""
    middle = darkness_height(image, at, -0.01, 0.12, 0.42, 0.85)
    return middle, darkness_height(image, at, 0.30, 0.42, 0.30, 0.90)


def test_au12_pulls_the_lip_corners_up_and_au15_down() -> None:
    rest, up, down = (np.subtract(*lip_height(*draw(*units))) for units in ((), (12,), (15,)))
    assert up > rest + 0.08
    assert down < rest - 0.08


def dark_mouth_area(image: npt.NDArray[np.float64], at: Coordinates) -> float:
    across, v = plane(at.across), plane(at.v)
    return float(((image < 60) & (across < 0.5) & (v > 0.4)).sum())


def test_au26_opens_the_mouth_and_lengthens_the_chin() -> None:
    (rest, at), (au26, _) = draw(), draw(26)
    assert dark_mouth_area(au26, at) >= dark_mouth_area(rest, at) + 40
    half_open, _ = draw(26, intensity=0.5)
    assert dark_mouth_area(rest, at) < dark_mouth_area(half_open, at) < dark_mouth_area(au26, at)


def mouth_width(image: npt.NDArray[np.float64], at: Coordinates) -> float:
    """Widest distance from the midline at which the mouth is darker or brighter than the skin around it."""
    across, v = plane(at.across), plane(at.v)
    box = (v > 0.5) & (v < 0.72) & (across < 0.75)
    unusual = np.abs(image - np.median(image[box & (across > 0.5)])) > 30
    return float(across[box & unusual].max())


def test_au20_widens_and_au23_narrows_the_mouth() -> None:
    rest, stretched, tightened = (mouth_width(*draw(*units)) for units in ((), (20,), (23,)))
    assert stretched > rest + 0.05
    assert tightened < rest - 0.05


def test_au9_darkens_the_root_of_the_nose_with_wrinkles_and_au16_bares_the_lower_teeth() -> None:
    (rest, at), (au9, _), (au16, _) = draw(), draw(9), draw(16)
    across, v = plane(at.across), plane(at.v)
    root = (across < 0.1) & (v > -0.25) & (v < 0.05)
    assert au9[root].min() < rest[root].min() - 40
    lower_lip = (across < 0.2) & (v > 0.58) & (v < 0.85)
    assert au16[lower_lip].max() > rest[lower_lip].max() + 10


def test_au6_wrinkles_the_outer_corner_of_the_eye() -> None:
    (rest, at), (au6, _) = draw(), draw(6)
    across, v = plane(at.across), plane(at.v)
    corner = (across > 0.72) & (across < 0.9) & (np.abs(v + 0.16) < 0.12)
    assert au6[corner].min() < rest[corner].min() - 20
