"""The process of a stage: measures one result after another and writes each down."""

from __future__ import annotations

import os
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.gpu.contact.lines import Line, append
from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import Measurement, NotHereError, Stage

LOST: Final = 75
"""The exit code of a process whose device answers it no more: what is left goes on in another."""
LOG: Final = "log.txt"
BEGUN: Final = "begun.txt"
"""In the work folder: the result that is measured now, so that it can be named where the process dies of it."""


def run_stage(name: str, module: str, settings_json: str, skipped: tuple[str, ...]) -> None:
    """Measure what a stage has, but for the results that are named; ends the process.

    It leads a group of processes, so that it is ended with all that it starts.
    """
    with suppress(OSError):  # where it leads a group already
        os.setsid()
    settings = Settings.from_json(settings_json)
    _write_into(settings.out / LOG)
    os._exit(_measure_all(Stage(name, module, 0.0), settings, skipped))


def _measure_all(stage: Stage, settings: Settings, skipped: tuple[str, ...]) -> int:
    """Measure all; the code to exit with."""
    started = time.monotonic()
    print(f"== {stage.name}", flush=True)  # noqa: T201 - into the log
    try:
        for one in stage.measurements(settings):
            if one.name in skipped:
                continue
            (settings.work / BEGUN).write_text(one.name, encoding="utf-8")
            line = _measured(stage, one)
            append(settings.out, line)
            if line.status == "failed" and _is_lost(settings):
                return LOST
    except NotHereError as error:
        append(settings.out, Line(stage.name, "", "not here", time.monotonic() - started, reason=str(error)))
        return 0
    except BaseException as error:
        append(settings.out, _failed(stage, "", time.monotonic() - started, error))
        return 1
    finally:
        (settings.work / BEGUN).write_text("", encoding="utf-8")
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _measured(stage: Stage, one: Measurement) -> Line:
    started = time.monotonic()
    try:
        found = one.measure()
    except NotHereError as error:
        return Line(stage.name, one.name, "not here", time.monotonic() - started, reason=str(error))
    except BaseException as error:  # a network's SystemExit too: the next one is measured all the same
        return _failed(stage, one.name, time.monotonic() - started, error)
    return Line(stage.name, one.name, "done", time.monotonic() - started, found)


def _failed(stage: Stage, result: str, took_s: float, error: BaseException) -> Line:
    told = "".join(traceback.format_exception(error))
    print(told, file=sys.stderr, flush=True)  # noqa: T201 - into the log
    reason = f"{type(error).__name__}: {error}".splitlines()[0][:300]
    return Line(stage.name, result, "failed", took_s, reason=reason, traceback=told[-6000:])


def _is_lost(settings: Settings) -> bool:
    """Whether the device answers this process no more; a process that never asked one has lost none."""
    if not settings.is_cuda or "torch" not in sys.modules:
        return False
    from fbench.benchmark.machine.device import pick_device
    from fbench.benchmark.machine.lost_device import why_lost

    return bool(why_lost(pick_device(settings.device)))


def _write_into(log: Path) -> None:
    """What this process and its own print goes into a file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
    sys.stdout, sys.stderr = (os.fdopen(os.dup(number), "w", encoding="utf-8") for number in (1, 2))
