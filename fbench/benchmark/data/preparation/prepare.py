"""A folder of photos to a folder of aligned 48x48 gray faces, resumable, with a line for every photo.

Chowanda 2021, Pre-processing and initial hyper-parameters settings: detection, localisation, alignment, normalisation.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from PIL import Image

from fbench.benchmark.data.file_kinds import require_text
from fbench.benchmark.data.images.decoding import DECODER, IMAGE_SUFFIXES, UnusableImageError, open_image, to_gray
from fbench.benchmark.data.images.found_instead import found_instead
from fbench.benchmark.data.images.image_tree import files_below
from fbench.benchmark.data.preparation.align import RULE, Normalisation, align
from fbench.benchmark.data.preparation.faces import Detector, Face
from fbench.core.bounded import read_json
from fbench.core.csv_cells import harmless, original
from fbench.core.errors import UserError, message_of, storable
from fbench.core.files import replacing
from fbench.core.schema import FrozenModel

SETTINGS_FILE: Final = "prepared.json"
MANIFEST_FILE: Final = "prepared.csv"
NO_FACE: Final = "shows no face that the detector finds"
SEVERAL_FACES: Final = "shows several faces"
WHOLE_IMAGE: Final = "shows no face that the detector finds; kept whole"
NAME_TAKEN: Final = "has the name of another photo but for its suffix"
COLUMNS: Final = (
    "photo",
    "status",
    "faces_written",
    "reason",
    "faces_found",
    "confidence",
    "aligned_by",
    "box",
    "eyes",
)

FaceChoice = Literal["largest", "most_confident", "all", "skip"]
NoFaceChoice = Literal["skip", "keep"]


class Preparation(FrozenModel):
    """Everything that decides what a prepared face looks like; written beside the faces.

    ``faces`` says which face of several is taken (``skip`` leaves such photos out), ``no_face`` what becomes of a photo
    without one.
    """

    detector: str
    detector_version: str
    faces: FaceChoice = "largest"
    no_face: NoFaceChoice = "skip"
    normalisation: Normalisation = "none"
    decoder: str = DECODER
    rule: str = RULE


@dataclass(frozen=True)
class PreparationOutcome:
    """What became of one photo: how many faces were written, why none, and the place of the first."""

    photo: str
    status: Literal["written", "skipped"]
    faces_written: int = 0
    reason: str = ""
    faces_found: int = 0
    face: Face | None = None


def prepare_photos(
    source: Path,
    target: Path,
    preparation: Preparation,
    detector: Detector,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Counter[str]:
    """Write ``target/SUB/NAME.png`` for each ``source/SUB/NAME.*``, and say how many photos came to which end.

    Photos that the manifest lists are not done again. One photo is in memory at a time. ``progress`` is told how many
    of how many photos are done.

    Raises:
        UserError: no photos, a target that was prepared otherwise or lies in the source, or one that cannot be written.
    """
    _require_apart(source, target)
    photos, odd = list_photos(source)
    if not photos:
        raise UserError(
            f"{source} has no photo ({', '.join(sorted(IMAGE_SUFFIXES))}){found_instead(source)}; give a folder of "
            "photos."
        )
    try:
        _open_target(target, preparation)
        _end_last_line(target / MANIFEST_FILE)
        counts = _counted(target)
        taken = _taken_names(photos)
        with (target / MANIFEST_FILE).open("a", newline="", encoding="utf-8", errors="backslashreplace") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            done = {name for name, _ in _lines(target)}
            for name, reason in odd:
                if name not in done:
                    _record(writer, counts, PreparationOutcome(name, "skipped", reason=reason))
            for number, photo in enumerate(photos, start=1):
                if storable(photo) not in done:
                    outcome = _skip_taken(photo, taken) or prepare_one(source, photo, target, preparation, detector)
                    _record(writer, counts, outcome)
                    stream.flush()
                progress(number, len(photos))
    except OSError as error:
        raise UserError(
            f"{error.filename or target} cannot be written ({error.strerror}); mend that and go on."
        ) from error
    return counts


def prepare_one(
    source: Path, photo: str, target: Path, preparation: Preparation, detector: Detector
) -> PreparationOutcome:
    """Find, align and write the faces of one photo; a photo that gives none is told why."""
    name = storable(photo)
    try:
        image = open_image(source / photo)
    except UnusableImageError as error:
        return PreparationOutcome(name, "skipped", reason=str(error))
    colour = to_gray(image).convert("RGB") if image.mode.startswith("I") else image.convert("RGB")
    found = detector.detect(np.asarray(colour))
    if not found and preparation.no_face == "skip":
        return PreparationOutcome(name, "skipped", reason=NO_FACE)
    if not found:
        whole = Face((0.0, 0.0, float(colour.width), float(colour.height)), 0.0)
        _write(target / _face_name(photo), align(colour, whole, preparation.normalisation))
        return PreparationOutcome(name, "written", 1, WHOLE_IMAGE)
    if len(found) > 1 and preparation.faces == "skip":
        return PreparationOutcome(name, "skipped", reason=SEVERAL_FACES, faces_found=len(found))
    chosen = choose(found, preparation.faces)
    for number, face in enumerate(chosen):
        _write(target / _face_name(photo, number), align(colour, face, preparation.normalisation))
    return PreparationOutcome(name, "written", len(chosen), "", len(found), chosen[0])


def choose(found: Sequence[Face], choice: FaceChoice) -> list[Face]:
    """The faces to take of one or more."""
    match choice:
        case "all":
            return list(found)
        case "most_confident":
            return [max(found, key=lambda face: face.confidence)]
        case _:
            return [max(found, key=lambda face: face.area)]


def list_photos(source: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """Relative names of the image files below ``source``, sorted, and links that are not followed with their reason.

    Raises:
        UserError: ``source`` is no folder, or a folder cannot be looked at.
    """
    if source.is_file():
        require_text(source, "give the folder of the photos")
    if not source.is_dir():
        raise UserError(f"There is no folder {source}; give the folder of the photos.")
    photos, odd = [], []
    for relative, _, reason in files_below(str(source), ""):
        if reason:
            odd.append((storable(relative), reason))
        elif f".{relative.rpartition('.')[2].lower()}" in IMAGE_SUFFIXES:
            photos.append(relative)
    return sorted(photos), odd


def _require_apart(source: Path, target: Path) -> None:
    if target.resolve() == source.resolve() or source.resolve() in target.resolve().parents:
        raise UserError(
            f"{target} lies in {source}, so faces would be taken for photos; give a folder outside with --out."
        )


def _open_target(target: Path, preparation: Preparation) -> None:
    settings = target / SETTINGS_FILE
    if settings.is_file():
        try:
            before = Preparation.model_validate(read_json(settings))
        except (OSError, ValueError) as error:  # pydantic's is a ValueError
            raise UserError(
                f"{settings} does not say how these faces were prepared ({message_of(error, 200)}); give a new folder "
                "with --out."
            ) from error
        if before != preparation:
            changed = [key for key, value in preparation.model_dump().items() if getattr(before, key) != value]
            raise UserError(
                f"{target} was prepared with another {', '.join(changed)}; use the same, or another folder with --out."
            )
        return
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UserError(f"{target} holds something else than prepared faces; give a new folder with --out.")
    target.mkdir(parents=True, exist_ok=True)
    with replacing(target / MANIFEST_FILE) as stream:
        stream.write((",".join(COLUMNS) + "\n").encode())
    with replacing(settings) as stream:
        stream.write((preparation.model_dump_json(indent=1) + "\n").encode())


def _lines(target: Path) -> Iterator[tuple[str, str]]:
    """Photo and outcome of each whole line of the manifest."""
    with (target / MANIFEST_FILE).open(newline="", encoding="utf-8", errors="backslashreplace") as stream:
        lines = csv.DictReader(stream)
        try:
            for line in lines:
                if line.get("eyes") is not None:  # the last line may be cut off
                    yield original(line["photo"]), _end(line["status"], line["reason"])
        except (csv.Error, KeyError, TypeError) as error:
            raise UserError(
                f"{target / MANIFEST_FILE}, line {lines.line_num}, was changed by hand ({error}); restore it, or give "
                "a new folder with --out."
            ) from error


def _end_last_line(manifest: Path) -> None:
    """A line that was cut off by a crash is ended, so that the next one begins on its own; its photo is done again."""
    text = manifest.read_bytes()
    if not text.endswith(b"\n"):
        manifest.write_bytes(text + b"\n")


def _counted(target: Path) -> Counter[str]:
    return Counter(end for _, end in _lines(target))


def _end(status: str, reason: str) -> str:
    return reason or status


def _record(writer: object, counts: Counter[str], outcome: PreparationOutcome) -> None:
    face = outcome.face
    eyes = face is not None and face.left_eye is not None and face.right_eye is not None
    writer.writerow(  # type: ignore[attr-defined] # csv gives its writers no public type
        [
            harmless(outcome.photo),
            outcome.status,
            outcome.faces_written,
            harmless(outcome.reason),
            outcome.faces_found,
            "" if face is None else f"{face.confidence:.4f}",
            "" if face is None else ("eyes" if eyes else "box"),
            "" if face is None else " ".join(f"{value:.1f}" for value in face.box),
            " ".join(f"{value:.1f}" for value in (*(face.left_eye or ()), *(face.right_eye or ()))) if face else "",
        ]
    )
    counts[_end(outcome.status, outcome.reason)] += 1


def _taken_names(photos: Sequence[str]) -> set[str]:
    """Photos whose face would have the name of an earlier photo's: ``a.jpg`` and ``a.png`` both give ``a.png``."""
    seen: dict[str, str] = {}
    return {photo for photo in photos if seen.setdefault(_face_name(photo), photo) != photo}


def _skip_taken(photo: str, taken: set[str]) -> PreparationOutcome | None:
    return PreparationOutcome(storable(photo), "skipped", reason=NAME_TAKEN) if photo in taken else None


def _face_name(photo: str, number: int = 0) -> str:
    stem = photo.rpartition(".")[0]
    return f"{stem}.png" if number == 0 else f"{stem}.face{number + 1}.png"


def _write(file: Path, image: Image.Image) -> None:
    with replacing(file) as stream:
        image.save(stream, "PNG")
