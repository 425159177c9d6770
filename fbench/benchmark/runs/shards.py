"""A run's trials dealt to several machines: which are whose follows from the trials alone; no machine asks another."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from fbench.ablations.suite import Resources
from fbench.benchmark.records.budget import plan_steps
from fbench.benchmark.records.network_description import NetworkDescription
from fbench.benchmark.records.protocol import choosing_splits
from fbench.benchmark.records.specs import NetworkSpec, TrialSpec
from fbench.core.errors import UserError

MACS_PER_ELEMENTWISE_OPERATION: Final = 50
"""On a CPU the time of a training step goes with macs + 50 x elementwise operations: none of the 16 networks of
``ablations`` (330 to 1,890 images/s) is further from that than 17 %."""
PASSES_OF_A_TRAINED_IMAGE: Final = 3
"""A training step computes the forward pass and two gradients; an evaluated image the forward pass alone."""

Describe = Callable[[NetworkSpec], NetworkDescription]
"""Gives the description of a network, with its counts.

Raises:
    UserError: the network cannot be built or run.
"""


@dataclass(frozen=True)
class Shard:
    """A part of a run: number ``number``, from 1, of ``of``."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``2/8``.

        Raises:
            UserError: it is no number of that many.
        """
        found = re.fullmatch(r"\s*(\d{1,6})\s*/\s*(\d{1,6})\s*", text)
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise UserError(
                f"--shard {text} was given; give a number and how many there are, such as 2/8 for the second."
            )
        return cls(int(found[1]), int(found[2]))


class Unit(NamedTuple):
    """What stays on one machine: a trial; or all of a network on a data set, where they share a search for settings."""

    network_digest: str
    data_fingerprint: str
    seed: int | None


@dataclass(frozen=True)
class Load:
    """How much a unit has to compute, in operations, and what its machine must have."""

    unit: Unit
    work: float
    resources: Resources


def unit_of(spec: TrialSpec) -> Unit:
    """The unit of a trial."""
    is_tuned = (spec.default_protocol or spec.protocol).tuning is not None
    return Unit(spec.network.digest, spec.data.fingerprint, None if is_tuned else spec.seed)


def in_share(specs: Sequence[TrialSpec], share: frozenset[Unit] | None) -> tuple[TrialSpec, ...]:
    """The trials of a share; of none all."""
    return tuple(spec for spec in specs if share is None or unit_of(spec) in share)


def share_of(
    shard: Shard | None,
    specs: Sequence[TrialSpec],
    descriptions: Mapping[str, NetworkDescription],
    resources: Mapping[str, Resources],
) -> frozenset[Unit] | None:
    """What a shard of a run trains; none where it is no shard. Networks without a description, by digest, are traced.

    Raises:
        UserError: there are more shards than there is to deal.
    """
    if shard is None:
        return None
    hands = deal(loads_of(specs, described_by(descriptions), resources), shard.of)
    if not all(hands):
        most = sum(map(len, hands))
        raise UserError(
            f"--shard {shard}: there are {most} trials, or networks with a search, to deal; give at most {most} shards."
        )
    return frozenset(load.unit for load in hands[shard.number - 1])


def described_by(descriptions: Mapping[str, NetworkDescription]) -> Describe:
    """What gives the description of a network: of those at hand, else by a trace."""

    def describe(network: NetworkSpec) -> NetworkDescription:
        from fbench.benchmark.training.networks import describe_network

        return descriptions.get(network.digest) or describe_network(network)

    return describe


def loads_of(
    specs: Iterable[TrialSpec],
    describe: Describe,
    resources: Mapping[str, Resources],
) -> list[Load]:
    """The units of a run's trials in their order. A network that cannot be counted has no work, as its trials fail.

    Args:
        specs: the trials.
        describe: gives the counts of a network.
        resources: what networks need, by name; those that are not named need nothing special.
    """
    operations: dict[str, float] = {}
    found: dict[Unit, Load] = {}
    for spec in specs:
        digest = spec.network.digest
        if digest not in operations:
            operations[digest] = _operations(spec.network, describe)
        unit = unit_of(spec)
        before = found.get(unit)
        work = operations[digest] * _forward_passes(spec) + (before.work if before else 0.0)
        found[unit] = Load(unit, work, resources.get(spec.network.name, Resources()))
    return list(found.values())


def deal(loads: Sequence[Load], shards: int) -> list[list[Load]]:
    """Deal units to so many shards: each to the one that has least so far, the largest first.

    Units that need other resources lie in other shards, where there are as many shards as kinds of resources; each kind
    has its share of them by its work, and those of one kind stand together.
    """
    kinds: dict[Resources, list[Load]] = {}
    for load in loads:
        kinds.setdefault(load.resources, []).append(load)
    if len(kinds) > shards:
        return _dealt(loads, shards)
    sizes = _shares([sum(load.work for load in one) for one in kinds.values()], shards)
    return [hand for one, size in zip(kinds.values(), sizes, strict=True) for hand in _dealt(one, size)]


def _dealt(loads: Sequence[Load], shards: int) -> list[list[Load]]:
    hands: list[list[Load]] = [[] for _ in range(shards)]
    work = [0.0] * shards
    for load in sorted(loads, key=lambda one: -one.work):  # of equal ones the first comes first
        least = min(range(shards), key=lambda place: (work[place], len(hands[place]), place))
        hands[least].append(load)
        work[least] += load.work
    return hands


def _shares(work: Sequence[float], shards: int) -> list[int]:
    """How many shards each kind has: one, and the next always for the kind whose shards have most."""
    sizes = [1] * len(work)
    for _ in range(shards - sum(sizes)):
        most = max(range(len(work)), key=lambda place: (work[place] / sizes[place], -place))
        sizes[most] += 1
    return sizes


def _operations(network: NetworkSpec, describe: Describe) -> float:
    try:
        counts = describe(network).counts
    except UserError:
        return 0.0
    return counts.macs + MACS_PER_ELEMENTWISE_OPERATION * counts.elementwise_ops


def _forward_passes(spec: TrialSpec) -> float:
    """How many forward passes of an image a trial takes as long as."""
    images = spec.data.images_by_split
    plan = plan_steps(spec.protocol, spec.budget, images["train"])
    choosing = sum(images.get(split, 0) for split in choosing_splits(spec.protocol))
    read = choosing * (len(plan.evaluate_after) + 1) + (images.get("test", 0) if spec.protocol.test == "once" else 0)
    flips = 2 if spec.protocol.test_time_flip else 1
    return PASSES_OF_A_TRAINED_IMAGE * plan.steps * plan.batch_size + flips * read
