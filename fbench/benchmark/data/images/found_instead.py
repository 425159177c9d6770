"""What lies in a folder in which no images were found: by suffix, and the archives that are still to be unpacked."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Final

from fbench.benchmark.data.file_kinds import file_kind
from fbench.benchmark.data.images.decoding import IMAGE_SUFFIXES
from fbench.benchmark.data.images.image_tree import files_below
from fbench.core.errors import UserError

_MOST_FILES: Final = 10_000
_MOST_LOOKED_INTO: Final = 100
_SHOWN: Final = 5


def found_instead(folder: Path) -> str:
    """A clause in parentheses with a blank before it, such as `` (it holds 2 files .zip; unpack train.zip)``.

    Empty where the folder holds nothing that can be seen.
    """
    try:
        names = [name for name, _, problem in islice(files_below(str(folder), ""), _MOST_FILES) if not problem]
    except UserError:
        return ""
    suffixes = Counter(PurePosixPath(name).suffix.lower() for name in names)
    if not suffixes:
        return " (it holds no file)"
    parts = [_counted(suffix, count) for suffix, count in suffixes.most_common()]
    listed = ", ".join(parts[:_SHOWN]) + (", ..." if len(parts) > _SHOWN else "")
    archives = packed_files(folder, names)
    unpack = f"; unpack {archives[0]}{' and the other archives' if len(archives) > 1 else ''} there" if archives else ""
    return f" (it holds {listed}{unpack})"


def _counted(suffix: str, count: int) -> str:
    return f"{count:,} file{'s' if count > 1 else ''} {suffix or 'without suffix'}"


def packed_files(folder: Path, names: list[str]) -> list[str]:
    """Those of the files that are archives by their content; images and what lies far down the list are not opened."""
    others = [name for name in names if PurePosixPath(name).suffix.lower() not in IMAGE_SUFFIXES]
    return [name for name in others[:_MOST_LOOKED_INTO] if _is_archive(folder / name)]


def _is_archive(file: Path) -> bool:
    try:
        kind = file_kind(file)
    except OSError:
        return False
    return kind is not None and kind.is_archive
