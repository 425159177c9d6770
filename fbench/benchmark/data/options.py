"""Options that follow a data set's name, as in ``ck48:fold=3/10=PATH``."""

from __future__ import annotations

import re
from typing import Final

from fbench.core.errors import UserError
from fbench.core.schema import FrozenModel

_FOLD: Final = re.compile(r"(?P<fold>\d+)/(?P<folds>\d+)", re.ASCII)
LEAST_FOLDS: Final = 3
"""One part tests, another selects, and something must be left to train on."""


class DataOption(FrozenModel):
    """An option of a data set: its name, what it does, and its values, the first of them the default.

    ``allowed`` is empty where the values follow a form of their own (folds).
    """

    name: str
    help: str
    allowed: tuple[str, ...] = ()

    def check(self, value: str) -> None:
        """See that a value is one of those allowed.

        Raises:
            UserError: it is not.
        """
        if self.allowed and value not in self.allowed:
            raise UserError(f"The data option {self.name}={value} is unknown; allowed: {', '.join(self.allowed)}.")
        if not self.allowed:
            parse_fold(value)


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
