"""Photos to aligned faces: geometry against hand-computed transforms, and the course of a preparation."""

from __future__ import annotations

import csv
import importlib.util
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fbench.benchmark.data.preparation.align import LEFT_EYE, RIGHT_EYE, align, similarity
from fbench.benchmark.data.preparation.boxes import overlap, squared, suppress
from fbench.benchmark.data.preparation.faces import Detector, Face, load_detector
from fbench.benchmark.data.preparation.prepare import Preparation, prepare_photos
from fbench.core.errors import UserError

SHARED = Path(__file__).parents[4] / "shared" / "data"
Coordinate = st.floats(-500, 500)


@given(Coordinate, Coordinate, st.floats(2, 400), st.floats(-math.pi, math.pi))
def test_the_transform_puts_both_eyes_at_their_fixed_places(x: float, y: float, apart: float, angle: float) -> None:
    left, right = (x, y), (x + apart * math.cos(angle), y + apart * math.sin(angle))
    a, b, x0, y0 = similarity(left, right)
    for place, eye in ((LEFT_EYE, left), (RIGHT_EYE, right)):
        shown = (a * place[0] - b * place[1] + x0, b * place[0] + a * place[1] + y0)
        assert shown == pytest.approx(eye, abs=1e-6)


def photo_with_eyes(left: tuple[int, int], right: tuple[int, int]) -> Image.Image:
    """Two bright discs on black."""
    rows, columns = np.mgrid[0:400, 0:500]
    bright = np.zeros((400, 500), np.uint8)
    for x, y in (left, right):
        bright[np.hypot(columns + 0.5 - x, rows + 0.5 - y) < 8] = 255
    return Image.fromarray(bright).convert("RGB")


@pytest.mark.parametrize(("left", "right"), [((200, 200), (290, 200)), ((180, 220), (280, 160)), ((60, 60), (150, 75))])
def test_eyes_in_pixels_come_to_stand_where_they_should(left: tuple[int, int], right: tuple[int, int]) -> None:
    face = Face((0.0, 0.0, 1.0, 1.0), 1.0, left, right)
    aligned = np.asarray(align(photo_with_eyes(left, right), face, "none"), float)
    for place, half in ((LEFT_EYE, slice(0, 24)), (RIGHT_EYE, slice(24, 48))):
        part = np.zeros_like(aligned)
        part[:, half] = aligned[:, half]
        rows, columns = np.mgrid[0:48, 0:48] + 0.5
        centre = (float((columns * part).sum() / part.sum()), float((rows * part).sum() / part.sum()))
        assert centre == pytest.approx(place, abs=0.35)


def test_without_eyes_the_squared_box_is_taken_and_its_border_repeated() -> None:
    gray = np.tile(np.arange(100, dtype=np.uint8), (100, 1))
    photo = Image.fromarray(gray).convert("RGB")
    inside = np.asarray(align(photo, Face((20.0, 30.0, 68.0, 78.0), 1.0), "none"), float)
    # 48 pixels with a margin of 5 % on each side: columns 17.6 to 70.4
    assert inside[24, 0] == pytest.approx(18.0, abs=1.0)
    assert inside[24, 47] == pytest.approx(69.5, abs=1.0)
    beyond = np.asarray(align(photo, Face((-40.0, 0.0, 60.0, 100.0), 1.0), "none"))
    assert (beyond[:, :15] == 0).all()


def test_equalising_flattens_the_histogram() -> None:
    dark = Image.fromarray((np.random.default_rng(0).random((60, 60)) ** 3 * 90).astype(np.uint8)).convert("RGB")
    values = np.asarray(align(dark, Face((0.0, 0.0, 60.0, 60.0), 1.0), "equalise"))
    assert values.max() == 255
    assert abs(float(values.mean()) - 127.5) < 20


boxes = st.lists(
    st.tuples(st.floats(0, 50), st.floats(0, 50), st.floats(1, 40), st.floats(1, 40), st.floats(0, 1)), max_size=12
)


