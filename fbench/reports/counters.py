"""What other counters say of the same networks, beside our MACs."""

from __future__ import annotations

from dataclasses import dataclass

from fbench.benchmark.records import StaticCost
from fbench.benchmark.table import RunTable


@dataclass(frozen=True)
class CounterRow:
    """One network: our counts, and each other counter's MACs in the order of the table's."""

    network: str
    macs: int
    elementwise_ops: int
    elementwise_ops_by_kind: dict[str, int]
    readings: tuple[int | None, ...]


@dataclass(frozen=True)
class CounterTable:
    """All counted networks; ``counted`` and ``errors`` say what a counter includes or why it failed."""

    counters: tuple[str, ...]
    counted: dict[str, str]
    errors: dict[str, str]
    rows: tuple[CounterRow, ...]
    not_measured: dict[str, str]


def counter_table(run: RunTable) -> CounterTable | None:
    """The table for a run; none where no cost was measured."""
    static = {network: cost.static[network] for network in run.networks if (cost := run.latest_cost(network))}
    failures = {
        network: why for cost in run.costs for network, why in cost.failures.items() if network not in static
    }
    if not static and not failures:
        return None
    readings = [(network, reading) for network, cost in static.items() for reading in cost.counters]
    names = tuple(dict.fromkeys(reading.counter for _, reading in readings))
    return CounterTable(
        counters=names,
        counted={reading.counter: reading.counted for _, reading in readings if reading.counted},
        errors={f"{r.counter} on {network}": r.error for network, r in readings if r.error is not None},
        rows=tuple(_row(network, cost, names) for network, cost in static.items()),
        not_measured=failures,
    )


def _row(network: str, cost: StaticCost, counters: tuple[str, ...]) -> CounterRow:
    macs = {reading.counter: reading.macs for reading in cost.counters}
    return CounterRow(
        network=network,
        macs=cost.macs,
        elementwise_ops=cost.elementwise_ops,
        elementwise_ops_by_kind=dict(sorted(cost.elementwise_ops_by_kind.items(), key=lambda kind: -kind[1])),
        readings=tuple(macs.get(counter) for counter in counters),
    )
