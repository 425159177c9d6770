"""Whom fbench waits for, said in the log once it takes long: a network that hangs is known before its time is over."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Final

from fbench.benchmark.workers.messages import Task
from fbench.benchmark.workers.supervisor import Hear, Outcome, Supervisor

SAID_AFTER_S: Final = 10.0
"""fbench's own networks are built, run and counted in less, also beside other work."""
SHORTEST_LIMIT_S: Final = 30.0
"""A user's limit of a trial holds for what comes before it too, from here on: plug-ins are imported there."""

_log = logging.getLogger(__name__)


def limited(limit_s: float, trial_timeout_s: float | None) -> float:
    """The seconds that a network is waited for where a user gives those of a trial."""
    return limit_s if trial_timeout_s is None else min(limit_s, max(SHORTEST_LIMIT_S, trial_timeout_s))


def outcomes_said(
    supervisor: Supervisor,
    tasks: Sequence[Task],
    whom: Callable[[Task], str],
    hear: Hear = lambda task, value: None,
    said_after_s: float = SAID_AFTER_S,
) -> Iterator[Outcome]:
    """As :meth:`Supervisor.run`; the log says, once for each, whom it waits for: ``whom`` says it of a task that has
    begun, such as "the network 'my_net' (mine.py)"."""
    said: set[str] = set()
    with closing(supervisor.steps(tasks, hear)) as steps:
        for outcome in steps:
            for task, waited_s in supervisor.waited_for():
                if waited_s > said_after_s and (name := whom(task)) not in said:
                    said.add(name)
                    until = "" if task.limit_s is None else f"; it is given up after {task.limit_s:.0f} s"
                    _log.warning("Waiting for %s, which has not answered for %.0f s%s.", name, waited_s, until)
            if outcome is not None:
                yield outcome
