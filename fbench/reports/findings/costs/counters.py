"""What other counters say of the same networks, beside our MACs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fbench.benchmark.records.trial_records import CounterGap, StaticCost
from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.costs.mac_words import mac_kinds


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
    counter, what it says) where it does not; ``left_out`` are (network, counter, the operations that it counts nothing
    for); ``errors`` are (network, counter, reason) of missing readings; ``not_measured`` says why a network has no cost
    at all; ``mac_kinds`` is what our MACs hold, in words.
    """

    counters: tuple[str, ...]
    counted: dict[str, str]
    remarks: tuple[tuple[str, str, str], ...]
    left_out: tuple[tuple[str, str, str], ...]
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
        left_out=tuple((network, r.counter, _listed(r.left_out)) for network, r in readings if r.left_out),
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


def _listed(left_out: Sequence[CounterGap]) -> str:
    return ", ".join(f"{one.operation.replace('_', ' ')} {one.operations:,} in {_calls(one.calls)}" for one in left_out)


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"
