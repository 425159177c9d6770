"""A folder of images with a class map in TOML: which folders are which class, and how images are split.

    root = "photos"                     # beside this file; left out: the file's own folder
    may_show_images = true
    licence = "CC BY 4.0"
    subject = "(?P<subject>P\\d+)_"     # who is shown, from the file name: then no subject is on two sides

    [classes]                           # in label order
    calm = ["neutral", "relaxed"]
    happy = ["joy"]

    [splits]                            # left out: 70/15/15, seeded
    train = ["batch1", "batch2"]
    selection = ["batch3"]
    test = ["batch4"]

Without ``[splits]`` class folders lie in the root; with them, in each of the folders named there. ``leave_out`` lists
folders that are no class.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Final, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from fbench.architectures.errors import UserError, did_you_mean
from fbench.benchmark.data.dataset import SPLITS, ImageDataset, LeftOut
from fbench.benchmark.data.identity import file_key
from fbench.benchmark.data.images.collect import Division, LabelledFiles, collect
from fbench.benchmark.data.images.image_tree import ImageFile, ImageTree, printable, scan_classes
from fbench.benchmark.data.layouts.ck_classes import fold_words
from fbench.benchmark.data.layouts.folders import draw_flat
from fbench.benchmark.data.options import parse_fold
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.data.splits import (
    FLAT_SHARES,
    SPLIT_SEED,
    grouped_folds,
    grouped_split,
    split_of_folds,
    stratified_folds,
    stratified_split,
)
from fbench.benchmark.schema import FrozenModel, parse, read_toml

MAP_FILE: Final = "fbench_data.toml"
Share = Annotated[float, Field(gt=0.0, lt=1.0)]


class Splits(FrozenModel):
    """Folders below the root that hold class folders, by split."""

    train: tuple[str, ...] = Field(min_length=1)
    selection: tuple[str, ...] = Field(min_length=1)
    test: tuple[str, ...] = Field(min_length=1)


class ClassMap(FrozenModel):
    """The TOML file. ``shares`` are those of the selection and test split, drawn with ``seed``.

    Raises:
        UserError: a folder under two classes, ``splits`` beside ``shares``, or a ``subject`` that is no regular
            expression.
    """

    root: str = "."
    classes: dict[str, tuple[str, ...]] = Field(min_length=2)
    leave_out: tuple[str, ...] = ()
    splits: Splits | None = None
    shares: tuple[Share, Share] = FLAT_SHARES
    seed: int = Field(default=SPLIT_SEED, ge=0, lt=2**32)
    subject: str | None = None
    may_show_images: bool = False
    description: str = ""
    licence: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        folders = [folder for names in self.classes.values() for folder in names] + list(self.leave_out)
        twice = [folder for folder in folders if folders.count(folder) > 1]
        if twice:
            raise UserError(f"the class map lists the folder '{twice[0]}' twice; list it under one class.")
        if self.splits is not None and "shares" in self.model_fields_set:
            raise UserError("the class map has 'splits' and 'shares'; keep one of them.")
        if sum(self.shares) >= 1:
            raise UserError(f"the class map has shares of {sum(self.shares):g} in all, so nothing is left to train on.")
        try:
            re.compile(self.subject or "")
        except re.error as error:
            raise UserError(f"the class map's subject '{self.subject}' is no regular expression ({error}).") from error
        return self

    @property
    def class_of_folder(self) -> dict[str, str]:
        """The class of each folder name that is listed under one."""
        return {folder: name for name, folders in self.classes.items() for folder in folders}


def load_class_map(file: Path) -> ClassMap:
    """Read a class map.

    Raises:
        UserError: the file is missing, no TOML, or has a wrong or unknown key.
    """
    try:
        return parse(ClassMap, read_toml(file), str(file))
    except UserError as error:
        text = str(error)
        raise UserError(text if str(file) in text else f"{file}: {text}") from error


def scan_class_map(file: Path, settings: ClassMap) -> ImageTree:
    """List the images below the root of a class map.

    Raises:
        UserError: the root or a folder of a split is missing.
    """
    root = (file.parent / Path(settings.root).expanduser()).resolve()
    tops = [top for split in SPLITS for top in getattr(settings.splits, split)] if settings.splits else ["."]
    for top in tops:
        if not (root / top).is_dir():
            raise UserError(f"{file} names the folder {root / top}, which is not there; mend root or splits.")
    return scan_classes(root, [root / top for top in tops], ignored=file.name)


def class_map_key(file: Path) -> str | None:
    """What identifies the content: the class map, and the images that it finds."""
    key = scan_class_map(file, load_class_map(file)).key
    return None if key is None else f"{file_key(file)} {key}"


def read_class_map(file: Path, reference: DataReference) -> ImageDataset:
    """Read the images that a class map describes, ordered by split, then file name.

    Raises:
        UserError: see :func:`load_class_map`; a folder that the map does not know, a file name without a subject, or
            no usable image.
    """
    settings = load_class_map(file)
    tree = scan_class_map(file, settings)
    class_of = settings.class_of_folder
    classes = tuple(settings.classes)
    known = {*class_of, *settings.leave_out}
    for folder in tree.class_folders[None]:
        if folder not in known:
            raise UserError(
                f"{tree.root} has the folder '{folder}', which {file.name} does not list.{did_you_mean(folder, known)} "
                "Name it under [classes] or under leave_out."
            )
    files = tuple(item for item in tree.files if item.class_folder in class_of)
    labels = np.array([classes.index(class_of[item.class_folder]) for item in files], np.uint8)
    unused = [item.relative for item in tree.files if item.class_folder not in class_of]
    left_out = list(tree.left_out)
    if unused:
        left_out.append(LeftOut(reason="lies in a folder that the class map leaves out", names=printable(unused)))
    labelled = LabelledFiles(tree.root, files, labels, classes, tuple(left_out))
    divide = partial(_divide, settings, tree.root, reference)
    return collect(labelled, reference.label, divide, may_show_images=settings.may_show_images)


def _divide(
    settings: ClassMap, root: Path, reference: DataReference, files: Sequence[ImageFile], labels: npt.NDArray[np.uint8]
) -> Division:
    subjects = [_subject(settings.subject, root, file) for file in files] if settings.subject else None
    about = f"{settings.description} " if settings.description else ""
    about += f"Licence: {settings.licence}. " if settings.licence else ""
    split, how = _split(settings, reference, files, labels, subjects)
    return Division(split, f"{about}{len(labels)} images by a class map: {how}", subjects)


def _split(
    settings: ClassMap,
    reference: DataReference,
    files: Sequence[ImageFile],
    labels: npt.NDArray[np.uint8],
    subjects: list[str] | None,
) -> tuple[npt.NDArray[np.uint8], str]:
    if "fold" in reference.options:
        fold, folds = parse_fold(reference.options["fold"])
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
        tops = {top: index for index, split in enumerate(SPLITS) for top in getattr(settings.splits, split)}
        found = [next(index for top, index in tops.items() if file.relative.startswith(f"{top}/")) for file in files]
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
    match = re.search(pattern, file.file_name)
    if match is None:
        raise UserError(
            f"{root / file.relative} does not tell its subject by '{pattern}'; mend the class map's subject or rename "
            "the file."
        )
    groups = match.groupdict()
    return str(groups.get("subject") or (match.group(1) if match.groups() else match.group(0)))
