"""Trials on the nodes of a Ray cluster."""

from __future__ import annotations

import io
import logging
import math
import shutil
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from fbench.architectures.plugin_sources import PluginSources
from fbench.benchmark.clusters.arrivals import arrived, checkpoint_file, tell
from fbench.benchmark.clusters.attempts import MOST_LOSSES, Attempt, Attempts, Pending, reasons
from fbench.benchmark.clusters.connection import Connection, LostError, OutOfMemoryError, UnfitError, connected
from fbench.benchmark.clusters.fleet import Fleet
from fbench.benchmark.clusters.options import ClusterOptions
from fbench.benchmark.clusters.parcel import Message, Parcel, SentPlugin, refuse_networks_of_session
from fbench.benchmark.clusters.versions import versions_here
from fbench.benchmark.data.cache import write_whole
from fbench.benchmark.data.loaded import load_for
from fbench.benchmark.records.events import Checkpointed, Listen
from fbench.benchmark.records.specs import DataSpec, TrialSpec
from fbench.benchmark.runs.executors import NO_LIMITS, TrialLimits, WorkerContext, failed_record
from fbench.benchmark.store.trial_result import TrialResult
from fbench.core.errors import UserError

Connect = Callable[[ClusterOptions, float], AbstractContextManager[Connection]]
STOP_LIMIT_S: Final = 15.0
"""How long trials may take to hand their checkpoints over when they are asked to stop; a host waits 12 s for its."""
_TICK_S: Final = 0.2
_LONG_WAIT_S: Final = 60.0
_log = logging.getLogger(__name__)


