"""A real Ray cluster of several nodes on this machine, each with ports, cores and a temporary folder of its own.

Nothing here is global: only processes that were started here are ended, and never by ``ray stop``.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psutil

QUIET: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_DISABLE_IMPORT_WARNING": "1",
    # A test machine may be full of other tests: Ray would end trials for that.
    "RAY_memory_monitor_refresh_ms": "0",
}
_START_LIMIT_S: Final = 120.0


class ClusterNode:
    """A node: its processes, which have a session of their own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def kill(self) -> None:
        """End all of its processes at once, as a machine does that loses its power."""
        doomed = _family(self._process.pid)
        for one in doomed:
            with suppress(psutil.Error):
                one.suspend()  # else some would see others end, and say so
        for one in [*doomed, *_family(self._process.pid)]:
            with suppress(psutil.Error):
                one.kill()
        self._process.wait()
        psutil.wait_procs(doomed, timeout=10)

    def end(self) -> None:
        """End it in good order."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        self.kill()


class RealCluster:
    """Nodes that were started and not ended yet; the first is the head."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._started = folder, 0
        self.address = f"127.0.0.1:{_free_port()}"
        self.nodes: list[ClusterNode] = []

    def start(self, cpus: int = 1, gpus: int = 0, **environment: str) -> ClusterNode:
        """Start a node, and wait until it has joined."""
        self._started += 1
        port = self.address.rpartition(":")[2]
        whose = (
            ["--head", "--port", port, "--include-dashboard=false"] if not self.nodes else ["--address", self.address]
        )
        command = [
            *(sys.executable, "-m", "ray.scripts.scripts", "start", *whose, "--block"),
            *("--num-cpus", str(cpus), "--num-gpus", str(gpus), "--object-store-memory", "200000000"),
            *("--temp-dir", str(self._folder / str(self._started))),
            *("--node-manager-port", str(_free_port()), "--object-manager-port", str(_free_port())),
            *("--min-worker-port", "0", "--max-worker-port", "0", "--disable-usage-stats"),
        ]
        log = self._folder / f"node-{self._started}.log"
        env = os.environ | QUIET | {"TMPDIR": str(self._folder)} | environment
        with log.open("wb") as stream:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=env, start_new_session=True
            )
        node = ClusterNode(process)
        self.nodes.append(node)
        deadline = time.monotonic() + _START_LIMIT_S
        while b"Ray runtime started" not in log.read_bytes():
            if process.poll() is not None or time.monotonic() > deadline:
                node.kill()
                raise RuntimeError(f"a node did not start: {log.read_text()[-2000:]}")
            time.sleep(0.1)
        return node

    def lose(self, node: ClusterNode) -> None:
        """Kill a node."""
        self.nodes.remove(node)
        node.kill()

    def leave(self, node: ClusterNode) -> None:
        """End a node in good order."""
        self.nodes.remove(node)
        node.end()

    def end(self) -> None:
        """End all nodes, the head last."""
        for node in reversed(self.nodes):
            node.end()
        self.nodes.clear()


@contextmanager
def real_cluster(nodes: int = 2) -> Iterator[RealCluster]:
    """A cluster within a block."""
    folder = Path(tempfile.mkdtemp(prefix="fray-"))  # short: paths of sockets have 107 characters at most
    cluster = RealCluster(folder)
    try:
        for _ in range(nodes):
            cluster.start()
        yield cluster
    finally:
        cluster.end()
        shutil.rmtree(folder, ignore_errors=True)


def _family(pid: int) -> list[psutil.Process]:
    """A process and all below it, and others of its session, whose parents have ended."""
    found = set[psutil.Process]()
    with suppress(psutil.Error):
        root = psutil.Process(pid)
        found |= {root, *root.children(recursive=True)}
    for one in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if os.getsid(one.pid) == pid:
                found |= {one, *one.children(recursive=True)}
    return sorted(found, key=lambda one: one.pid)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
