"""The images that a class map describes: their labels, subjects and splits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.data.dataset import SPLITS, ImageDataset, LeftOutImages
from fbench.benchmark.data.identity import file_key
from fbench.benchmark.data.images.collect import Division, LabelledFiles, collect
from fbench.benchmark.data.images.image_tree import ImageFile, ImageTree, printable, scan_classes
from fbench.benchmark.data.layouts.ck_classes import fold_words
from fbench.benchmark.data.layouts.class_folders import draw_flat
from fbench.benchmark.data.layouts.class_map import ClassMap, load_class_map
from fbench.benchmark.data.source import ResolvedReference
from fbench.benchmark.data.splits import (
    FLAT_SHARES,
    SPLIT_SEED,
    grouped_folds,
    grouped_split,
    split_of_folds,
    stratified_folds,
    stratified_split,
)
from fbench.core.errors import UserError
from fbench.core.patterns import PatternError, search

LEFT_OUT: Final = "lies in a folder that the class map leaves out"


def scan_class_map(file: Path, settings: ClassMap) -> ImageTree:
    """List the images below the root of a class map.

    Raises:
        UserError: the root or a folder of a split is missing.
    """
    root = (file.parent / settings.root).resolve()
    tops = settings.splits.folders if settings.splits else (".",)
    for top in tops:
        if not (root / top).is_dir():
            raise UserError(f"{file} names the folder {root / top}, which is not there; mend root or splits.")
    return scan_classes(root, [root / top for top in tops], ignored=file.name)


def class_map_key(file: Path) -> str | None:
    """What identifies the content: the class map, and the images that it finds."""
    key = scan_class_map(file, load_class_map(file)).key
    return None if key is None else f"{file_key(file)} {key}"


def read_class_map(file: Path, reference: ResolvedReference) -> ImageDataset:
    """Read the images that a class map describes, ordered by split, then file name.

    Raises:
        UserError: see :func:`load_class_map`; a folder that the map does not know, a file name without a subject, or
            no usable image.
    """
    settings = load_class_map(file)
    tree = scan_class_map(file, settings)
    folders_of = {item: _folders(item, settings) for item in tree.files}
    class_of = {folders: settings.class_of(folders, tree.root) for folders in folders_of.values()}
    settings.require_all_found(set(class_of), tree.root)
    classes = tuple(settings.classes)
    files, labels, unused = [], [], []
    for item in tree.files:
        name = class_of[folders_of[item]]
        if name is None:
            unused.append(item.relative)
        else:
            files.append(item)
            labels.append(classes.index(name))
    left_out = [*tree.left_out]
    if unused:
        left_out.append(LeftOutImages(reason=LEFT_OUT, names=printable(unused)))
    labelled = LabelledFiles(tree.root, tuple(files), np.array(labels, np.uint8), classes, tuple(left_out))
    divide = partial(_divide, settings, tree.root, reference)
    return collect(
        labelled,
        reference.label,
        divide,
        may_show_images=settings.may_show_images,
        options=reference.options,
    )


def _folders(file: ImageFile, settings: ClassMap) -> tuple[str, ...]:
    """The folders around an image, outermost first, from the root or the folder of its split."""
    top = _top(file, settings)
    below = file.relative if top is None else file.relative.removeprefix(f"{top}/")
    return tuple(below.split("/")[:-1])


def _top(file: ImageFile, settings: ClassMap) -> str | None:
    """The folder of a split that an image lies in, where splits are folders; these lie apart."""
    tops = settings.splits.folders if settings.splits else ()
    return next((top for top in tops if file.relative.startswith(f"{top}/")), None)


def _divide(
    settings: ClassMap,
    root: Path,
    reference: ResolvedReference,
    files: Sequence[ImageFile],
    labels: npt.NDArray[np.uint8],
) -> Division:
    subjects = [_subject(settings.subject, root, file) for file in files] if settings.subject else None
    about = f"{settings.description} " if settings.description else ""
    about += f"Licence: {settings.licence}. " if settings.licence else ""
    split, how = _split(settings, reference, files, labels, subjects)
    return Division(split, f"{about}{len(labels)} images by a class map: {how}", subjects)


def _split(
    settings: ClassMap,
    reference: ResolvedReference,
    files: Sequence[ImageFile],
    labels: npt.NDArray[np.uint8],
    subjects: list[str] | None,
) -> tuple[npt.NDArray[np.uint8], str]:
    if reference.fold is not None:
        fold, folds = reference.fold
        if settings.splits is not None:
            raise UserError(
                f"The class map has splits of its own, so fold={fold}/{folds} does not apply; leave it out."
            )
        parts = (
            stratified_folds(labels, folds, settings.seed)
            if subjects is None
            else grouped_folds(_enough(subjects, folds), labels, folds, settings.seed)
        )
        kind = "no subject is on two sides" if subjects else "images of one person may be on several sides"
        return split_of_folds(parts, fold, folds), f"{fold_words(fold, folds)} (seed {settings.seed}; {kind})."
    if settings.splits is not None:
        index_of: dict[str | None, int] = {
            top: index for index, split in enumerate(SPLITS) for top in getattr(settings.splits, split)
        }
        found = [index_of[_top(file, settings)] for file in files]
        return np.array(found, np.uint8), "split by the folders that it names."
    if subjects is not None:
        split = grouped_split(_enough(subjects, len(SPLITS)), labels, settings.shares, settings.seed)
        return split, f"split by subject, drawn with seed {settings.seed}; no subject is on two sides."
    if settings.shares == FLAT_SHARES and settings.seed == SPLIT_SEED:
        return draw_flat(labels)
    shares = " and ".join(f"{share:.0%}" for share in settings.shares)
    return stratified_split(labels, settings.shares, settings.seed), (
        f"{shares} of each class select and test, drawn with seed {settings.seed}."
    )


def _enough(subjects: list[str], parts: int) -> list[str]:
    if len(set(subjects)) < parts:
        raise UserError(
            f"The class map finds {len(set(subjects))} subjects for {parts} parts; give more, or no subject."
        )
    return subjects


def _subject(pattern: str, root: Path, file: ImageFile) -> str:
    try:
        match = search(pattern, file.file_name)
    except PatternError as error:
        raise UserError(
            f"The class map's subject '{pattern}' cannot be used on {root / file.relative}: {error}."
        ) from error
    groups = match.groupdict() if match else {}
    told = groups.get("subject") or (match[1 if match.re.groups else 0] if match else None)
    if not told:
        raise UserError(
            f"{root / file.relative} does not tell its subject by '{pattern}'; mend the class map's subject or rename "
            "the file."
        )
    return str(told)
