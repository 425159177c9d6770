"""Processes that end with another one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux ends them")

PARENT = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]])
time.sleep(600)
"""
CHILD = """
import os, sys, time
from fbench.core.processes import copies_end_with_this_process, end_with
end_with(os.getppid())
copies_end_with_this_process()
os.fork()
with open(sys.argv[1], "a") as stream:
    stream.write(f"{os.getpid()}\\n")
time.sleep(600)
"""


def numbers_in(file: Path, count: int) -> list[int]:
    deadline = time.monotonic() + 20
    while len(found := file.read_text().split() if file.exists() else []) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return [int(one) for one in found]


@pytest.mark.parametrize("is_stopped", [False, True])
def test_a_process_and_what_it_forks_end_with_the_parent_that_was_killed(is_stopped: bool, tmp_path: Path) -> None:
    file = tmp_path / "pids"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, CHILD, str(file)])
    found = [psutil.Process(number) for number in numbers_in(file, 2)]
    if is_stopped:
        for one in found:
            os.kill(one.pid, signal.SIGSTOP)
    parent.kill()
    parent.wait()
    psutil.wait_procs(found, timeout=10)
    assert not [one for one in found if one.is_running() and one.status() != psutil.STATUS_ZOMBIE]
