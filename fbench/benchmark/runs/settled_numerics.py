"""How a new run computes where some networks cannot be computed as was asked: all another way, or those apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.specs import NetworkSpec

Failing = Callable[[Sequence[NetworkSpec], Numerics], Mapping[str, str]]
"""The networks that cannot be computed so, by name, each with its reason."""


@dataclass(frozen=True)
class Settled:
    """What a run computes with.

    Attributes:
        numerics: of all its networks, or of those that can be computed as was asked.
        because: why not as was asked: the networks that could not, each with its reason. None where all could.
        apart: the numerics of those networks, where they are to be in a group of their own; none where there is none.
    """

    numerics: Numerics
    because: Mapping[str, str] = field(default_factory=dict)
    apart: Numerics | None = None


def settle(asked: Numerics, networks: Sequence[NetworkSpec], failing: Failing, *, split: bool = False) -> Settled:
    """Try every network as was asked; where one fails, find the nearest way that none fails in.

    All networks of a run compute in one way, as a difference between two ways would count as one of networks. With
    ``split`` those that fail are a group of their own, in the nearest way that none of them fails in, and the others
    keep to what was asked.
    """
    because = failing(networks, asked)
    if not because:
        return Settled(asked)
    digests = {network.digest for network in networks if network.name in because}
    suspects = [network for network in networks if network.digest in digests]
    others = [network for network in networks if network.digest not in digests]
    names = {network.name: because.get(network.name, "the same network under another name") for network in suspects}
    if split and others:
        return Settled(asked, names, apart=_nearest(asked, [suspects], failing))
    return Settled(_nearest(asked, [suspects, others], failing), names)


def _nearest(asked: Numerics, groups: Sequence[Sequence[NetworkSpec]], failing: Failing) -> Numerics:
    """The nearest other way in which no network fails; the first groups are those that may fail. The last way is taken
    whatever it gives, as there is none after it."""
    *ways, last = asked.other_ways() or (asked,)
    for way in ways:
        if not any(failing(group, way) for group in groups if group):
            return way
    return last
