"""What is drawn anew in an interval, in words: images, or the subjects, sequences or groups of copies of these."""

from __future__ import annotations

from typing import Final

from fbench.benchmark.records.specs import DataUnit
from fbench.reports.formatting import plural

NEW_UNITS: Final[dict[DataUnit, str]] = {
    "images": "new images",
    "subjects": "new subjects",
    "known_subjects": "new frames of known subjects",
    "sequences": "new sequences",
    "copies": "new groups of copies",
}
"""What an interval is for beside new seeds. A group of copies may be of one image; a known subject is in training too,
so that nothing is said of new people."""

UNITS: Final[dict[DataUnit, str]] = {
    "images": "images",
    "subjects": "subjects",
    "known_subjects": "known subjects",
    "sequences": "sequences",
    "copies": "groups of copies",
}

_NOUNS: Final[dict[DataUnit, tuple[str, str]]] = {
    "images": ("image", "images"),
    "subjects": ("subject", "subjects"),
    "known_subjects": ("known subject", "known subjects"),
    "sequences": ("sequence", "sequences"),
    "copies": ("group of copies", "groups of copies"),
}


def units(amount: int, unit: DataUnit) -> str:
    """The amount with its noun: ``18 subjects``."""
    return plural(amount, *_NOUNS[unit])


def heading_of(heading: str, unit: DataUnit) -> str:
    """The heading of a measure, which is of images, for what is drawn anew: ``New images`` as ``New subjects``."""
    return heading.replace("ew images", NEW_UNITS[unit].removeprefix("n"))