class RayExecutor:
    """Runs trials on all nodes of a cluster, as many at a time as it has room for. This process alone counts attempts
    and writes.

    It connects at once where there is something to run (``connects``), and is not connected between runs. What arrived
    lies in ``context.scratch`` until it is taken from there; the folder goes when the executor does.
    """

    def __init__(
        self,
        context: WorkerContext,
        options: ClusterOptions,
        plugins: Mapping[str, PluginSources],
        *,
        connects: bool = True,
        connect: Connect = connected,
    ) -> None:
        self._context, self._options, self._plugins = context, options, plugins
        self._gpus = options.gpus_for(context.device)
        self._connects, self._connect = connects, connect
        self._stop = False
        self._open = ExitStack()
        self._cluster: Connection | None = None
        self._fleet = Fleet(options, self._gpus)
        self._data: dict[str, Any] = {}
        self._waits_since: float | None = None

    def __enter__(self) -> Self:
        if self._connects:
            self._connected()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._disconnect()
        shutil.rmtree(self._context.scratch, ignore_errors=True)

    def ask_to_stop(self) -> None:
        """As :class:`fbench.benchmark.runs.executors.Executor`."""
        self._stop = True

    @property
    def room(self) -> int:
        """Trials at a time, as far as is known; at least one."""
        return self._fleet.room

    def run(
        self, specs: Sequence[TrialSpec], listen: Listen, limits: TrialLimits = NO_LIMITS
    ) -> Generator[TrialResult, None, None]:
        """As :class:`fbench.benchmark.runs.executors.Executor`.

        Raises:
            UserError: a network was defined in this session, the cluster cannot be used, or the disk refuses.
        """
        refuse_networks_of_session(specs)
        if not specs:
            return
        attempts, cluster = Attempts(specs, self._context.retries), self._connected()
        try:
            while attempts.waiting or attempts.under_way:
                if self._stop:
                    yield from self._stopped(cluster, attempts, listen)
                    return
                self._hand_out(cluster, attempts, limits)
                yield from self._heard(cluster, attempts, listen)
        except (KeyboardInterrupt, GeneratorExit):
            if not self._stop:
                for _ in self._stopped(cluster, attempts, listen):
                    pass  # what has ended is done again, as nobody can be given it any more
            raise
        finally:
            self._disconnect()  # what comes next may be a measurement, and wants the machine

    # --- the cluster

    def _connected(self) -> Connection:
        """The connection, opened where it is not.

        Raises:
            UserError: there is no such cluster, no node of it has room for a trial, or nodes are not alike.
        """
        if self._cluster is None:
            with ExitStack() as opened:
                cluster = opened.enter_context(self._connect(self._options, self._gpus))
                self._fleet.require_fit(cluster)
                self._open = opened.pop_all()
            self._cluster = cluster
        return self._cluster

    def _disconnect(self) -> None:
        self._cluster = None
        self._data.clear()
        self._open.close()

    # --- handing out

    def _hand_out(self, cluster: Connection, attempts: Attempts, limits: TrialLimits) -> None:
        """Hand over as many trials as there is room for and a few more, and take back those that may not begin any
        more."""
        self._fleet.look(cluster)
        for attempt in attempts.unbegun:
            if not limits.may_begin(attempt.trial_id):
                cluster.give_up(attempt.handle)
                attempts.end(attempt)
        ahead = max(2, self.room // 2)  # a node then never waits for this process; and what may scale, sees demand
        while len(attempts.under_way) < self.room + ahead and (pending := attempts.ready(limits.may_begin)):
            attempts.under_way.append(self._begun(cluster, pending, limits))
        self._tell_long_wait(attempts)

    def _tell_long_wait(self, attempts: Attempts) -> None:
        """Say once that nothing runs, where that is so for long: others may have the cluster, or nodes be gone."""
        if not attempts.under_way or len(attempts.unbegun) < len(attempts.under_way):
            self._waits_since = None
        elif self._waits_since is None:
            self._waits_since = time.monotonic()
        elif time.monotonic() - self._waits_since > _LONG_WAIT_S:
            self._waits_since = math.inf
            _log.warning("no trial has begun for %.0f s, as no node of the cluster has room for one", _LONG_WAIT_S)

    def _begun(self, cluster: Connection, pending: Pending, limits: TrialLimits) -> Attempt:
        spec = pending.spec
        plugin = self._plugins.get(spec.network.plugin_digest or "")
        if plugin is None and spec.network.plugin_file is not None:
            raise UserError(
                f"The files of the plug-in {spec.network.plugin_file} are not known, so that no node can have them; "
                "name it with --plugin."
            )
        parcel = Parcel(
            spec=spec,
            device=self._context.device.partition(":")[0],
            cpus=self._options.cpus_per_trial,
            gpus=self._gpus,
            limit_s=limits.timeouts_s.get(spec.trial_id),
            versions=versions_here(),
            plugin=None if plugin is None else SentPlugin.of(plugin),
            flag=cluster.flag,
            not_from=cluster.own_folders(),
        )
        avoided = {*self._fleet.unfit, *pending.unfit}
        handle = cluster.begin(parcel.to_text(), self._lent(cluster, spec.data), self._checkpoint(spec), avoided)
        return Attempt(pending, handle)

    def _lent(self, cluster: Connection, data: DataSpec) -> Any:
        """The data, lent to the cluster once."""
        if data.fingerprint not in self._data:
            content = io.BytesIO()
            write_whole(content, load_for(data))
            self._data[data.fingerprint] = cluster.put(np.frombuffer(content.getbuffer(), np.uint8))
        return self._data[data.fingerprint]

    def _checkpoint(self, spec: TrialSpec) -> bytes:
        """What a trial goes on from; empty where there is nothing."""
        folder = self._context.checkpoints
        file = None if folder is None else folder / f"{spec.trial_id}.safetensors"
        return file.read_bytes() if file is not None and file.is_file() and not file.is_symlink() else b""

    # --- hearing

    def _heard(self, cluster: Connection, attempts: Attempts, listen: Listen) -> Iterator[TrialResult]:
        for handle in cluster.heard([one.handle for one in attempts.under_way], _TICK_S):
            attempt = attempts.of(handle)
            if attempt is not None:
                yield from self._next(cluster, attempts, attempt, listen)

    def _next(self, cluster: Connection, attempts: Attempts, attempt: Attempt, listen: Listen) -> Iterator[TrialResult]:
        """What an attempt says next, and the result where that is its end."""
        pending = attempt.pending
        try:
            result = self._taken(attempts, attempt, cluster.next_message(attempt.handle), listen)
        except LostError as error:
            cluster.give_up(attempt.handle)  # it may be there all the same
            result = self._lost(attempts, attempt, str(error))
        except UnfitError as error:
            self._fleet.avoid_address(error.address, str(error))
            result = self._lost(attempts, attempt, str(error))
        except OutOfMemoryError as error:
            attempts.end(attempt)
            reason = f"Ray ended it as the memory of {attempt.node} ran out: {error}"
            result = TrialResult(failed_record(pending.spec, reason), may_pass=True)
        if result is None:
            return
        if result.may_pass and pending.retries_left > 0:
            pending.retries_left -= 1
            attempts.again(pending)
        else:
            yield result

    def _lost(self, attempts: Attempts, attempt: Attempt, reason: str) -> TrialResult | None:
        """Begin a lost trial again; a failed result where that was so too often."""
        attempts.end(attempt)
        _log.info("%s was lost on %s: %s", attempt.pending.spec.label, attempt.node or "its way", reason)
        if attempts.lost(attempt.pending):
            return None
        why = f"it was lost {MOST_LOSSES + 1} times in a row with the node or process of Ray that ran it: {reason}"
        return TrialResult(failed_record(attempt.pending.spec, why))

    def _taken(self, attempts: Attempts, attempt: Attempt, message: Message, listen: Listen) -> TrialResult | None:
        """Do what a message is for; the result where it is one.

        Raises:
            LostError: it is none that an attempt may send.
        """
        trial_id = attempt.trial_id
        match message.values:
            case {"begins": str(node_id), "node": str(node)} if node_id and not attempt.node_id:
                attempt.node_id, attempt.node = node_id, node
            case {"events": list(events)}:
                tell(trial_id, events, listen)
            case {"checkpoint": str(name), "steps": int(steps)} if name == trial_id and len(message.files) == 1:
                listen(Checkpointed(trial_id, steps, checkpoint_file(message, self._context.scratch)))
                attempt.pending.losses = 0
            case {"stopped": str(name)} if name == trial_id:
                attempts.end(attempt)
                if not self._stop:
                    attempts.again(attempt.pending)
            case {"unfit": str(reason), "of": "node" | "network" as of}:
                attempts.end(attempt)
                return self._elsewhere(attempts, attempt, reason, of_node=of == "node")
            case {"done": str(name), "answer": dict(answer)} if name == trial_id:
                attempts.end(attempt)
                return arrived(attempt.pending.spec, answer, message.files, self._context.scratch)
            case _:
                raise LostError("it said what is no message")
        return None

    def _elsewhere(self, attempts: Attempts, attempt: Attempt, reason: str, *, of_node: bool) -> TrialResult | None:
        """Try a trial on other nodes, as one cannot run it; a failed result where none can."""
        pending, why = attempt.pending, f"on the node {attempt.node}, {reason}"
        if of_node:
            self._fleet.avoid(attempt.node_id, why)
        else:
            pending.unfit[attempt.node_id] = why
        if of_node or self._fleet.has_other_than(pending.unfit):
            attempts.again(pending)
            return None
        return TrialResult(failed_record(pending.spec, f"no node can run it: {reasons(pending.unfit)}"))

    # --- stopping

    def _stopped(self, cluster: Connection, attempts: Attempts, listen: Listen) -> Iterator[TrialResult]:
        """Give up what has not begun, and give the others time to hand over what they have."""
        self._stop = True
        attempts.waiting.clear()
        for attempt in attempts.unbegun:
            cluster.give_up(attempt.handle)
            attempts.end(attempt)
        cluster.ask_to_stop()
        deadline = time.monotonic() + STOP_LIMIT_S
        while attempts.under_way and time.monotonic() < deadline:
            yield from self._heard(cluster, attempts, listen)
            attempts.waiting.clear()  # what was lost meanwhile
