"""Stages that do what a stage may do on a device: end, fail, hang, die."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import Measurement, NotHereError


def measurements(settings: Settings) -> Iterator[Measurement]:
    """What the file ``course.txt`` in the work folder names, in order."""
    for word in (settings.work / "course.txt").read_text(encoding="utf-8").split():
        if word == "setup":
            raise RuntimeError("the stage cannot begin")
        yield Measurement(word, lambda word=word: _done(word, settings))


def _done(word: str, settings: Settings) -> Mapping[str, Any]:
    with (settings.work / "measured.txt").open("a", encoding="utf-8") as stream:
        stream.write(word + "\n")
    print(f"{word} is measured")  # noqa: T201 - into the log
    if word == "hangs":
        time.sleep(60)
    if word == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if word == "exits":
        sys.exit(3)
    if word == "fails":
        raise ValueError("wrong\nby far")
    if word == "missing":
        raise NotHereError("there is no such part")
    return {"number": len(word), "ratio": float("nan")}
