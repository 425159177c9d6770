"""A connection to a cluster: the one place of the driver that knows Ray."""

from __future__ import annotations

import logging
import os
import re
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from fbench.benchmark.clusters import host
from fbench.benchmark.clusters.flag import Flag
from fbench.benchmark.clusters.options import AUTO, ClusterOptions
from fbench.benchmark.clusters.parcel import Message
from fbench.benchmark.clusters.ray_library import QUIET, ray_library, signals_kept
from fbench.benchmark.workers.messages import NoMessageError
from fbench.core.errors import UserError, readable, reason_on_a_line

ANSWER_LIMIT_S: Final = 45.0
"""How long a cluster may take to answer; one that is there does within three seconds, two of them for imports."""
_CONNECT_LIMIT_S: Final = 10.0
_DESCRIBE_LIMIT_S: Final = 60.0
_FETCH_LIMIT_S: Final = 300.0
"""How long a message may take from a node that lives: a checkpoint of ResNet50 has 359 MiB."""
_NODE_ID: Final = "ray.io/node-id"
_ADDRESS: Final = re.compile(r"\bip=([^,)\s]+)")
_log = logging.getLogger(__name__)


class LostError(Exception):
    """An attempt is no more, for no fault of its trial's."""


class UnfitError(Exception):
    """An attempt could not begin on any node of an address, as fbench is not there.

    Attributes:
        address: the nodes' address.
    """

    def __init__(self, reason: str, address: str) -> None:
        super().__init__(reason)
        self.address = address


class OutOfMemoryError(Exception):
    """Ray ended an attempt as its node's memory ran out."""


@dataclass(frozen=True)
class Node:
    """A node of the cluster that is there, with what it has."""

    node_id: str
    name: str
    address: str
    cpus: float
    gpus: float

    def room_for(self, cpus: float, gpus: float) -> int:
        """Trials at a time, where nobody else takes any of it."""
        by_gpus = int(self.gpus / gpus + 1e-9) if gpus else sys.maxsize
        return min(int(self.cpus / cpus + 1e-9), by_gpus)


@contextmanager
def connected(options: ClusterOptions, gpus: float) -> Iterator[Connection]:
    """A connection within a block; ``gpus`` are those of a trial.

    Raises:
        UserError: Ray is not there, the address does not answer, or this process is connected to another cluster.
    """
    ray = ray_library()
    if ray.is_initialized():
        raise UserError(
            "This process is connected to a Ray cluster already; call ray.shutdown() first, as fbench ends what it "
            "begins there."
        )
    _require_answer(options.address)
    with signals_kept():
        try:
            ray.init(address=options.address, log_to_driver=False, configure_logging=False)
        except Exception as error:  # of Ray's many
            raise _no_answer(options.address, reason_on_a_line(error)) from error
    try:
        yield Connection(ray, options, gpus)
    finally:
        with signals_kept():
            ray.shutdown()


