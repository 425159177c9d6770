"""Does the preparation of many photos grow in memory?

    python -m tests.calibration.preparation_memory [--data FOLDER] [--photos 10000] [--out results/faces]

Writes photos of one enlarged face of CK+48 each into a temporary folder, prepares them with MTCNN, and writes the
resident set after every thousandth photo to ``memory.csv``.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from fbench.benchmark.data.preparation.detectors import load_detector
from fbench.benchmark.data.preparation.prepare import Preparation, prepare_photos
from tests.calibration.faces import SEED, put, real_faces, texture


def main() -> None:
    """Make the photos, prepare them, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parents[3] / "shared" / "data")
    parser.add_argument("--photos", type=int, default=10_000)
    parser.add_argument("--out", type=Path, default=Path("results") / "faces")
    options = parser.parse_args()
    rows: list[tuple[int, str]] = []

    def note(done: int, total: int) -> None:
        if done % 1000 == 0 or done in (1, 100, total):
            rows.append((done, f"{psutil.Process().memory_info().rss / 2**20:.1f}"))
            print(rows[-1], flush=True)  # noqa: T201 - a script reports by printing

    with tempfile.TemporaryDirectory() as place:
        write_photos(options.data, options.photos, Path(place) / "photos")
        detector = load_detector("mtcnn")
        preparation = Preparation(detector=detector.name, detector_version=detector.version)
        counts = prepare_photos(Path(place) / "photos", Path(place) / "faces", preparation, detector, note)
    print(dict(counts))  # noqa: T201 - a script reports by printing
    with (options.out / "memory.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["photos_done", "resident_mib"])
        writer.writerows(rows)


def write_photos(data: Path, photos: int, folder: Path) -> None:
    """Photos of 420x360 pixels in ten sub-folders."""
    faces = [face for _, face in real_faces(data, 500)["ck48"]]
    for number in range(photos):
        random = np.random.default_rng([SEED, number])
        side = int(random.integers(80, 200))
        scene = put(texture(random), faces[number % len(faces)], side, (200, 180), float(random.uniform(-20, 20)))
        target = folder / f"part{number % 10}"
        target.mkdir(parents=True, exist_ok=True)
        Image.fromarray(scene).save(target / f"{number:05}.jpg")


if __name__ == "__main__":
    main()
