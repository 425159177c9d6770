"""A lock on a folder: one process at a time, on one machine or on several that share a file system.

The lock is a file that only one process can create. It says who holds it; while it is held, its time of change is
renewed. A holder that is gone is recognised: on the same machine by its process, elsewhere by a time of change that
lies behind the file server's own clock, so that clocks of machines need not agree.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from fbench.core.bounded import read_json
from fbench.core.contained import ContainedPath
from fbench.core.errors import UserError, readable

LOCK_FILE: Final = "lock.json"
RENEWED_EVERY_S: Final = 20.0
DEAD_AFTER_S: Final = 180.0
"""A holder on another machine that has not renewed its lock for so long is gone; a network file system may show a
change a minute late."""

_WRITTEN_WITHIN_S: Final = 10.0
_SAME_START: Final = 0.0 if sys.platform == "linux" else 2.0
_POLL_S: Final = 1.0


class Holder(NamedTuple):
    """Who holds a lock.

    ``place`` tells machines, boots and containers apart, within which a process id means one process; ``process_start``
    is when the process began, as the system counts, so that an id that was given anew is noticed.
    """

    host: str
    pid: int
    since: str
    place: str
    process_start: float
    token: str

    @property
    def name(self) -> str:
        """In words."""
        return f"process {self.pid} on {readable(self.host)}, since {readable(self.since)}"


@contextmanager
def locked(folder: Path, what: str, *, wait: bool = False) -> Iterator[None]:
    """Hold the lock of a folder, which is made where it is missing.

    ``what`` is locked, such as "The run results/x".

    Raises:
        UserError: another process holds it, and is not waited for; or the lock is a link.
        OSError: the disk refuses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file, holder = folder / LOCK_FILE, _this_process()
    ContainedPath(folder, (LOCK_FILE,)).exists()  # says so where it is a link
    while not _taken(file, holder):
        other = _read(file)
        if _is_gone(other, file):
            _remove(file, other)
        elif other is not None and not wait:
            raise UserError(
                f"{what} is at work in {other.name}; wait for it with --wait, or end that process and run the same "
                "command again."
            )
        else:
            time.sleep(_POLL_S)
    released = threading.Event()
    renewal = threading.Thread(target=_renew, args=(file, holder, released), daemon=True)
    renewal.start()
    try:
        yield
    finally:
        released.set()
        renewal.join()
        if _read(file) == holder:
            with suppress(OSError):  # it says which process held it, and that that is gone
                file.unlink(missing_ok=True)


def _taken(file: Path, holder: Holder) -> bool:
    """Create the lock; whether nobody else had it. A link to a whole file is atomic, over a network too."""
    own = file.with_name(f"{file.name}-{holder.token}")
    try:
        own.write_text(json.dumps(holder._asdict()), encoding="utf-8")
        try:
            os.link(own, file)
        except FileExistsError:
            return False
        except OSError:  # a file system without links
            return _created(file, holder)
        return True
    finally:
        with suppress(OSError):
            own.unlink(missing_ok=True)


def _created(file: Path, holder: Holder) -> bool:
    try:
        stream = file.open("x", encoding="utf-8")
    except FileExistsError:
        return False
    try:
        with stream:
            stream.write(json.dumps(holder._asdict()))
    except OSError:
        file.unlink(missing_ok=True)
        raise
    return True


def _read(file: Path) -> Holder | None:
    """Who holds a lock; none where nobody does, or the file is none of a lock."""
    try:
        holder = Holder(**read_json(ContainedPath(file.parent, (file.name,))))
    except (OSError, ValueError, TypeError, UserError):
        return None
    fits = (str, int, str, str, int | float, str)
    return holder if all(isinstance(one, kind) for one, kind in zip(holder, fits, strict=True)) else None


def _is_gone(other: Holder | None, file: Path) -> bool:
    """Whether nobody holds a lock any more; one without a holder may be about to be written."""
    if other is not None and other.place == _place():
        start = _start_of(other.pid)
        return start is None or abs(start - other.process_start) > _SAME_START
    try:
        age_s = _server_time(file.parent) - file.stat().st_mtime
    except FileNotFoundError:
        return False  # it was released just now
    return age_s > (_WRITTEN_WITHIN_S if other is None else DEAD_AFTER_S)


def _remove(file: Path, dead: Holder | None) -> None:
    """Take a dead holder's lock away, and put it back where another process has been quicker and holds it now."""
    aside = file.with_name(f"{file.name}-{uuid.uuid4().hex}")
    try:
        file.rename(aside)
    except FileNotFoundError:
        return
    if _read(aside) != dead:
        with suppress(OSError):
            os.link(aside, file)
    ContainedPath(aside.parent, (aside.name,)).remove()  # a folder too, which nobody's lock is


def _renew(file: Path, holder: Holder, released: threading.Event) -> None:
    while not released.wait(RENEWED_EVERY_S):
        with suppress(OSError):
            if _read(file) == holder:
                os.utime(file)


def _server_time(folder: Path) -> float:
    """The time now by the clock that stamps files of a folder."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=f"{LOCK_FILE}-") as probe:
        probe.write(b"now")
        probe.flush()
        return os.fstat(probe.fileno()).st_mtime


def _this_process() -> Holder:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    pid = os.getpid()
    return Holder(socket.gethostname(), pid, now, _place(), _start_of(pid) or 0.0, uuid.uuid4().hex)


def _start_of(pid: int) -> float | None:
    """When a process began, in ticks since the system's start on Linux (the time of day there shifts by a second with
    the clock), else in seconds; none where there is no such process, or only what is left of one that has ended."""
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else float(fields[19])  # state and starttime of proc(5)
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.NoSuchProcess:
        return None


def _place() -> str:
    """What tells apart where process ids mean different processes."""
    parts = [socket.gethostname()]
    if sys.platform == "linux":
        with suppress(OSError):
            parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
        with suppress(OSError):
            parts.append(os.readlink("/proc/self/ns/pid"))  # noqa: PTH115 - it is no path
    return " ".join(parts)
