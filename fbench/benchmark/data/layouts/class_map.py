"""The class map of a folder of images, in TOML: which folders are which class, and how images are split.

    root = "photos"                     # below this file's folder; left out: that folder
    leave_out = ["blurred"]             # folders that are no class
    may_show_images = true              # left out: false
    description = "Photos of 2024."
    licence = "CC BY 4.0"
    subject = "(?P<subject>P\\d+)_"     # who is shown, from the file name: then no subject is on two sides
    shares = [0.15, 0.15]               # of the validation and test split, drawn with
    seed = 0

    [classes]                           # in label order
    calm = ["neutral", "relaxed"]
    happy = ["joy", "laugh*", "session*/smile"]

    [splits]                            # in place of shares
    train = ["batch1", "batch2"]
    validation = ["batch3"]
    test = ["batch4"]

Class folders are named from the root or, with ``[splits]``, from the folders named there; all that lies below them
belongs to them. In a name, ``*`` and ``?`` stand for any characters but ``/``.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Annotated, Final, Self

from pydantic import AfterValidator, AliasChoices, Field, model_validator

from fbench.benchmark.data.splits import FLAT_SHARES, SPLIT_SEED
from fbench.core.errors import UserError, did_you_mean
from fbench.core.patterns import PatternError, check_pattern
from fbench.core.schema import FrozenModel, parse, read_toml

MAP_FILE: Final = "fbench_data.toml"
_MOST_CLASSES: Final = 256  # labels are uint8


def _below_the_root(name: str) -> str:
    """A folder's name in its shortest form, without ``./`` and a slash at its end."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or "\0" in name:
        raise UserError(f"the class map names the folder '{name}', which is not below the root; name it from there.")
    return path.as_posix()


def _below_the_file(name: str) -> str:
    """The root, which a map of somebody else must not lay around files that it did not come with."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or name.startswith("~") or "\0" in name:
        raise UserError(
            f"the class map has the root '{name}', which is not below its own folder; put the map beside the images, "
            "or a link to them beside the map."
        )
    return name


Folder = Annotated[str, AfterValidator(_below_the_root)]
Share = Annotated[float, Field(gt=0.0, lt=1.0)]


class Splits(FrozenModel):
    """Folders below the root that hold class folders, by split.

    Attributes:
        train: folders of the training split.
        validation: folders of the split that chooses the epoch.
        test: folders of the split that is read once, at the end.

    Raises:
        UserError: a folder twice, in another one, or not below the root.
    """

    train: tuple[Folder, ...] = Field(min_length=1)
    validation: tuple[Folder, ...] = Field(min_length=1, validation_alias=AliasChoices("validation", "selection"))
    test: tuple[Folder, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _apart(self) -> Self:
        for index, folder in enumerate(self.folders):
            for other in self.folders[index + 1 :]:
                if f"{folder}/".startswith(f"{other}/") or f"{other}/".startswith(f"{folder}/"):
                    raise UserError(
                        f"the class map's splits name '{folder}' and '{other}', which share images; list each folder "
                        "once."
                    )
        return self

    @property
    def folders(self) -> tuple[str, ...]:
        """Those of all splits."""
        return (*self.train, *self.validation, *self.test)


class ClassMap(FrozenModel):
    """Which folders are which class, and how images are split.

    Attributes:
        root: where the images lie, below the map's own folder.
        classes: the folders of each class, in the order of labels; ``*`` and ``?`` stand for any characters but ``/``.
        leave_out: folders that are no class.
        splits: folders of each split, in place of ``shares``.
        shares: of the validation and test split, drawn with ``seed``.
        seed: of that draw.
        subject: a regular expression with a group ``subject`` that finds in a file's name who is shown: then no subject
            is on two sides.
        may_show_images: whether images may stand in a report.
        description: a sentence for readers.
        licence: under which the images are.

    Raises:
        UserError: a folder under two classes, ``splits`` beside ``shares``, a ``root`` that is not below the map's
            folder, or a ``subject`` that is no regular expression.
    """

    root: Annotated[str, AfterValidator(_below_the_file)] = "."
    classes: dict[str, tuple[Folder, ...]] = Field(min_length=2, max_length=_MOST_CLASSES)
    leave_out: tuple[Folder, ...] = ()
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
            check_pattern(self.subject or "")
        except PatternError as error:
            raise UserError(f"the class map's subject '{self.subject}' cannot be used: {error}.") from error
        return self

    def class_of(self, folders: Sequence[str], where: Path) -> str | None:
        """The class of an image that lies in ``folders``, outermost first; None where the map leaves it out.

        Raises:
            UserError: no class or several have it; ``where`` is what the folders were named from.
        """
        if any(_is_within(folders, pattern) for pattern in self.leave_out):
            return None
        found = [
            name for name, patterns in self.classes.items() if any(_is_within(folders, pattern) for pattern in patterns)
        ]
        if len(found) > 1:
            raise UserError(
                f"The class map has {where.joinpath(*folders)} under '{found[0]}' and '{found[1]}'; list it under one "
                "class."
            )
        if not found:
            known = [*(folder for patterns in self.classes.values() for folder in patterns), *self.leave_out]
            raise UserError(
                f"{where} has the folder '{'/'.join(folders)}', which the class map does not list."
                f"{did_you_mean(folders[0], known)} Name it under [classes] or under leave_out."
            )
        return found[0]

    def require_all_found(self, found: set[tuple[str, ...]], where: Path) -> None:
        """See that every folder listed under a class holds images, so that a misspelt one is told.

        Raises:
            UserError: one does not.
        """
        for name, patterns in self.classes.items():
            for pattern in patterns:
                if not any(_is_within(folders, pattern) for folders in found):
                    raise UserError(
                        f"{where} has no image in a folder '{pattern}', which the class map lists under '{name}'; mend "
                        "or remove it."
                    )


def _is_within(folders: Sequence[str], pattern: str) -> bool:
    """Whether one of the folders around an image, given outermost first, is what a pattern names."""
    parts = pattern.split("/")
    return len(parts) <= len(folders) and all(map(fnmatchcase, folders, parts))


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
