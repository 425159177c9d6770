"""Labelled image files to a data set: decode, leave out what cannot be used, split, order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import SPLITS, ImageDataset, LeftOutImages
from fbench.benchmark.data.file_kinds import file_kind
from fbench.benchmark.data.images.decoding import decode_images
from fbench.benchmark.data.images.forms import shape_of
from fbench.benchmark.data.images.found_instead import found_instead
from fbench.benchmark.data.images.image_tree import ImageFile, printable
from fbench.core.errors import UserError

NO_OPTIONS: Final[Mapping[str, str]] = {}


@dataclass(frozen=True)
class LabelledFiles:
    """N image files below ``root`` with their labels (N,), and what the source had besides."""

    root: Path
    files: tuple[ImageFile, ...]
    labels: npt.NDArray[np.uint8]
    class_names: tuple[str, ...]
    left_out: tuple[LeftOutImages, ...] = ()


@dataclass(frozen=True)
class Division:
    """How the usable files are split: the split of each (N,), the sentence that says so, and subjects where known."""

    split: npt.NDArray[np.uint8]
    sentence: str
    subjects: Sequence[str] | None = None


def collect(
    found: LabelledFiles,
    name: str,
    divide: Callable[[Sequence[ImageFile], npt.NDArray[np.uint8]], Division],
    *,
    in_split_order: bool = True,
    may_show_images: bool = False,
    options: Mapping[str, str] = NO_OPTIONS,
) -> ImageDataset:
    """Read the files; ``divide`` splits those that can be used, given with their labels.

    Images are uint8 (N, C, H, W) of the shape that :func:`shape_of` finds by the options, ordered by split and then as
    given, or as given alone; sample ids are relative paths. Files that give no image are left out by reason.

    Raises:
        UserError: no file gives an image, a class has none to train on, or a split is empty.
    """
    if not found.files:
        raise UserError(
            f"{found.root} has no image in a class folder{found_instead(found.root)}; give a folder that holds class "
            "folders."
        )
    paths = [found.root / file.relative for file in found.files]
    decoded = decode_images(paths, shape_of(paths, options))
    if not decoded.usable.any():
        raise UserError(
            f"None of the {len(found.files)} image files of {found.root} can be used, most of them because each "
            f"{_commonest(decoded.reasons)}{_first_kind(found)}; take a fresh copy of them."
        )
    files = [file for file, usable in zip(found.files, decoded.usable.tolist(), strict=True) if usable]
    labels = found.labels[decoded.usable]
    division = divide(files, labels)
    _require_images(found, labels, division.split)
    order = np.argsort(division.split, kind="stable") if in_split_order else np.arange(len(files))
    left_out = (*found.left_out, *_by_reason(found.files, decoded.reasons))
    return ImageDataset(
        name=name,
        images=decoded.pixels[order],
        labels=labels[order],
        split=division.split[order],
        sample_ids=np.array(printable([files[row].relative for row in order])),
        class_names=found.class_names,
        may_show_images=may_show_images,
        synthetic=False,
        description=division.sentence + decoded.sentence + sentences_of(left_out),
        subjects=None if division.subjects is None else np.array(division.subjects)[order],
        conversion=decoded.conversion,
        left_out=left_out,
    )


def sentences_of(left_out: Sequence[LeftOutImages]) -> str:
    """What was left out, for a description: a sentence for each reason."""
    return "".join(
        f" {len(part.names)} file{'s were' if len(part.names) > 1 else ' was'} left out: each {part.reason}."
        for part in left_out
    )


def _by_reason(files: Sequence[ImageFile], reasons: dict[int, str]) -> list[LeftOutImages]:
    names: dict[str, list[str]] = {}
    for row, reason in reasons.items():
        names.setdefault(reason, []).append(files[row].relative)
    return [LeftOutImages(reason=reason, names=printable(found)) for reason, found in names.items()]


def _commonest(reasons: dict[int, str]) -> str:
    given = list(reasons.values())
    return max(dict.fromkeys(given), key=given.count)


def _first_kind(found: LabelledFiles) -> str:
    """What the first of the files is instead of an image, where its content tells."""
    try:
        kind = file_kind(found.root / found.files[0].relative)
    except OSError:
        return ""
    return f" ({found.files[0].file_name} is {kind.name}: {kind.remedy})" if kind and "image" not in kind.name else ""


def _require_images(found: LabelledFiles, labels: npt.NDArray[np.uint8], split: npt.NDArray[np.uint8]) -> None:
    for index, split_name in enumerate(SPLITS):
        if not np.any(split == index):
            raise UserError(f"{found.root} has no usable image for the {split_name} split; add some.")
    learned = set(labels[split == SPLITS.index("train")].tolist())
    for label, class_name in enumerate(found.class_names):
        if label not in learned:
            alike = [other for other in found.class_names if other.casefold() == class_name.casefold() != other]
            case = f", which differs from '{alike[0]}' in case alone" if alike and alike[0] != class_name else ""
            raise UserError(
                f"{found.root} has no usable training image of the class '{class_name}'{case}; add some, or take its "
                "folder away."
            )
