"""What the command line needs of the process that it is started in, set before anything else is loaded."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from fbench.core.capacity import library_threads
from fbench.core.errors import UserError

if TYPE_CHECKING:
    from typing_extensions import Buffer


def require_working_folder() -> None:
    """See that there is a folder to work in; libraries fail without one in words of their own.

    Raises:
        UserError: it was removed.
    """
    try:
        Path.cwd()
    except OSError as error:
        raise UserError(
            f"The working folder cannot be used ({error.strerror}); change to a folder that is there and give the "
            "command again."
        ) from error


def keep_to_quota() -> None:
    """Tell OpenMP, before a library loads it, how many threads a quota of CPU time leaves; it knows affinity alone."""
    threads = library_threads()
    if threads is not None:
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))


def mend_streams() -> None:
    """Let every text be printed: to nowhere where a stream is closed or its reader has left, escaped where its encoding
    lacks a character.

    Python sets a stream to None that is closed from the start, and encodes as the locale says: ASCII in the locale C
    where UTF-8 mode is off, a code page in a pipe on Windows. Names of files and classes are of any alphabet, and some
    are no text.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open until the end
            continue
        if not isinstance(stream, io.TextIOWrapper):
            continue
        if stream.errors in {"strict", "surrogateescape"}:
            stream.reconfigure(errors="backslashreplace")
        if isinstance(getattr(stream.buffer, "raw", stream.buffer), io.FileIO):  # unbuffered it has no other
            setattr(sys, name, _to_whoever_reads(stream))


class _Unread(io.FileIO):
    """A stream that goes nowhere once its reader has left, as ``head`` does: the command goes on, and its exit code is
    that of its work."""

    def write(self, content: Buffer, /) -> int:
        try:
            return super().write(content)
        except BrokenPipeError:
            _to_nowhere(self.fileno())
            return super().write(content)


def _to_whoever_reads(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Unread(stream.fileno(), "wb", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def end_output() -> None:
    """Write what is still to be written to the standard streams, while there is somebody to be told that it cannot be.

    Raises:
        OSError: it cannot; what is left is dropped, so that Python does not try again at its own end.
    """
    failures = []
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            failures.append(error)
            with suppress(OSError, ValueError):  # a stream of a test has no descriptor
                _to_nowhere(stream.fileno())
    if failures:
        raise failures[0]


def _to_nowhere(descriptor: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)
