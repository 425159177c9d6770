"""The files of a bundle: which there may be, and all of them read at once, within bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from fbench.benchmark.bundles.findings import said
from fbench.benchmark.bundles.submission import MOST_BUNDLE_BYTES, REPETITIONS, SUBMISSION_FILE, SealedFile
from fbench.core.bounded import read_bytes
from fbench.core.contained import ContainedPath
from fbench.core.errors import UserError, readable

_MOST_FILES: Final = 20_000
_DEEPEST: Final = 10
_ID: Final = "[0-9a-f]{16}"
_PART: Final = r"[A-Za-z_][\w.-]{0,99}"
_FORMS: Final = tuple(
    re.compile(form, re.ASCII)
    for form in (
        r"(?:run|plan|interim_analyses)\.json",
        r"test_readings\.jsonl",
        r"inputs/(?:suite|protocol)\.toml",
        rf"data/{_ID}/audit\.json",
        rf"networks/{_ID}/network\.json",
        rf"costs/{_ID}\.json",
        rf"trials/{_ID}/(?:record\.json|history\.csv|predictions\.npz|sha256\.json)",
        rf"tuning/searches/{_ID}\.json",
        rf"plugins/[0-9a-f]{{64}}/(?:{_PART}/)*{_PART}\.py",
    )
)
_REPETITION: Final = re.compile(rf"{REPETITIONS}/{_ID}-{_ID}\.json", re.ASCII)


def may_be_bundled(name: str) -> bool:
    """Whether a bundle may have a file of this name, from its folder with ``/``, among those that are sealed."""
    return any(form.fullmatch(name) for form in _FORMS)


def is_repetition(name: str) -> bool:
    """Whether a file has the name of a repetition, which is added after a bundle was made."""
    return _REPETITION.fullmatch(name) is not None


def sealed(content: bytes) -> SealedFile:
    """The seal of a file with this content."""
    return SealedFile(sha256=sha256(content).hexdigest(), bytes=len(content))


@dataclass(frozen=True)
class BundleContents:
    """The files of a folder by their names; ``wrong`` says of those that were not read why."""

    files: Mapping[str, bytes]
    wrong: Mapping[str, str] = field(default_factory=dict)

    @property
    def sealed(self) -> dict[str, SealedFile]:
        """The seals of the files that may have one."""
        return {name: sealed(content) for name, content in self.files.items() if may_be_bundled(name)}

    @property
    def repetitions(self) -> dict[str, bytes]:
        """The repetitions among them."""
        return {name: content for name, content in self.files.items() if is_repetition(name)}


def read_contents(folder: ContainedPath) -> BundleContents:
    """Read the files of a bundle; what may not be there is named and not read.

    Raises:
        UserError: they are too many, or have more bytes than a bundle may.
    """
    files: dict[str, bytes] = {}
    wrong: dict[str, str] = {}
    total = 0
    for count, (name, file) in enumerate(_files_below(folder, wrong)):
        if count == _MOST_FILES:
            raise UserError(f"{readable(str(folder))} has more than the {_MOST_FILES:,} files that a bundle may have.")
        if not (name == SUBMISSION_FILE or may_be_bundled(name) or is_repetition(name)):
            wrong[name] = "is no file that a bundle may have; remove it"
            continue
        try:
            files[name] = read_bytes(file, MOST_BUNDLE_BYTES)
        except (OSError, ValueError, UserError) as error:
            wrong[name] = f"cannot be read ({said(error)})"
            continue
        total += len(files[name])
        if total > MOST_BUNDLE_BYTES:
            raise UserError(
                f"{readable(str(folder))} has more than the {MOST_BUNDLE_BYTES:,} bytes that a bundle may have; submit "
                "its networks in several runs."
            )
    return BundleContents(files, wrong)


def _files_below(
    folder: ContainedPath, wrong: dict[str, str], prefix: str = "", depth: int = 0
) -> Iterator[tuple[str, ContainedPath]]:
    for name, is_folder in folder.entries().items():
        whole = f"{prefix}{name}"
        try:
            place = folder / name
        except UserError as error:
            wrong[whole] = said(error)
            continue
        if not is_folder:
            yield whole, place
        elif depth == _DEEPEST:
            wrong[f"{whole}/"] = "lies deeper than any file of a bundle; remove it"
        else:
            yield from _files_below(place, wrong, f"{whole}/", depth + 1)
