"""Where a node keeps what it needs for trials: a folder of the user's in the system's temporary one.

Processes of one node share the data, and have a folder each for all else. That of a process which was killed goes when
another begins; the data go when no process is left that may read them.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import numpy.typing as npt

from fbench.architectures.plugin_sources import PluginSources
from fbench.benchmark.clusters.parcel import SentPlugin
from fbench.benchmark.data.cache import DAMAGED
from fbench.benchmark.data.loaded import read_sent
from fbench.benchmark.workers.messages import NoMessageError
from fbench.core.files import replacing

_ALIVE: Final = "alive"
_DATA: Final = "data"


class NodeFolder:
    """The folder of this process on its node; others of the user's lie beside it."""

    def __init__(self) -> None:
        self._root = _root()
        with _held(self._root / "lock", wait=True) as held:
            if held:
                _remove_left(self._root)
            self.path = self._root / f"process-{uuid.uuid4().hex}"
            self.path.mkdir(mode=0o700)
            self._alive = _locked(self.path / _ALIVE)
        (self.path / "scratch").mkdir()

    @property
    def scratch(self) -> Path:
        """Where trials leave their files."""
        return self.path / "scratch"

    @property
    def logs(self) -> Path:
        """Where worker processes write their logs."""
        return self.path / "logs"

    @property
    def checkpoints(self) -> Path:
        """Where the checkpoints lie that trials go on from."""
        return self.path / "checkpoints"

    def remove(self) -> None:
        """Remove the folder; its process ends."""
        self.let_go()
        shutil.rmtree(self.path, ignore_errors=True)

    def let_go(self) -> None:
        """Let the folder be taken for that of a process that is no more, as the system does at its end."""
        if self._alive is not None:
            self._alive.close()

    def keep_checkpoint(self, trial_id: str, content: bytes) -> None:
        """Put the checkpoint of a trial where it goes on from it, or none.

        Raises:
            OSError: the disk refuses.
        """
        file = self.checkpoints / f"{trial_id}.safetensors"
        if content:
            with replacing(file) as stream:
                stream.write(content)
        else:
            file.unlink(missing_ok=True)

    def keep_plugin(self, plugin: SentPlugin) -> PluginSources:
        """Write the files of a plug-in, once.

        Raises:
            OSError: the disk refuses.
            NoMessageError: they are not what was sent.
        """
        folder = self.path / "plugins" / plugin.digest
        sources = plugin.sources(folder)
        if not folder.exists():
            unfinished = folder.with_name(f"{plugin.digest}-unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            sources.written_to(unfinished)
            unfinished.rename(folder)
        return sources

    def keep_data(self, content: npt.NDArray[np.uint8], fingerprint: str) -> Path:
        """Write a data set that was sent, once a node, and see that it is that of the fingerprint; its file.

        Raises:
            OSError: the disk refuses.
            NoMessageError: it is another, or damaged.
        """
        file = self._root / _DATA / f"{fingerprint}.npz"
        with _held(self._root / "data-lock", wait=True):
            if not file.exists():
                file.parent.mkdir(exist_ok=True)
                unfinished = self.path / "data.npz"
                unfinished.write_bytes(content.data)
                try:
                    found = read_sent(unfinished).fingerprint
                except DAMAGED as error:
                    raise NoMessageError(f"the data arrived damaged: {error}") from error
                if found != fingerprint:
                    raise NoMessageError("other data arrived than were sent")
                unfinished.replace(file)
        return file


def _root() -> Path:
    """The folder of this user's; a new one where somebody else has made that.

    Raises:
        OSError: the disk refuses.
    """
    user = os.getuid() if hasattr(os, "getuid") else "user"
    root = Path(tempfile.gettempdir()) / f"fbench-ray-{user}"
    with suppress(FileExistsError):
        root.mkdir(mode=0o700)
    found = root.lstat()
    is_own = not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o077)
    return root if stat.S_ISDIR(found.st_mode) and is_own else Path(tempfile.mkdtemp(prefix="fbench-ray-"))


def _remove_left(root: Path) -> None:
    """Remove folders of processes that are no more, and the data where none is left."""
    others = list(root.glob("process-*"))
    for folder in others:
        with _held(folder / _ALIVE) as is_free:
            if is_free:
                shutil.rmtree(folder, ignore_errors=True)
    if not any(folder.exists() for folder in others):
        shutil.rmtree(root / _DATA, ignore_errors=True)


@contextmanager
def _held(file: Path, *, wait: bool = False) -> Iterator[bool]:
    """Hold the lock on a file within a block, where nobody else does and it can be had; whether it is held."""
    stream = _locked(file, wait=wait)
    try:
        yield stream is not None
    finally:
        if stream is not None:
            stream.close()


def _locked(file: Path, *, wait: bool = False) -> IO[Any] | None:
    """A file that is locked until it is closed, or its process ends; none where it cannot be locked.

    Raises:
        OSError: the disk refuses.
    """
    try:
        import fcntl
    except ImportError:  # Windows: folders of killed processes stay until the system removes them
        return None
    stream = file.open("ab")
    try:
        fcntl.flock(stream, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        stream.close()
        return None
    return stream
