"""Options that follow a data set's name, as in ``ck48:fold=3/10=PATH``."""

from __future__ import annotations

import re
from typing import Final, Literal

from fbench.core.errors import UserError
from fbench.core.schema import FrozenModel

_FOLD: Final = re.compile(r"(?P<fold>\d+)/(?P<folds>\d+)", re.ASCII)
OWN: Final = "own"
LEAST_SIZE, MOST_SIZE = 8, 1024
LEAST_FOLDS: Final = 3
"""One part tests, another selects, and something must be left to train on."""


class DataOption(FrozenModel):
    """An option of a data set: its name, what it does, and its values, the first of them the default.

    ``allowed`` is empty where the values follow a ``form`` of their own: ``K/N``, or a number of pixels beside ``own``.
    ``default`` is then what holds where none is given, if anything does.
    """

    name: str
    help: str
    allowed: tuple[str, ...] = ()
    form: Literal["K/N", "PIXELS"] = "K/N"
    default: str = ""

    @property
    def usual(self) -> str:
        """The value that holds where none is given; empty where none does."""
        return self.allowed[0] if self.allowed else self.default

    def check(self, value: str) -> None:
        """See that a value is one of those allowed.

        Raises:
            UserError: it is not.
        """
        if self.allowed and value not in self.allowed:
            raise UserError(f"The data option {self.name}={value} is unknown; allowed: {', '.join(self.allowed)}.")
        if self.allowed:
            return
        if self.form == "K/N":
            parse_fold(value)
        elif value != OWN and not (value.isascii() and value.isdigit() and LEAST_SIZE <= int(value) <= MOST_SIZE):
            raise UserError(
                f"The data option {self.name}={value} is no size; give {LEAST_SIZE} to {MOST_SIZE} pixels, or {OWN}."
            )


FOLD: Final = DataOption(
    name="fold",
    help="part K of N tests, the next one selects, the rest trains",
)
BY_FRAME: Final = "by_frame"
SPLIT: Final = DataOption(
    name="split",
    allowed=("by_subject", BY_FRAME),
    help="by_subject: no subject is on two sides (no group of alike frames, where no subject is told); by_frame: "
    "frames of one subject train and test, as in many papers, which measures memory",
)
COPIES: Final = DataOption(
    name="copies",
    allowed=("keep", "removed", "size_matched"),
    help="training and validation images that are exact copies of a test image: keep them; removed; or keep "
    "them and leave out as many others of the same class and split, drawn with seed 0 (the control for size)",
)


SIZE: Final = DataOption(
    name="size",
    form="PIXELS",
    default=OWN,
    help="images become N x N pixels; own: as they are, where all are square and of one size up to 128, else 48",
)
CHANNELS: Final = DataOption(
    name="channels",
    allowed=(OWN, "gray", "rgb"),
    help="gray or rgb; own: rgb where most images are in colour",
)
GRAY_CHANNELS: Final = DataOption(name="channels", allowed=("gray", "rgb"), help="gray or rgb")
GRAY_SIZE: Final = DataOption(name="size", form="PIXELS", default="48", help="images become N x N pixels")


def parse_fold(value: str) -> tuple[int, int]:
    """Read ``K/N`` as (K, N), K counted from 1.

    Raises:
        UserError: it is not of that form, N is below 3, or K is not among 1 to N.
    """
    match = _FOLD.fullmatch(value)
    if match is None or not 1 <= int(match["fold"]) <= int(match["folds"]) or int(match["folds"]) < LEAST_FOLDS:
        raise UserError(
            f"The data option fold={value} is not of the form K/N; write fold=1/10 for the first of ten parts, with "
            f"at least {LEAST_FOLDS}."
        )
    return int(match["fold"]), int(match["folds"])
