"""What is drawn anew in an interval, in words: images, or the subjects or groups of copies that they belong to."""

from __future__ import annotations

from typing import Final

from fbench.benchmark.records.specs import DataUnit
from fbench.reports.formatting import plural

NEW_UNITS: Final[dict[DataUnit, str]] = {
    "images": "new images",
    "subjects": "new subjects",
    "copies": "new groups of copies",
}
"""What an interval is for beside new seeds. A group of copies may be of one image."""

UNITS: Final[dict[DataUnit, str]] = {"images": "images", "subjects": "subjects", "copies": "groups of copies"}

_NOUNS: Final[dict[DataUnit, tuple[str, str]]] = {
    "images": ("image", "images"),
    "subjects": ("subject", "subjects"),
    "copies": ("group of copies", "groups of copies"),
}


def units(amount: int, unit: DataUnit) -> str:
    """The amount with its noun: ``18 subjects``."""
    return plural(amount, *_NOUNS[unit])


def heading_of(heading: str, unit: DataUnit) -> str:
    """The heading of a measure, which is of images, for what is drawn anew: ``New images`` as ``New subjects``."""
    return heading.replace("ew images", NEW_UNITS[unit].removeprefix("n"))
