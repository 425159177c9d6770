"""How the C library's allocator treats freed memory while a network trains on a CPU."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# Parameters of mallopt(3), from malloc.h.
_TRIM_THRESHOLD: Final = -1
_TOP_PAD: Final = -2
_MMAP_THRESHOLD: Final = -3
_MMAP_MAX: Final = -4
_ARENA_MAX: Final = -8

_KEEPING: Final = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, -1), (_TOP_PAD, 1 << 20))
_RETURNING: Final = ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, 64 << 10), (_TRIM_THRESHOLD, 0), (_TOP_PAD, 0))

_WORTH_RETURNING: Final = 128 << 20
"""Bytes. Returning fewer costs a small trial 5 ms, and as much again to get them back."""

_USUAL: Final = ((_MMAP_MAX, 65536), (_TRIM_THRESHOLD, _WORTH_RETURNING), (_TOP_PAD, 128 << 10))
"""As glibc has them, but that what the block has left goes back only where it is worth it: else the next small thing
that is freed gives it all back."""

_TUNABLES: Final = "GLIBC_TUNABLES"
_HUGE_PAGES: Final = "glibc.malloc.hugetlb"


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Within the block, freed memory stays with the process for the next step; then much of it goes back.

    By default glibc returns every freed activation to the system, which hands it out again page by page, cleared:
    ``results/training/cpu_choices.csv`` has what keeping it brings. Resident memory is up to 1.4 times what it would
    be (ARCH-1 at batch 128: 835 and 675 MiB) and stays there. Nothing about a result changes. On systems without
    glibc the block does nothing.
    """
    library = _glibc()
    if library is None:
        yield
        return
    for parameter, value in _KEEPING:
        library.mallopt(parameter, value)
    try:
        yield
    finally:
        for parameter, value in _USUAL:
            library.mallopt(parameter, value)
        if _freed_bytes(library) >= _WORTH_RETURNING:
            library.malloc_trim(0)


@contextmanager
def huge_pages_in_new_processes() -> Iterator[None]:
    """Processes that are started within the block ask for memory in huge pages, as only the environment can tell glibc.

    A step of IRes then takes 5 % less time, one of ARCH-1 as long (``results/training/cpu_choices.csv``); nothing about
    a result changes. What the user has set for glibc stays; where there is no glibc, or no huge pages, nothing happens.
    """
    before = os.environ.get(_TUNABLES)
    if before is None or _HUGE_PAGES not in before:
        os.environ[_TUNABLES] = ":".join(part for part in (before, f"{_HUGE_PAGES}=1") if part)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_TUNABLES, None)
        else:
            os.environ[_TUNABLES] = before


def return_freed_memory() -> None:
    """From now on this process gives every freed tensor back to the system at once, so that its resident set is what it
    needs. Otherwise holes between tensors, which differ from process to process, are counted too."""
    library = _glibc()
    if library is not None:
        for parameter, value in _RETURNING:
            library.mallopt(parameter, value)


class _MallocInfo(ctypes.Structure):
    """What mallinfo2(3) gives; ``fordblks`` are the bytes that are free and still the process's."""

    _fields_ = (
        *((name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks")),
        *((name, ctypes.c_size_t) for name in ("fsmblks", "uordblks", "fordblks", "keepcost")),
    )


def _freed_bytes(library: ctypes.CDLL) -> int:
    """How many bytes could go back to the system; all there are where glibc, before 2.33, does not say."""
    if not hasattr(library, "mallinfo2"):
        return _WORTH_RETURNING
    library.mallinfo2.restype = _MallocInfo
    return int(library.mallinfo2().fordblks)


def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018 - a missing symbol raises: musl has mallopt in name only
    except (OSError, AttributeError):
        return None
    return library
