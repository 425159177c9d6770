"""A call: its stages one after another, each in a process of its own and within its limit, whatever comes of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from typing import Any, Final

from tests.gpu.contact.child import BEGUN, LOST, run_stage
from tests.gpu.contact.lines import Line, Status, append, done, latest, read
from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import Stage

PRELOADED: Final = ("torch", "fbench.benchmark.training.trial")
"""What the process that others are forked off has imported, so that each stage begins at once. Nothing in it may touch
a device, which a forked process could not use then."""
LEAST_S: Final = 1.0
"""With less time left a stage is not begun."""


@dataclass
class Call:
    """The stages of one call under one limit of time.

    Attributes:
        settings: of all stages.
        seconds: of the whole call; stages that would begin after it are left for another.
        preloaded: is imported once for all stages.
    """

    settings: Settings
    seconds: float
    preloaded: tuple[str, ...] = PRELOADED
    _started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.settings.out.mkdir(parents=True, exist_ok=True)
        self.settings.work.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("PYTORCH_NVML_BASED_CUDA_CHECK", "1")  # asks for a device without touching it
        self._context: Any = multiprocessing.get_context("forkserver" if self.preloaded else "spawn")
        if self.preloaded:
            self._context.set_forkserver_preload(list(self.preloaded))

    @property
    def left_s(self) -> float:
        """Seconds left of the call."""
        return self.seconds - (time.monotonic() - self._started)

    def run(self, stages: Sequence[Stage]) -> list[Line]:
        """Run what is not done yet; the last line of each result, those of earlier calls with the same folder too."""
        for stage in stages:
            self._run(stage)
        return latest(read(self.settings.out))

    def _run(self, stage: Stage) -> None:
        """Run a stage, in another process where one dies or loses its device, and say how it ended."""
        known = read(self.settings.out)
        if "" in done(known, stage.name):
            return
        began = time.monotonic()
        if stage.needs_cuda and not self.settings.is_cuda:
            self._note(stage, "", "not here", began, f"needs a CUDA device, and the device is {self.settings.device}")
            return
        limit_s = min(stage.limit_s, self.left_s)
        if limit_s < LEAST_S:
            self._note(stage, "", "over its limit", began, "the call's time was spent before it began")
            return
        while (left_s := limit_s - (time.monotonic() - began)) > 0:
            tried = self._since(known)
            code = self._one_process(stage, left_s, {line.result for line in tried})
            stopped_at = (self.settings.work / BEGUN).read_text(encoding="utf-8")
            if code is None:
                self._note(stage, stopped_at, "over its limit", began, f"ended after {limit_s:.0f} s")
                if len(self._since(known)) == 1 and not stopped_at:
                    self._context = multiprocessing.get_context("spawn")  # a fork may have hung before it began
            elif code not in (0, 1, LOST) or (code == LOST and len(self._since(known)) == len(tried)):
                self._note(stage, stopped_at, "died", began, f"its process ended with {code}")
            if code in (0, 1, None) or (not stopped_at and len(self._since(known)) == len(tried)):
                break
        self._end(stage, began, self._since(known))

    def _since(self, known: list[Line]) -> list[Line]:
        return read(self.settings.out)[len(known) :]

    def _end(self, stage: Stage, began: float, new: list[Line]) -> None:
        """Say how a stage ended, where nothing has said so."""
        if any(line.is_of_whole_stage for line in new):
            return
        bad = [line for line in new if line.status != "done"]
        reason = f"{len(bad)} of {len(new)} results are missing" if bad else ""
        self._note(stage, "", bad[0].status if bad else "done", began, reason)

    def _one_process(self, stage: Stage, limit_s: float, tried: set[str]) -> int | None:
        """Run a stage, but for what is done or was tried; its exit code, or none where it had to be ended."""
        (self.settings.work / BEGUN).write_text("", encoding="utf-8")
        skipped = (*done(read(self.settings.out), stage.name), *sorted(tried))
        given = (stage.name, stage.module, self.settings.to_json(), skipped)
        process = self._context.Process(target=run_stage, args=given)
        process.start()
        try:
            process.join(limit_s)
            code: int | None = process.exitcode
        finally:  # also where this process is interrupted, whose signals do not reach the other's group
            _end_group(process)
        return code

    def _note(self, stage: Stage, result: str, status: Status, began: float, reason: str) -> None:
        append(self.settings.out, Line(stage.name, result, status, time.monotonic() - began, reason=reason))


def _end_group(process: BaseProcess) -> None:
    """End a process and all that it started, also what it left behind."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid or 0, signal.SIGKILL)
    if process.is_alive():
        process.kill()
    process.join()
