"""How well do the face detectors find faces whose place, size and tilt are known?

    python -m tests.calibration.faces [--data FOLDER] [--images 500] [--out results/faces]

Real 48x48 faces of CK+48 and FER2013 are enlarged to 80 to 240 pixels and put onto textured canvases at random places
and tilts, all from one seed. A detection is a hit when its box has its centre within a quarter of the face's side from
the face's centre and a side of 0.4 to 1.6 times the face's; every other detection is a false alarm. The eye angle is
held against the known tilt, less the angle that the same detector finds on the same face put upright. Detections are
appended to ``detections.csv`` as they are made, so that the command goes on where it stopped; ``detectors.csv`` is the
table. FOLDER holds ``unpack.py`` with ``load_fer2013`` and ``load_ck48``.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from fbench.benchmark.data.preparation.detectors import DETECTORS, load_detector
from fbench.benchmark.data.preparation.faces import Detector, Face

SEED = 20260101
CANVAS_PX = (420, 360)
SIDES_PX = (80, 240)
LARGEST_TILT_DEGREES = 25.0
COLUMNS = [
    "data",
    "detector",
    "image",
    "side_px",
    "tilt_degrees",
    "upright_hit",
    "hit",
    "false_alarms",
    "centre_error",
    "eyes",
    "angle_error_degrees",
    "time_s",
]


def main() -> None:
    """Make what is missing of the detections, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(__file__).parents[3] / "shared" / "data"
    parser.add_argument("--data", type=Path, default=default)
    parser.add_argument("--images", type=int, default=500)
    parser.add_argument("--out", type=Path, default=Path("results") / "faces")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / "detections.csv"
    detect_all(options.data, options.images, file)
    rows = table(list(csv.DictReader(file.open(newline="", encoding="utf-8"))))
    with (options.out / "detectors.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print("  ".join(f"{key}={value}" for key, value in row.items()))  # noqa: T201 - a script reports by printing


def detect_all(data: Path, images: int, file: Path) -> None:
    """Append a row for each data set, detector and image that has none yet."""
    done = set()
    if file.exists():
        with file.open(newline="", encoding="utf-8") as stream:
            done = {(row["data"], row["detector"], int(row["image"])) for row in csv.DictReader(stream)}
    else:
        file.write_text(",".join(COLUMNS) + "\n", encoding="utf-8")
    detectors = [load_detector(name) for name in DETECTORS]
    with file.open("a", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        for name, faces in real_faces(data, images).items():
            for place, face in faces:
                for detector in detectors:
                    if (name, detector.name, place) not in done:
                        found = {"data": name, "detector": detector.name, "image": place}
                        writer.writerow(found | examine(face, detector, place))
                        stream.flush()


def real_faces(data: Path, images: int) -> dict[str, list[tuple[int, npt.NDArray[np.uint8]]]]:
    """Evenly spread images (48, 48) of both data sets, with their places there; black ones are passed over."""
    spec = importlib.util.spec_from_file_location("unpack", data / "unpack.py")
    if spec is None or spec.loader is None or not (data / "unpack.py").exists():
        raise SystemExit(f"There is no {data / 'unpack.py'}; name the folder of the real data with --data.")
    unpack = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(unpack)
    found = {}
    for name, pixels in (("ck48", unpack.load_ck48()[0]), ("fer2013", unpack.load_fer2013()[0])):
        places = np.linspace(0, len(pixels) - 1, images).round().astype(int)
        found[name] = [(int(place), pixels[place].astype(np.uint8)) for place in places if pixels[place].any()]
    return found


def examine(face: npt.NDArray[np.uint8], detector: Detector, place: int) -> dict[str, Any]:
    """Put one face upright and tilted onto the same canvas, and see what the detector finds of it."""
    random = np.random.default_rng([SEED, place])
    side = int(random.integers(SIDES_PX[0], SIDES_PX[1] + 1))
    tilt = float(random.uniform(-LARGEST_TILT_DEGREES, LARGEST_TILT_DEGREES))
    reach = math.ceil(0.72 * side)  # half the diagonal, so that a tilted face stays on the canvas
    centre = tuple(
        int(random.integers(reach, length - reach)) if length > 2 * reach else length // 2 for length in CANVAS_PX
    )
    canvas = texture(random)
    upright = detector.detect(put(canvas, face, side, centre, 0.0))
    started = time.perf_counter()
    found = detector.detect(put(canvas, face, side, centre, tilt))
    time_s = time.perf_counter() - started
    hit, straight = nearest(found, centre, side), nearest(upright, centre, side)
    angles = [eye_angle(seen) for seen in (hit, straight)]
    known = angles[0] is not None and angles[1] is not None
    return {
        "side_px": side,
        "tilt_degrees": f"{tilt:.3f}",
        "upright_hit": int(straight is not None),
        "hit": int(hit is not None),
        "false_alarms": len(found) - (hit is not None),
        "centre_error": "" if hit is None else f"{distance(hit, centre) / side:.4f}",
        "eyes": int(hit is not None and hit.left_eye is not None),
        "angle_error_degrees": f"{angles[0] - angles[1] - tilt:.3f}" if known else "",
        "time_s": f"{time_s:.4f}",
    }


def texture(random: np.random.Generator) -> Image.Image:
    """A gray canvas of smooth blotches, edges and grain."""
    coarse = Image.fromarray(random.integers(40, 216, (9, 11), dtype=np.uint8)).resize(
        CANVAS_PX, Image.Resampling.BICUBIC
    )
    fine = Image.fromarray(random.integers(0, 256, (90, 105), dtype=np.uint8)).resize(
        CANVAS_PX, Image.Resampling.NEAREST
    )
    grain = random.normal(0, 6, (CANVAS_PX[1], CANVAS_PX[0]))
    values = 0.85 * np.asarray(coarse, float) + 0.15 * np.asarray(fine, float) + grain
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def put(
    canvas: Image.Image, face: npt.NDArray[np.uint8], side: int, centre: tuple[int, ...], tilt: float
) -> npt.NDArray[np.uint8]:
    """The canvas with the face on it, turned clockwise by ``tilt`` degrees; RGB (H, W, 3)."""
    large = Image.fromarray(face).resize((side, side), Image.Resampling.BICUBIC)
    turned = large.rotate(-tilt, Image.Resampling.BICUBIC, expand=True)
    mask = Image.new("L", (side, side), 255).rotate(-tilt, Image.Resampling.BICUBIC, expand=True)
    result = canvas.copy()
    result.paste(turned, (centre[0] - turned.width // 2, centre[1] - turned.height // 2), mask)
    return np.asarray(result.convert("RGB"))


def nearest(found: list[Face], centre: tuple[int, ...], side: int) -> Face | None:
    """The detection that is a hit, the nearest of several."""
    hits = [
        face
        for face in found
        if distance(face, centre) <= 0.25 * side and 0.4 * side <= math.sqrt(face.area) <= 1.6 * side
    ]
    return min(hits, key=lambda face: distance(face, centre), default=None)


def distance(face: Face, centre: tuple[int, ...]) -> float:
    """From the centre of the box, in pixels."""
    left, top, right, bottom = face.box
    return math.hypot((left + right) / 2 - centre[0], (top + bottom) / 2 - centre[1])


def eye_angle(face: Face | None) -> float | None:
    """Of the line through the eyes, in degrees, clockwise; None without eyes."""
    if face is None or face.left_eye is None or face.right_eye is None:
        return None
    return math.degrees(math.atan2(face.right_eye[1] - face.left_eye[1], face.right_eye[0] - face.left_eye[0]))


def table(detections: list[dict[str, str]]) -> list[dict[str, str]]:
    """A row for each data set and detector."""
    rows = []
    for data in dict.fromkeys(row["data"] for row in detections):
        for detector in dict.fromkeys(row["detector"] for row in detections):
            own = [row for row in detections if (row["data"], row["detector"]) == (data, detector)]
            centre = np.array([float(row["centre_error"]) for row in own if row["centre_error"]])
            angle = np.abs([float(row["angle_error_degrees"]) for row in own if row["angle_error_degrees"]])
            rows.append(
                {
                    "data": data,
                    "detector": detector,
                    "images": str(len(own)),
                    "hit_rate_upright": f"{np.mean([int(row['upright_hit']) for row in own]):.3f}",
                    "hit_rate_tilted": f"{np.mean([int(row['hit']) for row in own]):.3f}",
                    "false_alarms_per_image": f"{np.mean([int(row['false_alarms']) for row in own]):.3f}",
                    "eyes_found_rate": f"{np.mean([int(row['eyes']) for row in own]):.3f}",
                    "centre_error_p50": f"{np.median(centre):.3f}",
                    "centre_error_p90": f"{np.quantile(centre, 0.9):.3f}",
                    "eye_angle_error_p50_degrees": f"{np.median(angle):.2f}",
                    "eye_angle_error_p90_degrees": f"{np.quantile(angle, 0.9):.2f}",
                    "images_per_s": f"{len(own) / sum(float(row['time_s']) for row in own):.1f}",
                }
            )
    return rows


if __name__ == "__main__":
    main()