@given(boxes, st.sampled_from([0.3, 0.5, 0.7]))
def test_suppression_is_that_of_the_definition(found: Sequence[tuple[float, ...]], threshold: float) -> None:
    corners = np.array([(x, y, x + w, y + h) for x, y, w, h, _ in found]).reshape(-1, 4)
    scores = np.array([score for *_, score in found])
    expected: list[int] = []
    for row in sorted(range(len(found)), key=lambda row: -scores[row]):
        if all(union_share(corners[row], corners[other]) <= threshold for other in expected):
            expected.append(row)
    assert suppress(corners, scores, threshold).tolist() == expected


def union_share(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    common = max(0.0, width) * max(0.0, height)
    return float(common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common))


def test_a_box_within_another_overlaps_the_smaller_whole() -> None:
    small, large = np.array([2.0, 2.0, 4.0, 4.0]), np.array([[0.0, 0.0, 10.0, 10.0]])
    assert overlap(small, large, "smaller").tolist() == [1.0]
    assert overlap(small, large).tolist() == [0.04]
    assert squared(np.array([[0.0, 0.0, 10.0, 4.0]])).tolist() == [[0.0, -3.0, 10.0, 7.0]]


# --- the course of a preparation, with a detector that reads the answer from the photo's first pixel


class PixelDetector:
    """Finds as many faces as the red value of the first pixel says."""

    name = "pixel"
    version = "1"

    def __init__(self) -> None:
        self.seen = 0

    def detect(self, photo: npt.NDArray[np.uint8]) -> list[Face]:
        self.seen += 1
        return [
            Face((10.0, 10.0, 30.0 + 5 * number, 30.0 + 5 * number), 0.9 - 0.1 * number, (15.0, 20.0), (25.0, 20.0))
            for number in range(int(photo[0, 0, 0]))
        ]


def write_photo(file: Path, faces: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 60, 3), dtype=np.uint8)
    pixels[0, 0, 0] = faces
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    source = tmp_path / "photos"
    write_photo(source / "train" / "happy" / "one face.png", 1)
    write_photo(source / "train" / "happy" / "three.png", 3)
    write_photo(source / "test" / "wäll\n.png", 0)
    (source / "test" / "empty.jpg").write_bytes(b"")
    (source / "test" / "text.png").write_text("x")
    (source / "test" / "notes.txt").write_text("x")
    (source / "test" / "loop").symlink_to(source, target_is_directory=True)
    return source


def prepare(source: Path, target: Path, detector: Detector | None = None, **changes: str) -> dict[str, int]:
    detector = detector or PixelDetector()
    values = {"detector": "pixel", "detector_version": "1"} | changes
    return dict(prepare_photos(source, target, Preparation.model_validate(values), detector))


def faces_in(target: Path) -> set[str]:
    return {file.relative_to(target).as_posix() for file in target.rglob("*.png")}


def test_folders_are_kept_and_every_photo_has_an_end_with_its_reason(photos: Path, tmp_path: Path) -> None:
    counts = prepare(photos, tmp_path / "faces")
    assert faces_in(tmp_path / "faces") == {"train/happy/one face.png", "train/happy/three.png"}
    assert counts == {
        "written": 2,
        "is empty": 1,
        "is not an image": 1,
        "is a link to a folder, which is not followed": 1,
        "shows no face that the detector finds": 1,
    }
    with (tmp_path / "faces" / "prepared.csv").open(newline="", encoding="utf-8") as stream:
        rows = {row["photo"]: row for row in csv.DictReader(stream)}
    assert rows["train/happy/three.png"]["faces_found"] == "3"
    assert rows["train/happy/three.png"]["box"] == "10.0 10.0 40.0 40.0"  # the largest
    assert rows["train/happy/three.png"]["aligned_by"] == "eyes"
    with Image.open(tmp_path / "faces" / "train" / "happy" / "three.png") as face:
        assert (face.mode, face.size) == ("L", (48, 48))


@pytest.mark.parametrize(
    ("changes", "faces"),
    [
        ({"faces": "all"}, {"one face.png", "three.png", "three.face2.png", "three.face3.png"}),
        ({"faces": "most_confident"}, {"one face.png", "three.png"}),
        ({"faces": "skip"}, {"one face.png"}),
        ({"no_face": "keep"}, {"one face.png", "three.png", "wäll\n.png"}),
    ],
)
def test_several_faces_or_none_are_a_choice(
    photos: Path, tmp_path: Path, changes: dict[str, str], faces: set[str]
) -> None:
    prepare(photos, tmp_path / "faces", **changes)
    assert {name.rpartition("/")[2] for name in faces_in(tmp_path / "faces")} == faces


