"""What was read of a run's trials, kept in the user's cache so that it is not read again.

There is one file for each kind of file of a run's trials (records, predictions, histories). It says of each trial what
the file's signature was when it was read, and holds only where that is still so: a file of the cache that is damaged,
missing or older, or that cannot be written, costs time and nothing else. It lies in the cache and not in the run, as
reading changes no run, and what a stranger sends has no say in what is believed without being read.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydantic_core import from_json

from fbench.benchmark.data.cache import cache_directory
from fbench.core.contained import ContainedPath
from fbench.core.files import replacing
from fbench.core.npz import read_npz, write_npz
from fbench.core.siblings import Signature

_FORMAT: Final = 2
_ABOUT: Final = "about"
_SIGNATURES: Final = "signatures"
_SETTLED_NS: Final = 2 * 10**9
"""A file that was written within this time of being read may be written again without a new time of change."""
_UNUSED_S: Final = 90 * 86400.0

_log = logging.getLogger(__name__)
Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Kept:
    """What a file of the cache says.

    Attributes:
        signatures: of each trial's file when it was read, and its place among ``facts``.
        facts: in JSON's values, one entry for each trial.
    """

    signatures: dict[str, tuple[Signature, int]]
    facts: list[Any]
    _file: Path
    _stamp: str

    def arrays(self) -> Arrays | None:
        """What else was kept; none where the file has been replaced since, or cannot be read any more."""
        try:
            found = read_npz(self._file)
            if _about(found)["stamp"] == self._stamp:
                return found
        except (OSError, ValueError, KeyError, TypeError) as error:
            _log.info("the index %s is passed over: %s", self._file, error)
        return None


def read_kept(run: ContainedPath, kind: str) -> Kept | None:
    """What was kept of one kind of file of a run's trials; none where nothing can be used."""
    file = _file(run, kind)
    try:
        found = read_npz(file, names=(_ABOUT, _SIGNATURES))
        about, signatures = _about(found), found[_SIGNATURES].tolist()
        facts = list(about["facts"])
        rows = zip(about["ids"], signatures, facts, strict=True)
        places = {str(trial_id): (Signature(*row), place) for place, (trial_id, row, _) in enumerate(rows)}
        return Kept(places, facts, file, str(about["stamp"])) if about["run"] == _place(run) else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.info("the index %s is passed over: %s", file, error)
        return None


def write_kept(
    run: ContainedPath, kind: str, rows: Sequence[tuple[str, Signature]], facts: Sequence[Any], more: Arrays
) -> None:
    """Keep facts of trials, and arrays; a cache that cannot be written costs only time."""
    about = {
        "format": _FORMAT,
        "run": _place(run),
        "stamp": uuid.uuid4().hex,
        "ids": [trial_id for trial_id, _ in rows],
        "facts": facts,
    }
    arrays = {
        **more,
        _ABOUT: np.frombuffer(json.dumps(about).encode(), np.uint8),
        _SIGNATURES: np.array([signature for _, signature in rows], np.int64).reshape(-1, len(Signature._fields)),
    }
    file = _file(run, kind)
    try:
        with replacing(file) as stream:
            write_npz(stream, arrays, compressed=False)
        _remove_unused(file.parent)
    except OSError as error:
        _log.info("the index of %s could not be kept: %s", run, error)


def is_settled(signature: Signature) -> bool:
    """Whether a file that was just read can be told from one that is written over it."""
    latest = max(signature.modified_ns, signature.changed_ns)
    return latest < time.time_ns() - _SETTLED_NS


def _about(found: Arrays) -> dict[str, Any]:
    about = from_json(found[_ABOUT].tobytes())
    if not isinstance(about, dict) or about["format"] != _FORMAT:
        raise ValueError("it is of another fbench")
    return about


def _place(run: ContainedPath) -> str:
    return str(run.path.absolute())


def _file(run: ContainedPath, kind: str) -> Path:
    key = hashlib.sha256(_place(run).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return cache_directory() / "index" / f"{key}-{kind}.npz"


def _remove_unused(folder: Path) -> None:
    for file in folder.glob("*.npz"):
        with suppress(OSError):
            if file.stat().st_mtime < time.time() - _UNUSED_S:
                file.unlink()
