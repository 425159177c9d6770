"""What the command line needs of the process that it is started in, set before anything else is loaded."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from pathlib import Path

from fbench.core.capacity import library_threads
from fbench.core.errors import UserError


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
    """Let every text be printed: to nowhere where a stream is closed, escaped where its encoding lacks a character.

    Python sets a stream to None that is closed from the start, and encodes as the locale says: ASCII in the locale C
    where UTF-8 mode is off, a code page in a pipe on Windows. Names of files and classes are of any alphabet, and some
    are no text.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open until the end
        elif isinstance(stream, io.TextIOWrapper) and stream.errors in {"strict", "surrogateescape"}:
            stream.reconfigure(errors="backslashreplace")


def end_output() -> None:
    """Write what is still to be written to standard output, while there is somebody to be told that it cannot be.

    Raises:
        OSError: it cannot; what is left is dropped, so that Python does not try again at its own end.
    """
    try:
        sys.stdout.flush()
    except OSError:
        leave_output()
        raise


def leave_output() -> None:
    """Let whatever is still printed go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with suppress(OSError, ValueError):  # a stream of a test has no descriptor
        os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def reader_has_left(error: BaseException) -> bool:
    """Whether an error, or the exit that the argument parser makes of it, is that of a pipe that nobody reads."""
    return isinstance(error, BrokenPipeError) or isinstance(error.__context__, BrokenPipeError)