def test_the_same_command_goes_on_where_it_stopped(photos: Path, tmp_path: Path) -> None:
    first, second = PixelDetector(), PixelDetector()
    counts = prepare(photos, tmp_path / "faces", first)
    write_photo(photos / "train" / "late.png", 1)
    again = prepare(photos, tmp_path / "faces", second)
    assert (first.seen, second.seen) == (3, 1)
    assert again == counts | {"written": 3}


def test_a_line_that_was_cut_off_is_done_again(photos: Path, tmp_path: Path) -> None:
    counts = prepare(photos, tmp_path / "faces")
    manifest = tmp_path / "faces" / "prepared.csv"
    manifest.write_text(manifest.read_text(encoding="utf-8")[:-40], encoding="utf-8")
    assert prepare(photos, tmp_path / "faces") == counts


def test_other_settings_for_the_same_folder_are_refused(photos: Path, tmp_path: Path) -> None:
    prepare(photos, tmp_path / "faces")
    with pytest.raises(UserError, match="was prepared with another normalisation"):
        prepare(photos, tmp_path / "faces", normalisation="equalise")


def test_folders_that_cannot_work_are_refused(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="There is no folder"):
        prepare(tmp_path / "nowhere", tmp_path / "faces")
    with pytest.raises(UserError, match="lies in"):
        prepare(photos, photos / "faces")
    (tmp_path / "bare").mkdir()
    with pytest.raises(UserError, match="has no photo"):
        prepare(tmp_path / "bare", tmp_path / "faces")
    with pytest.raises(UserError, match="something else than prepared faces"):
        prepare(photos, tmp_path)


def test_two_photos_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    write_photo(tmp_path / "photos" / "a.png", 1)
    write_photo(tmp_path / "photos" / "a.bmp", 1)
    counts = prepare(tmp_path / "photos", tmp_path / "faces")
    assert counts == {"written": 1, "has the name of another photo but for its suffix": 1}


# --- the real detectors


def detector_or_skip(name: str) -> Detector:
    try:
        return load_detector(name)
    except UserError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", ["mtcnn", "haar"])
def test_a_wall_has_no_face(name: str) -> None:
    assert detector_or_skip(name).detect(np.full((240, 320, 3), 120, np.uint8)) == []


@pytest.mark.parametrize("name", ["mtcnn", "haar"])
def test_real_faces_are_found_where_they_are(name: str) -> None:
    if not (SHARED / "unpack.py").exists():
        pytest.skip("there is no copy of CK+48 in ../shared/data")
    detector = detector_or_skip(name)
    spec = importlib.util.spec_from_file_location("unpack", SHARED / "unpack.py")
    assert spec is not None
    assert spec.loader is not None
    unpack = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(unpack)
    found = 0
    for face in unpack.load_ck48()[0][::200]:
        canvas = Image.new("L", (400, 300), 110)
        canvas.paste(Image.fromarray(face).resize((160, 160), Image.Resampling.BICUBIC), (180, 90))
        hits = detector.detect(np.asarray(canvas.convert("RGB")))
        if hits:
            left, top, right, bottom = hits[0].box
            assert math.hypot((left + right) / 2 - 260, (top + bottom) / 2 - 170) < 40
            found += 1
    assert found >= 4


def test_the_networks_have_the_published_windows() -> None:
    import torch

    from fbench.benchmark.data.preparation.mtcnn_networks import OutputNet, ProposalNet, RefinementNet

    with torch.inference_mode():
        offsets, scores = ProposalNet()(torch.zeros(1, 3, 12, 12))
        assert (tuple(offsets.shape), tuple(scores.shape)) == ((1, 4, 1, 1), (1, 1, 1))
        assert RefinementNet()(torch.zeros(2, 3, 24, 24))[0].shape == (2, 4)
        assert OutputNet()(torch.zeros(2, 3, 48, 48))[1].shape == (2, 10)
