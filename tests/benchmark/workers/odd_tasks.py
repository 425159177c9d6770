"""What workers do in tests: none of it imports PyTorch, so that a process begins in a tenth of a second."""

from __future__ import annotations

import builtins
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from fbench.benchmark.workers.inside import Parent
from fbench.core.errors import StoppedError
from fbench.core.working_clock import rest_s, working_s


def double(parent: Parent, number: int) -> int:
    parent.tell({"half": number / 2})
    return 2 * number


def process(parent: Parent) -> int:
    return os.getpid()


def die(parent: Parent, number: int) -> None:
    os.kill(os.getpid(), number)


def leave(parent: Parent, status: int) -> None:
    os._exit(status)


def python_exit(parent: Parent) -> None:
    sys.exit(0)


def fork(parent: Parent, file: str, rest_s: float) -> int:
    """Become four processes, of which each goes on as if it were the worker."""
    os.fork()
    os.fork()
    with Path(file).open("a", encoding="utf-8") as stream:
        stream.write(f"{os.getpid()}\n")
    time.sleep(rest_s)
    parent.tell("stepped")
    return os.getpid()


def hang(parent: Parent) -> None:
    while True:
        pass


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


MESSAGES = {"long": "x" * 5_000_000, "brackets": "[bold] [/] {", "surrogate": "a\udcc9b"}


def fail(parent: Parent, message: str) -> None:
    sys.stdout.write("said before\n")
    raise UnspeakableError if message == "unspeakable" else ValueError(MESSAGES[message])


def patch(parent: Parent) -> int:
    builtins.patched = True  # type: ignore[attr-defined] # as somebody's code would
    os.environ["PATCHED"] = "1"
    os.chdir("/")
    return os.getpid()


def look(parent: Parent) -> dict[str, Any]:
    return {
        "patched": hasattr(builtins, "patched"),
        "environment": "PATCHED" in os.environ,
        "folder": str(Path.cwd()),
        "pid": os.getpid(),
    }


def spin(parent: Parent) -> int:
    def forever() -> None:
        while True:
            time.sleep(0.01)

    threading.Thread(target=forever).start()
    return os.getpid()


def start_another(parent: Parent) -> None:
    """End while a process that was started holds every open file."""
    subprocess.Popen(["sleep", "60"], close_fds=False)
    os.kill(os.getpid(), signal.SIGKILL)


def until_stopped(parent: Parent, file: str) -> None:
    Path(file).touch()
    while not parent.asks_to_stop:
        time.sleep(0.01)
    parent.tell("kept")
    raise StoppedError


def talk_nonsense(parent: Parent) -> None:
    parent._mouth.write(b"\x80nonsense\n")
    parent._mouth.flush()
    time.sleep(60)


def environment(parent: Parent, of: str) -> str | None:
    return os.environ.get(of)


def start_program(parent: Parent, file: str, rest_s: float, number: int = 0) -> None:
    """Start programs that would go on, one of them by a process that ends at once, in a session of its own and on Linux
    with an empty environment; a signal to itself is the end."""
    note = f"import os, time; open({file!r}, 'a').write(str(os.getpid()) + '\\n'); time.sleep(600)"
    subprocess.Popen([sys.executable, "-c", note])
    nothing = {} if sys.platform == "linux" else None
    subprocess.run([sys.executable, "-c", _STARTS, note], check=True, env=nothing)
    time.sleep(rest_s)
    if number:
        os.kill(os.getpid(), number)


_STARTS = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[1]], start_new_session=True)"


def signal_group(parent: Parent, number: int) -> None:
    os.kill(0, number)
    time.sleep(0.2)


def count(parent: Parent, file: str) -> None:
    """Write a line again and again."""
    while True:
        with Path(file).open("a") as stream:
            stream.write(f"{os.getpid()}\n")
        time.sleep(0.01)


def stop_unasked(parent: Parent) -> None:
    raise StoppedError


def tell_rest(parent: Parent) -> None:
    """Tell again and again for how long this process has been at rest."""
    while True:
        parent.tell({"pid": os.getpid(), "clock_s": working_s(), "rest_s": rest_s()})
        time.sleep(0.01)
