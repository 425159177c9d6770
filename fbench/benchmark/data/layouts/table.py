"""The layouts in which each data set is found on disk: one table for all, tried in order."""

from __future__ import annotations

from typing import Final

from fbench.benchmark.data.layouts.csv_layouts import find_ckplus_csv, find_fer2013_csv, find_ferplus
from fbench.benchmark.data.layouts.image_layouts import (
    find_ckplus,
    find_class_map,
    find_fer2013_folders,
    find_folders,
    find_imed,
    find_rafdb,
)
from fbench.benchmark.data.layouts.readable import Layout

LAYOUTS: Final[dict[str, tuple[Layout, ...]]] = {
    "fer2013": (
        Layout("fer2013-csv", 2, find_fer2013_csv),
        Layout("fer2013-folders", 2, find_fer2013_folders),
    ),
    "ferplus": (Layout("ferplus", 1, find_ferplus),),
    "ck48": (Layout("ckplus-folders", 2, find_ckplus), Layout("ckplus-csv", 1, find_ckplus_csv)),
    "imed": (Layout("imed-folders", 1, find_imed),),
    "rafdb": (Layout("rafdb-basic", 1, find_rafdb),),
    "folder": (Layout("class-map", 1, find_class_map), Layout("class-folders", 2, find_folders)),
}
"""The embedded data set has none, and a cleaned index is read through its source's."""
