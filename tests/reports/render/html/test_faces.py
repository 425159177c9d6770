"""Figures of faces say what was predicted and where the heat is; reports find maps through the run's folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from face_maps import made_up_maps

from fbench.core.errors import UserError
from fbench.reports.figures.canvas import PAGE_WIDTH_IN
from fbench.reports.figures.drawing import Illustration, to_svg, write_drawing
from fbench.reports.figures.faces import (
    MOST_MAPS,
    faces_figure,
    feature_map_figure,
    grad_cam_figure,
    heat_over_face,
    hottest_part,
    tiled,
)
from fbench.reports.findings.comparisons.evidence import gather
from fbench.reports.findings.faces import network_maps
from fbench.reports.render.html.build import gather_report
from tests.reports.fabricated_run import Recipe, fabricate_run

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str | None]:
    root = ElementTree.fromstring(svg)  # noqa: S314 - the text was made by the caller
    return [element.text for element in root.iter(f"{SVG}text")]


def test_grad_cam_states_what_was_predicted_and_where_the_heat_is() -> None:
    drawing = grad_cam_figure(made_up_maps(predicted=(1, 1)), "ires")
    assert drawing.alt == (
        "Grad-CAM of ires on images of stripes: 1 of 2 are taken for what they show. In brackets the part of the "
        "image where the heat is strongest: sad taken for happy (lower middle); happy (nowhere)."
    )
    svg = to_svg(drawing, "k")
    assert [text for text in texts(svg) if text] == ["happy", "happy"]
    assert svg.count("font-weight: 700") == 1  # the one that shows something else
    assert svg.count("<image") == 1


def test_plain_faces_are_named_by_what_they_show() -> None:
    drawing = faces_figure(made_up_maps())
    assert drawing.alt == "The images are images of stripes: sad, happy."
    svg = to_svg(drawing, "k")
    assert [text for text in texts(svg) if text] == ["sad", "happy"]
    assert "font-weight: 700" not in svg


def test_a_page_shows_each_set_of_faces_once(tmp_path: Path) -> None:
    run = fabricate_run(tmp_path / "run", Recipe(seeds=(0,), images=60, synthetic=True))
    other = made_up_maps(images=np.full((2, 1, 6, 6), 9, np.uint8))
    for row, maps in zip(run.plan, (made_up_maps(), other, made_up_maps(predicted=(1, 1))), strict=True):
        run.folder.write_maps(row.trial_id, maps)
    (section,) = gather_report([run]).data_sections
    assert section.faces is not None
    assert [figure.title for figure in section.faces.faces] == [
        "What is shown on set 1: 2 images",
        "What is shown on set 2: 2 images",
    ]
    assert [figure.title.split(" on ")[1] for figure in section.faces.grad_cam] == [
        "set 1: 2 of 2 right",
        "set 2: 2 of 2 right",
        "set 1: 1 of 2 right",
    ]


def test_feature_maps_show_every_channel_and_say_which_are_flat() -> None:
    flat = made_up_maps().feature_maps
    flat[1] = 0
    drawing = feature_map_figure(made_up_maps(feature_maps=flat), "ires")
    assert drawing.alt == (
        "Feature maps of ires for a face that shows sad: 3 channels of 3x3 after first.convolution; 1 of them is flat."
    )
    svg = to_svg(drawing, "k")
    assert svg.count("<image") == 1
    assert texts(svg) == []  # the face stands above, once for all networks


def test_no_more_than_64_channels_are_drawn() -> None:
    drawing = feature_map_figure(made_up_maps(channels=MOST_MAPS + 6), "ires")
    assert drawing.alt.endswith(
        "70 channels of 3x3 after first.convolution; every one responds. The first 64 are shown."
    )
    assert drawing.height_in == feature_map_figure(made_up_maps(channels=MOST_MAPS), "ires").height_in


@pytest.mark.parametrize("side", [3, 24, 48])
@pytest.mark.parametrize("columns", [1, 2, 5])
def test_tiles_keep_every_image_apart_from_the_next(side: int, columns: int) -> None:
    levels = np.linspace(0, 1, 5)
    tiles = np.ones((5, side, side, 3)) * levels[:, None, None, None]
    whole = tiled(tiles, columns, gap=0.125)
    times = 8 if side == 3 else 1
    step = times * side + round(0.125 * times * side)
    rows = -(-5 // columns)
    assert whole.shape == (rows * step - step + times * side, columns * step - step + times * side, 4)
    for place, level in enumerate(levels):
        top, left = place // columns * step, place % columns * step
        tile = whole[top : top + times * side, left : left + times * side]
        assert np.all(tile[..., 3] == 255)
        assert np.all(np.abs(tile[..., :3] - 255 * level) <= 255 / 31 / 2 + 0.5)
    assert np.count_nonzero(whole[..., 3]) == 5 * (times * side) ** 2


@pytest.mark.parametrize("count", [1, 2, 7, 8])
def test_figures_stay_legible_on_a_telephone_and_inside_their_paper(count: int) -> None:
    two = made_up_maps()
    places = [place % 2 for place in range(count)]
    maps = made_up_maps(
        images=two.images[places],
        grad_cam=two.grad_cam[places],
        predicted=np.array(places),
        labels=tuple(two.labels[place] for place in places),
    )
    for drawing in (faces_figure(maps), grad_cam_figure(maps, "ires"), feature_map_figure(maps, "ires")):
        assert drawing.width_in <= PAGE_WIDTH_IN + 1e-9
        root = ElementTree.fromstring(to_svg(drawing, "k"))  # noqa: S314 - the text was made in the line itself
        width = float(root.attrib["viewBox"].split()[2])
        assert width == pytest.approx(72 * drawing.width_in, abs=0.1)


def test_figures_are_the_same_every_time_in_page_and_file(tmp_path: Path) -> None:
    maps = made_up_maps()
    for drawing in (grad_cam_figure(maps, "ires"), feature_map_figure(maps, "ires")):
        illustration = Illustration("k", "a title", drawing)
        assert to_svg(drawing, "k") == to_svg(drawing, "k")
        for name in ("a.png", "b.png"):
            write_drawing(illustration, tmp_path / name)
        assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize(
    ("rows", "columns", "words"),
    [
        (slice(0, 2), slice(0, 2), "upper left"),
        (slice(2, 4), slice(2, 4), "centre"),
        (slice(2, 4), slice(4, 6), "middle right"),
        (slice(4, 6), slice(2, 4), "lower middle"),
    ],
)
def test_the_hottest_part_is_a_ninth_of_the_image(rows: slice, columns: slice, words: str) -> None:
    heat = np.full((6, 6), 10, np.uint8)
    heat[rows, columns] = 200
    assert hottest_part(heat) == words


def test_heat_leaves_cold_places_gray_and_reddens_hot_ones() -> None:
    face, heat = np.full((1, 2, 2), 102, np.uint8), np.array([[0, 255], [0, 128]], np.uint8)
    shown = heat_over_face(face, heat)
    np.testing.assert_allclose(shown[:, 0], 0.4)
    assert (shown[:, 1, 0] > shown[:, 1, 2]).all()
    assert 0 <= shown.min() <= shown.max() <= 1


def one_network(folder: Path, kept: dict[int, object]) -> tuple:
    """A run of one network with maps at some of its seeds, and its evidence."""
    alone = {"name": "alone", "title": "Alone", "question": "How?", "baseline": "ires", "levels": ["ires"]}
    run = fabricate_run(folder / "run", Recipe(accuracy={"ires": 0.6}, studies=(alone,)))
    for row in run.plan:
        if row.seed in kept:
            run.folder.write_maps(row.trial_id, kept[row.seed])  # type: ignore[arg-type] # maps, by the callers
    return run, gather(run, run.config.data[0])


def test_the_lowest_seed_with_maps_is_shown(tmp_path: Path) -> None:
    (section,) = network_maps(
        *one_network(tmp_path, {2: made_up_maps(seed=2), 1: made_up_maps(seed=1, source="rendered faces")})
    )
    assert (section.network, section.seed) == ("ires", 1)
    assert section.source == "rendered faces, as images of fer2013 may not be shown"


def test_a_run_without_maps_has_no_section(tmp_path: Path) -> None:
    assert network_maps(*one_network(tmp_path, {})) == ()


def test_maps_that_were_given_take_the_place_of_kept_ones(tmp_path: Path) -> None:
    run, evidence = one_network(tmp_path, {0: made_up_maps(source="rendered faces")})
    own = made_up_maps(seed=0, source="images of fer2013", may_be_kept=False)
    (section,) = network_maps(run, evidence, {("ires", "fer2013"): own})
    assert section.source == "images of fer2013"
    assert section.maps is own


def test_damaged_maps_are_named(tmp_path: Path) -> None:
    run, evidence = one_network(tmp_path, {0: made_up_maps()})
    (file,) = run.folder.path.rglob("maps.npz")
    file.write_bytes(b"not a zip file")
    with pytest.raises(UserError, match=r"maps\.npz cannot be read"):
        network_maps(run, evidence)


@pytest.mark.slow
def test_figures_of_faces_need_no_torch() -> None:
    code = "import sys, fbench.reports.figures.faces, fbench.reports.findings.faces; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "False", done.stderr
