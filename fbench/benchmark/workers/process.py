"""A worker process as its parent sees it: started, sent calls, heard, ended."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from fbench.benchmark.workers.inside import ENVIRONMENT, SIGNALS, log_tail
from fbench.benchmark.workers.keeper import END, LONGEST_S
from fbench.benchmark.workers.messages import MOST_BYTES, NoMessageError, Task, from_line, to_line
from fbench.core.processes import end_all_with

_START: Final = (
    "import json, os, sys; sys.path[:] = json.loads(os.environ.pop('FBENCH_WORKER_PATH')); "
    "from fbench.benchmark.workers.inside import main; main()"
)

_STARTED_BY: Final = "FBENCH_STARTED_BY"
"""Stays in the environment of a worker, so that programs which somebody's network starts have it too."""
_LAST_WORDS_S: Final = 2.0
"""How long what a process said last may take to be heard; it is far quicker."""


class Heard(NamedTuple):
    """What a worker said; None when it says no more."""

    worker: WorkerProcess
    message: dict[str, Any] | None


class WorkerProcess:
    """One worker process.

    Attributes:
        in_hand: the task that it was given and has not ended.
        code: the user's code that it has run; none where it ran fbench's own alone.
        not_ready: why it failed in what it does before its first task; empty where it did not.
        begun_at: when it began its task, by the monotonic clock; none before.
        given_at: when the task was given to it.
        started_at: when it was started.
    """

    def __init__(
        self, log: Path, heard: queue.SimpleQueue[Heard], environment: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.in_hand: Task | None = None
        self.code: str | None = None
        self.not_ready = ""
        self.begun_at: float | None = None
        self.given_at = self.started_at = time.monotonic()
        self._log, self._log_start, self._heard = log, 0, heard
        self._silent = threading.Event()
        self._gone_at: float | None = None
        self._token = uuid.uuid4().hex
        told = {"parent": os.getpid(), "log": str(log)}
        to_know = {ENVIRONMENT: json.dumps(told), "FBENCH_WORKER_PATH": json.dumps(sys.path)} | {
            _STARTED_BY: self._token
        }
        with _signals_blocked():
            self._process = subprocess.Popen(  # noqa: S603 - this interpreter, with code of this file
                [sys.executable, "-P", "-c", _START],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | environment | to_know,
            )
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def pid(self) -> int:
        """The number of the process that was started: on Linux the keeper of the one that works."""
        return self._process.pid

    def give(self, task: Task) -> None:
        """Have it do a task after those that it was given before; one that has ended says so by itself."""
        self.in_hand, self.begun_at, self.given_at = task, None, time.monotonic()
        self._log_start = self._log.stat().st_size if self._log.exists() else 0
        if task.code is not None:
            self.code = task.code
        self.send({"name": task.name, "function": task.function, "arguments": dict(task.arguments), "code": task.code})

    def send(self, message: dict[str, Any]) -> None:
        """Send a message; nothing happens where nobody is there to read it."""
        if self._process.stdin is not None:
            with suppress(OSError, ValueError):
                self._process.stdin.write(to_line(message))
                self._process.stdin.flush()

    def forgive(self, rest_s: float) -> None:
        """Let so many seconds not count for what it has in hand."""
        self.given_at += rest_s
        if self.begun_at is not None:
            self.begun_at += rest_s

    def ask_to_stop(self) -> None:
        """Ask it to end what it does as soon as that can be gone on with, and then itself."""
        self.send({"stop": True})

    @property
    def left_its_channel_open(self) -> bool:
        """Whether the process has ended, and one that it had started holds its channel open."""
        if self._silent.is_set() or self._process.poll() is None:
            return False
        self._gone_at = self._gone_at or time.monotonic()
        return time.monotonic() - self._gone_at > _LAST_WORDS_S

    def end(self) -> None:
        """End it, whatever it does, and what a user's code has started in it."""
        if sys.platform == "linux":
            self._process.send_signal(END)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(2 * LONGEST_S)
        self._process.kill()
        self._process.wait()
        if self.code is not None:
            end_all_with(_STARTED_BY, self._token)
        if self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.close()

    def how_it_ended(self) -> str:
        """Why it is no more, in words."""
        if self.not_ready:
            return f"its worker process could not get ready: {self.not_ready}"
        try:
            code = self._process.wait(_LAST_WORDS_S)
        except subprocess.TimeoutExpired:
            return "its worker process said what is no message, or closed its channel"
        if code >= 0:
            return f"its worker process ended with exit code {code} in the middle of its work, as os._exit makes it"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        if name == "SIGKILL":
            return "its worker process was killed (SIGKILL), which the system does when memory runs out"
        return f"its worker process crashed in native code ({name})"

    def log_tail(self) -> str:
        """The end of what it wrote to its standard streams since it was given its task."""
        return log_tail(self._log, self._log_start)

    def _listen(self) -> None:
        """Pass on what the worker says until it says no more, or something that is no message."""
        mouth = self._process.stdout
        if mouth is not None:
            with mouth, suppress(NoMessageError, OSError):
                while line := mouth.readline(MOST_BYTES):
                    self._heard.put(Heard(self, from_line(line)))
        self._silent.set()
        self._heard.put(Heard(self, None))


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """A process that is started within the block begins with them blocked, until it has said what it does of them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
