"""What runs in a worker process: it does the calls that its parent sends, one after another, and ends with its parent.

Nothing heavy is imported before a call asks for it, so that the watch over the parent begins at once.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Final

from fbench.benchmark.workers.keeper import become_kept
from fbench.benchmark.workers.messages import from_line, to_line
from fbench.core.errors import StoppedError, UserError, reason_of, storable, traceback_of
from fbench.core.garbage import collection_put_off
from fbench.core.processes import end_with

ENVIRONMENT: Final = "FBENCH_WORKER"
"""Holds what a worker is told at its start, as JSON; taken out of the environment before anything else runs."""

SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT") if hasattr(signal, name)
)


class Parent:
    """The process that sent a call, as the called function sees it."""

    def __init__(self, mouth: IO[bytes], log: Path) -> None:
        self._mouth, self._lock, self._log = mouth, threading.Lock(), log
        self._stop = threading.Event()
        self._name, self._log_start = "", 0
        self._worn = False
        self._is_copy = False

    @property
    def asks_to_stop(self) -> bool:
        """Whether the call is to end as soon as its work can be gone on with."""
        return self._stop.is_set()

    def tell(self, value: Any) -> None:
        """Tell what JSON can hold, while the call runs."""
        self.say({"tells": self._name, "value": value})

    def replace_worker(self) -> None:
        """Let this process run no other call, as something in it may be broken."""
        self._worn = True

    def log_tail(self) -> str:
        """The end of what was written to the standard streams since the call began."""
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        return log_tail(self._log, self._log_start)

    def be_a_copy(self) -> None:
        """Take note that this is no worker but a copy of one, which somebody's network made by forking in the middle of
        a call: it ends with the worker on Linux, and elsewhere where it would speak in its place."""
        self._is_copy = True
        end_with(os.getppid())

    def say(self, message: dict[str, Any]) -> None:
        """Send a message; it is whole, or this process ends as nobody is there to read it."""
        if self._is_copy:
            os._exit(0)
        with self._lock:
            try:
                self._mouth.write(to_line(message))
                self._mouth.flush()
            except OSError:
                os._exit(1)

    def perform(self, call: dict[str, Any]) -> bool:
        """Do a call and say how it ended; whether this process may do another."""
        self._name = str(call["name"])
        self._log_start = self._log.stat().st_size if self._log.exists() else 0
        self.say({"begins": self._name})
        threads = set(threading.enumerate())
        try:
            with collection_put_off():  # modules live on
                function = function_named(call["function"])
            value = function(self, **call["arguments"])
            answer = {"done": self._name, "value": value}
        except StoppedError:
            answer = {"stopped": self._name}
        except BaseException as error:  # of any type: it comes from somebody's network
            answer = {"failed": self._name} | _told_of(error)
            self._worn = True
        left_threads = call["code"] is not None and set(threading.enumerate()) - threads
        answer["last"] = last = bool(self._worn or left_threads)
        self.say(answer)
        return not last

    def hear(self, ears: IO[bytes], calls: queue.SimpleQueue[dict[str, Any] | None]) -> None:
        """Take what the parent sends; when nothing can come any more, it has ended, and so does this process."""
        for line in ears:
            message = from_line(line)
            if "stop" in message:
                self._stop.set()
                calls.put(None)
            else:
                calls.put(message)
        os._exit(1)


def _told_of(error: BaseException) -> dict[str, Any]:
    try:
        by_user = isinstance(error, UserError)
        return {"reason": reason_of(error), "details": traceback_of(error), "by_user": by_user}
    except BaseException:  # somebody's class of errors may answer no question
        return {"reason": "an error of a class that answers no question was raised", "details": "", "by_user": False}


def log_tail(log: Path, start: int, most: int = 10_000) -> str:
    """The last bytes of a log after ``start``, as text."""
    try:
        with log.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(min(start, size), size - most))
            return storable(stream.read().decode(errors="backslashreplace"))
    except OSError:
        return ""


def main() -> None:
    """Run as a worker: what to know is in the environment, calls come through the standard input."""
    told = json.loads(os.environ.pop(ENVIRONMENT))
    keeper = become_kept(int(told["parent"]))
    _obey_the_parent_alone()
    end_with(keeper)  # elsewhere than on Linux the end of the standard input says so
    ears, mouth = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    _write_to(Path(told["log"]))
    parent, calls = Parent(mouth, Path(told["log"])), queue.SimpleQueue[dict[str, Any] | None]()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=parent.be_a_copy)
    threading.Thread(target=parent.hear, args=(ears, calls), daemon=True).start()
    while (call := calls.get()) is not None and parent.perform(call):
        pass
    os._exit(0)  # threads that a network left do not hold the process up


def _obey_the_parent_alone() -> None:
    """Signals to the group are for the parent, which ends its workers. It started this process with them blocked.

    A handler that does nothing is no handler of a program that is started here, as one that ignores would be.
    """
    for number in SIGNALS:
        signal.signal(number, lambda number, frame: None)
        if hasattr(signal, "siginterrupt"):
            signal.siginterrupt(number, False)  # native code that reads or writes is not disturbed either
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def _write_to(log: Path) -> None:
    """The standard streams go to a file, and nothing comes in; a crash in native code leaves its stack there."""
    for descriptor, target, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND),
        (2, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND),
    ):
        opened = os.open(target, flags, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr] # they are files here
    faulthandler.enable(2)


def function_named(name: str) -> Callable[..., Any]:
    """The function behind ``package.module:function``."""
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found