class Connection:
    """A connection, while it is open. Whatever it sends is text, bytes, or an array of numbers."""

    def __init__(self, ray: Any, options: ClusterOptions, gpus: float) -> None:
        self._ray, self._gpus, self.options = ray, gpus, options
        self._trial = ray.remote(
            num_cpus=options.cpus_per_trial, num_gpus=gpus, max_retries=0, num_returns="streaming"
        )(host.host_trial)
        self.flag = f"fbench-stop-{uuid.uuid4().hex}"
        here = _on(ray, ray.get_runtime_context().get_node_id())
        self._flag = ray.remote(num_cpus=0)(Flag).options(name=self.flag, scheduling_strategy=here).remote()

    def nodes(self) -> list[Node]:
        """The nodes that are there now."""
        with _while_connected():
            found = self._ray.nodes()
        return [
            Node(
                one["NodeID"],
                f"{one['NodeManagerHostname']} ({one['NodeManagerAddress']})",
                one["NodeManagerAddress"],
                float(one["Resources"].get("CPU", 0)),
                float(one["Resources"].get("GPU", 0)),
            )
            for one in found
            if one["Alive"]
        ]

    def versions(self, nodes: Sequence[Node]) -> dict[str, Mapping[str, str]]:
        """The versions of nodes by their ids; a node that is too busy to answer is not named, and asked again with its
        first trial.

        Raises:
            UserError: fbench is not there on one.
        """
        ask = self._ray.remote(num_cpus=0, max_retries=0)(host.describe_node)
        asked = {ask.options(scheduling_strategy=_on(self._ray, node.node_id)).remote(): node for node in nodes}
        ready, _ = self._ray.wait(list(asked), num_returns=len(asked), timeout=_DESCRIBE_LIMIT_S)
        found: dict[str, Mapping[str, str]] = {}
        for answer in ready:
            node = asked[answer]
            try:
                found[node.node_id] = Message.from_bytes(self._ray.get(answer).encode()).values["versions"]
            except self._ray.exceptions.RayTaskError as error:
                raise UserError(
                    f"The node {node.name} cannot run fbench ({_last_line(error)}); install the same fbench, PyTorch "
                    "and Python there, for the Python that started Ray."
                ) from error
            except (self._ray.exceptions.RayError, NoMessageError, KeyError) as error:
                _log.info("the node %s did not tell its versions: %s", node.name, reason_on_a_line(error))
        return found

    def put(self, content: npt.NDArray[np.uint8]) -> Any:
        """Lend the cluster numbers, of which each node fetches a copy when it needs them; they are this process's."""
        with _while_connected():
            return self._ray.put(content)

    def begin(self, parcel: str, data: Any, checkpoint: bytes, avoided: Collection[str]) -> Any:
        """Have a trial run wherever there is room, but on nodes that are avoided."""
        task = self._trial
        if avoided:
            task = task.options(label_selector={_NODE_ID: f"!in({','.join(sorted(avoided))})"})
        with _while_connected():
            return task.remote(parcel, data, checkpoint)

    def heard(self, attempts: Sequence[Any], limit_s: float) -> list[Any]:
        """Those of the attempts that have something to say, after at most so many seconds without any."""
        if not attempts:
            time.sleep(limit_s)
            return []
        with _while_connected():
            ready, _ = self._ray.wait(list(attempts), num_returns=1, timeout=limit_s)
            if len(attempts) > 1 and ready:  # the others that are ready, so that the first is not heard alone
                ready, _ = self._ray.wait(list(attempts), num_returns=len(attempts), timeout=0)
        return list(ready)

    def next_message(self, attempt: Any) -> Message:
        """What an attempt says next.

        Raises:
            LostError: it is no more.
            UnfitError: it could not begin.
            OutOfMemoryError: it was ended for that.
        """
        errors = self._ray.exceptions
        try:
            with _while_connected():
                return Message.from_bytes(self._ray.get(next(attempt), timeout=_FETCH_LIMIT_S))
        except StopIteration:
            raise LostError("it ended without a word") from None
        except errors.RayTaskError as error:  # fbench answers for itself, once it is there
            found = _ADDRESS.search(str(error))
            raise UnfitError(_last_line(error), found[1] if found else "") from error
        except errors.OutOfMemoryError as error:
            raise OutOfMemoryError(_last_line(error)) from error
        except (errors.RayError, NoMessageError) as error:
            raise LostError(_last_line(error)) from error

    def give_up(self, attempt: Any) -> None:
        """End an attempt, whatever it does."""
        with suppress(Exception):  # of any type: it may have ended, as may its node
            self._ray.cancel(attempt, force=False)

    def ask_to_stop(self) -> None:
        """Have all trials end where they can be gone on with."""
        with suppress(Exception):  # as above
            self._flag.put_up.remote()

    def own_folders(self) -> tuple[str, ...]:
        """Folders of this process that Ray lets every process of the cluster import from."""
        return tuple(dict.fromkeys([str(Path.cwd()), str(Path(sys.argv[0]).resolve().parent)]))


@contextmanager
def _while_connected() -> Iterator[None]:
    """What is asked of the cluster within a block needs the node of this machine.

    Raises:
        UserError: that is no more.
    """
    try:
        yield
    except OSError as error:  # a broken pipe
        raise UserError(
            f"The connection to the Ray cluster is lost ({reason_on_a_line(error)}), as the node of this machine is no "
            "more; start it and run the same command again, which goes on from the checkpoints."
        ) from error


def _on(ray: Any, node_id: str) -> Any:
    return ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(node_id, soft=False)


def _last_line(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return readable((lines or [type(error).__name__])[-1])[:300]


_PROBE: Final = (
    "import sys, ray; ray.init(address=sys.argv[1], log_to_driver=False, configure_logging=False); ray.shutdown()"
)


def _require_answer(address: str) -> None:
    """See that a cluster answers, in a process that can be ended: Ray itself waits for minutes.

    Raises:
        UserError: none does.
    """
    if address != AUTO:
        host_name, _, port = address.rpartition(":")
        try:
            socket.create_connection((host_name.strip("[]"), int(port)), timeout=_CONNECT_LIMIT_S).close()
        except OSError as error:
            raise _no_answer(address, reason_on_a_line(error)) from error
    probe = [sys.executable, "-P", "-c", _PROBE, address]
    try:
        found = subprocess.run(  # noqa: S603 - this interpreter, with code of this file
            probe, capture_output=True, text=True, timeout=ANSWER_LIMIT_S, env=os.environ | QUIET, check=False
        )
    except subprocess.TimeoutExpired:
        raise _no_answer(address, f"nothing answered within {ANSWER_LIMIT_S:.0f} s") from None
    if found.returncode:
        said = [line for line in found.stderr.splitlines() if line.strip()]
        raise _no_answer(address, readable(said[-1])[:300] if said else f"exit code {found.returncode}")


def _no_answer(address: str, reason: str) -> UserError:
    return UserError(
        f"No Ray cluster answers at --ray-address {readable(address)} ({reason}); start one with ray start --head, let "
        "this machine join it with ray start --address HOST:PORT, and give that address."
    )
