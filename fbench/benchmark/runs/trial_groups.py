"""Which trials run together in one process of an accelerator, each on a stream of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fbench.benchmark.records.specs import TrialSpec


def groups_of(specs: Sequence[TrialSpec], together: int = 1) -> list[tuple[TrialSpec, ...]]:
    """Trials in their order, so many in a group as their numerics say, or ``together`` where that changes no bits.

    Groups are as equal as can be, and no larger. A group is filled with the next trials of the network and data of its
    first, which take as long as that, and then with others of these data. Trials of users' networks are alone: what one
    leaves behind in its process must reach no other.
    """
    waiting = {spec.trial_id: spec for spec in specs}
    groups = []
    while waiting:
        first = waiting.pop(next(iter(waiting)))
        most = max(first.numerics.trials_together, together)
        able = [one for one in waiting.values() if _may_join(first, one)] if most > 1 else []
        able.sort(key=lambda one: one.network.digest != first.network.digest)  # stable: in their order otherwise
        count = 1 + len(able)
        others = able[: math.ceil(count / math.ceil(count / most)) - 1]
        for other in others:
            del waiting[other.trial_id]
        groups.append((first, *others))
    return groups


def _may_join(first: TrialSpec, other: TrialSpec) -> bool:
    return (
        first.network.source_sha256 is None
        and other.network.source_sha256 is None
        and other.data.fingerprint == first.data.fingerprint
        and other.numerics == first.numerics
    )
