"""What a file is that was given for a table or a folder of images, told by its content and never by its name."""

from __future__ import annotations

import bz2
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from fbench.core.errors import UserError

_BLOCK: Final = 512
"""Bytes of a tar header (POSIX.1-1988, ustar); every other kind shows itself in fewer."""
_HEAD: Final = 1 << 20
"""A block of bzip2 holds up to 900,000 bytes and shows nothing until it is whole."""
_NULL_SHARE: Final = 0.1
"""A text with a stray null byte is left to its reader, which names the line."""
UNPACK: Final = "unpack it and give what was in it"
_EXPORT: Final = "export it as CSV with commas, in UTF-8"
_DOWNLOAD: Final = "it was saved in place of the file, as a download without a login does; download the file itself"


@dataclass(frozen=True)
class FileKind:
    """``name`` with its article, such as "a zip archive", and ``remedy``: what to do with it, where something helps."""

    name: str
    remedy: str

    @property
    def is_archive(self) -> bool:
        """Whether other files are to be unpacked from it."""
        return self.remedy == UNPACK


def _archive(name: str) -> FileKind:
    return FileKind(name, UNPACK)


_BY_MAGIC: Final = (
    (b"7z\xbc\xaf\x27\x1c", _archive("a 7z archive")),
    (b"Rar!\x1a\x07", _archive("a RAR archive")),
    (b"\x28\xb5\x2f\xfd", _archive("a Zstandard archive")),
    (b"\x04\x22\x4d\x18", _archive("an LZ4 archive")),
    (b"\x1f\x9d", _archive("a compress (.Z) archive")),
    (b"PAR1", FileKind("a Parquet file", _EXPORT)),
    (b"ARROW1", FileKind("an Arrow (Feather) file", _EXPORT)),
    (b"FEA1", FileKind("a Feather file", _EXPORT)),
    (b"\x93NUMPY", FileKind("a NumPy array", _EXPORT)),
    (b"\x89HDF\r\n\x1a\n", FileKind("an HDF5 file", _EXPORT)),
    (b"MATLAB 5.0 MAT-file", FileKind("a MATLAB file", _EXPORT)),
    (b"SQLite format 3\x00", FileKind("an SQLite database", _EXPORT)),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileKind("an Excel workbook or another file of Microsoft Office", _EXPORT)),
    (b"%PDF-", FileKind("a PDF document", "")),
    (b"\x89PNG\r\n\x1a\n", FileKind("a PNG image", "")),
    (b"\xff\xd8\xff", FileKind("a JPEG image", "")),
    (b"GIF8", FileKind("a GIF image", "")),
    (b"II*\x00", FileKind("a TIFF image", "")),
    (b"MM\x00*", FileKind("a TIFF image", "")),
    (
        b"version https://git-lfs.github.com/spec/",
        FileKind("a pointer of Git LFS", "fetch the file with `git lfs pull`"),
    ),
    (b"/annex/objects/", FileKind("a pointer of git-annex", "fetch the file with `git annex get`")),
)


class _Unpacker(Protocol):
    """Unpacks the beginning of a stream."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        """Up to ``max_length`` bytes of what was packed."""


_COMPRESSIONS: Final[tuple[tuple[bytes, str, Callable[[], _Unpacker]], ...]] = (
    (b"\x1f\x8b", "gzip", partial(zlib.decompressobj, wbits=31)),
    (b"BZh", "bzip2", bz2.BZ2Decompressor),
    (b"\xfd7zXZ\x00", "xz", lzma.LZMADecompressor),
    (b"\x5d\x00\x00", "LZMA", lzma.LZMADecompressor),
)
_BY_TEXT: Final = (
    (re.compile(rb"<!doctype html|<html|<head|<body", re.IGNORECASE), FileKind("a web page (HTML)", _DOWNLOAD)),
    (re.compile(rb"<\?xml|<error>", re.IGNORECASE), FileKind("an XML document", _DOWNLOAD)),
)
_UTF_16: Final = FileKind("text in UTF-16", "save it again as UTF-8")
_BINARY: Final = FileKind("binary and no text", _EXPORT)
_DAMAGED: Final = (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError)


def file_kind(path: Path) -> FileKind | None:
    """What a file is, none where it may be text in UTF-8 or a similar code, or is empty.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    for magic, kind in _BY_MAGIC:
        if head.startswith(magic):
            return kind
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _kind_of_zip(path)
    packed = _kind_of_compressed(head)
    if packed is not None:
        return packed
    if is_tar(head):
        return _archive("a tar archive")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for pattern, kind in _BY_TEXT:
        if pattern.match(start):
            return kind
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _UTF_16
    return _BINARY if head.count(0) > len(head) * _NULL_SHARE else None


def is_tar(head: bytes) -> bool:
    """Whether bytes begin with the header of a member of a tar archive, whose checksum is right."""
    try:
        tarfile.TarInfo.frombuf(head[:_BLOCK], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def require_text(path: Path, wanted: str) -> None:
    """See that a file may be a table; ``wanted`` is an imperative clause on what to give instead.

    Raises:
        UserError: it is a folder, a pipe or a device, empty, or of another kind by its content.
    """
    kind = kind_of_regular(path, wanted)
    if kind is not None:
        remedy = f": {kind.remedy}" if kind.remedy else ""
        raise UserError(f"{path} is {kind.name} by its content{remedy}; {wanted}.")


def kind_of_regular(path: Path, wanted: str) -> FileKind | None:
    """As :func:`file_kind`.

    Raises:
        UserError: it is a folder, a pipe or a device, or empty, or cannot be read.
    """
    try:
        if path.is_dir():
            raise UserError(f"{path} is a folder and no file; {wanted}.")
        if not stat.S_ISREG(path.stat().st_mode):
            raise UserError(f"{path} is a pipe or device, which cannot be read twice; write it to a file and give it.")
        if path.stat().st_size == 0:
            raise UserError(f"{path} is empty; {wanted}.")
        return file_kind(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); check the path and its permissions.") from error


def _kind_of_zip(path: Path) -> FileKind:
    """A zip archive, or one of the formats that are zip archives inside."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, *_DAMAGED):
        return _archive("a zip archive")
    if "xl/workbook.xml" in names:
        return FileKind("an Excel workbook", _EXPORT)
    if "[Content_Types].xml" in names or "mimetype" in names:
        return FileKind("a document of an office program", _EXPORT)
    if names and all(name.endswith(".npy") for name in names):
        return FileKind("a NumPy archive (.npz)", _EXPORT)
    return _archive("a zip archive")


def _kind_of_compressed(head: bytes) -> FileKind | None:
    """A stream of gzip, bzip2, xz or LZMA, and whether a tar archive is in it."""
    for magic, name, unpacker in _COMPRESSIONS:
        if not head.startswith(magic):
            continue
        try:
            inside = unpacker().decompress(head, _BLOCK)
        except _DAMAGED:
            inside = b""
        return _archive(f"a tar archive packed with {name}" if is_tar(inside) else f"a {name} archive")
    return None
