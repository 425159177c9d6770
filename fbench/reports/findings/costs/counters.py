"""What other counters say of the same networks, beside our MACs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fbench.benchmark.records.trial_records import StaticCost
from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.costs.mac_words import mac_kinds

LeftOutBy = tuple[str, tuple[str, ...], tuple[str, ...]]
"""A counter, the kinds of operations that it counts nothing for, and of which networks."""


@dataclass(frozen=True)
class CounterRow:
    """One network: our counts, and each other counter's own figure in the order of the table's."""

    network: str
    macs: int
    elementwise_ops: int
    elementwise_ops_by_kind: dict[str, int]
    readings: tuple[int | None, ...]


@dataclass(frozen=True)
class CounterTable:
    """All counted networks of a run.

    ``counted`` says what a counter includes where it says the same of every network; ``remarks`` are (network,
    counter, what it says) where it does not; ``left_out`` are (counter, the operations that it counts nothing for, the
    networks of which it leaves out just these), without networks where it leaves them out of every one that has them;
    ``errors`` are (network, counter, reason) of missing readings; ``not_measured`` says why a network has no cost at
    all; ``mac_kinds`` is what our MACs hold, in words.
    """

    counters: tuple[str, ...]
    counted: dict[str, str]
    remarks: tuple[tuple[str, str, str], ...]
    left_out: tuple[LeftOutBy, ...]
    errors: tuple[tuple[str, str, str], ...]
    rows: tuple[CounterRow, ...]
    not_measured: dict[str, str]
    mac_kinds: str


def counter_table(run: RunTable) -> CounterTable | None:
    """The table for a run; none where no cost was measured."""
    static = {network: cost.static[network] for network in run.networks if (cost := run.latest_cost(network))}
    failed = [pair for cost in run.costs for pair in cost.failures.items()]
    failures = {network: why for network, why in failed if network not in static}
    if not static and not failures:
        return None
    readings = [(network, reading) for network, cost in static.items() for reading in cost.counters]
    names = tuple(dict.fromkeys(reading.counter for _, reading in readings))
    said = {name: {r.counted for _, r in readings if r.counter == name and r.counted} for name in names}
    return CounterTable(
        counters=names,
        counted={name: min(texts) for name, texts in said.items() if len(texts) == 1},
        remarks=tuple((n, r.counter, r.counted) for n, r in readings if r.counted and len(said[r.counter]) > 1),
        left_out=_left_out(static),
        errors=tuple((network, r.counter, r.error) for network, r in readings if r.error is not None),
        rows=tuple(_row(network, cost, names) for network, cost in static.items()),
        not_measured=failures,
        mac_kinds=mac_kinds(cost.macs_by_kind for cost in static.values()),
    )


def _row(network: str, cost: StaticCost, counters: tuple[str, ...]) -> CounterRow:
    figures = {r.counter: r.macs if r.total is None else r.total for r in cost.counters}
    return CounterRow(
        network=network,
        macs=cost.macs,
        elementwise_ops=cost.elementwise_ops,
        elementwise_ops_by_kind=dict(sorted(cost.elementwise_ops_by_kind.items(), key=lambda kind: -kind[1])),
        readings=tuple(figures.get(counter) for counter in counters),
    )


def _left_out(static: Mapping[str, StaticCost]) -> tuple[LeftOutBy, ...]:
    """What each counter counts nothing for, networks that it treats alike together."""
    found: dict[str, dict[str, frozenset[str]]] = {}
    for network, cost in static.items():
        for reading in cost.counters:
            if reading.error is None:
                found.setdefault(reading.counter, {})[network] = frozenset(one.operation for one in reading.left_out)
    return tuple(one for counter, by_network in found.items() for one in _groups(counter, by_network, static))


def _groups(
    counter: str, by_network: Mapping[str, frozenset[str]], static: Mapping[str, StaticCost]
) -> Iterator[LeftOutBy]:
    every = frozenset[str]().union(*by_network.values())
    if all(kinds == every & set(static[name].elementwise_ops_by_kind) for name, kinds in by_network.items()):
        if every:
            yield counter, _words(every), ()
        return
    for kinds in filter(None, dict.fromkeys(by_network.values())):
        yield counter, _words(kinds), tuple(name for name, found in by_network.items() if found == kinds)


def _words(kinds: frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(kind.replace("_", " ") for kind in kinds))
