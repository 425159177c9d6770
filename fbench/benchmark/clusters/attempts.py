"""How often each trial was tried, and where: the driver counts, and nobody else tries again."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fbench.benchmark.records.specs import TrialSpec

MOST_LOSSES: Final = 20
"""How often a trial is begun anew after its node was lost, without a checkpoint in between, before it counts as
failed."""
_LONGEST_PAUSE_S: Final = 10.0
"""A node that is no more is known to be so after a second, or after 30 where it only fell silent."""


@dataclass
class Pending:
    """A trial without a result.

    Attributes:
        spec: the trial.
        retries_left: how often it may be tried again that failed in a way that may pass.
        losses: how often it was lost with its node since its last checkpoint.
        not_before: when it may be begun again, by the monotonic clock.
        unfit: the nodes that cannot run its network, by id, and why.
    """

    spec: TrialSpec
    retries_left: int
    losses: int = 0
    not_before: float = 0.0
    unfit: dict[str, str] = field(default_factory=dict)


@dataclass
class Attempt:
    """A trial that was handed to the cluster.

    Attributes:
        pending: the trial.
        handle: what Ray knows it by.
        node_id: where it runs; empty while it waits there.
        node: the same in words.
    """

    pending: Pending
    handle: Any
    node_id: str = ""
    node: str = ""

    @property
    def trial_id(self) -> str:
        """Which trial."""
        return self.pending.spec.trial_id


class Attempts:
    """The trials that wait, in their order, and the attempts that are under way; no trial is ever in both."""

    def __init__(self, specs: Iterable[TrialSpec], retries: int) -> None:
        self.waiting = deque(Pending(spec, retries) for spec in specs)
        self.under_way: list[Attempt] = []

    @property
    def unbegun(self) -> list[Attempt]:
        """The attempts that wait for room in the cluster."""
        return [one for one in self.under_way if not one.node_id]

    def of(self, handle: Any) -> Attempt | None:
        """The attempt that Ray knows by this; none where it was given up."""
        return next((one for one in self.under_way if one.handle is handle), None)

    def ready(self, may_begin: Callable[[str], bool]) -> Pending | None:
        """The next trial that may be begun now, which waits no more; those for which there is no time are dropped."""
        self.waiting = deque(one for one in self.waiting if may_begin(one.spec.trial_id))
        now = time.monotonic()
        found = next((one for one in self.waiting if one.not_before <= now), None)
        if found is not None:
            self.waiting.remove(found)
        return found

    def end(self, attempt: Attempt) -> None:
        """An attempt is over, in whatever way."""
        self.under_way.remove(attempt)

    def again(self, pending: Pending, pause_s: float = 0.0) -> None:
        """Try a trial again, before those that wait."""
        pending.not_before = time.monotonic() + pause_s
        self.waiting.appendleft(pending)

    def lost(self, pending: Pending) -> bool:
        """Begin a trial again that was lost with its node; whether that may be."""
        pending.losses += 1
        if pending.losses > MOST_LOSSES:
            return False
        self.again(pending, min(_LONGEST_PAUSE_S, 0.25 * 2 ** (pending.losses - 1)))
        return True


def reasons(unfit: Mapping[str, str]) -> str:
    """Why nodes cannot run something, each reason once."""
    return "; ".join(dict.fromkeys(unfit.values()))
