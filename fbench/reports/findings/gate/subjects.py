"""What a gate compares: a network of a run folder, or of a measurement of speed, on each side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.records.imported import ImportedResults
from fbench.benchmark.records.trial_records import StaticCost
from fbench.benchmark.store.files import read_cost_file
from fbench.benchmark.store.imported_files import is_imported, read_imported
from fbench.benchmark.store.run_table import RunTable, load_run
from fbench.core.errors import UserError, did_you_mean
from fbench.core.paths import expanded
from fbench.reports.findings.comparisons.evidence import Evidence, gather
from fbench.reports.findings.comparisons.folds import whole_data_sets


@dataclass(frozen=True)
class Side:
    """BASE or NEW: a run with its evidence by data set, a measurement of speed alone, or imported results alone.

    ``network`` is the one that was named, if any.
    """

    label: str
    network: str | None
    run: RunTable | None
    costs: tuple[CostRecord, ...]
    evidence: tuple[Evidence, ...] = ()
    imported: ImportedResults | None = None

    @property
    def networks(self) -> tuple[str, ...]:
        """All that it holds, or the one that was named."""
        if self.network is not None:
            return (self.network,)
        measured = [name for cost in self.costs for name in cost.static]
        imported = self.imported.networks if self.imported else ()
        return tuple(dict.fromkeys([*(self.run.networks if self.run else ()), *measured, *imported]))

    def shown(self, network: str) -> str:
        """A network's name, marked where it was imported."""
        return f"{network} (imported)" if self.imported is not None else network

    def cost(self, network: str) -> CostRecord | None:
        """The newest measurement that holds a network."""
        holding = [cost for cost in self.costs if network in cost.static]
        return holding[-1] if holding else None

    def static(self, network: str) -> StaticCost | None:
        """What was counted of a network, or none."""
        cost = self.cost(network)
        return None if cost is None else cost.static[network]


@dataclass(frozen=True)
class ComparedPair:
    """A network of BASE and the network of NEW that is held against it; ``words`` is what a reader calls the sides."""

    base: Side
    new: Side
    base_network: str
    new_network: str
    words: tuple[str, str] = ("BASE", "NEW")

    @property
    def label(self) -> str:
        """One name where both are called the same."""
        base, new = self.base.shown(self.base_network), self.new.shown(self.new_network)
        return new if base == new else f"{new} against {base}"


def load_side(given: str) -> Side:
    """Read ``PATH`` or ``PATH:NETWORK``; PATH is a run's folder or a file of ``fbench speed`` or ``fbench import``.

    Raises:
        UserError: no such path, not a run or measurement, or a network that it does not hold.
    """
    path, network = _split(given)
    if path.is_dir():
        run = load_run(path)
        evidence = whole_data_sets([gather(run, data) for data in run.config.data])
        side = Side(given, None, run, run.costs, evidence)
    elif is_imported(path):
        side = Side(given, None, None, (), imported=read_imported(path))
    else:
        side = Side(given, None, None, (read_cost_file(path),))
    if network is None:
        return side
    if network not in side.networks:
        raise UserError(
            f"{path} has no network '{network}'.{did_you_mean(network, side.networks)} It holds: "
            f"{', '.join(side.networks)}."
        )
    return replace(side, network=network)


def pairs(base: Side, new: Side) -> Sequence[ComparedPair]:
    """Two named networks, or every network that both sides hold.

    Raises:
        UserError: only one side names a network that the other does not hold, or nothing in common.
    """
    if base.network is not None and new.network is not None:
        return [ComparedPair(base, new, base.network, new.network)]
    common = [name for name in base.networks if name in new.networks]
    if not common:
        raise UserError(
            f"{base.label} ({', '.join(base.networks)}) and {new.label} ({', '.join(new.networks)}) have no network in "
            "common; name one on each side as PATH:NETWORK."
        )
    return [ComparedPair(base, new, name, name) for name in common]


def _split(given: str) -> tuple[Path, str | None]:
    """A path may hold a colon itself, as on Windows."""
    whole = expanded(given)
    head, colon, tail = given.rpartition(":")
    if whole.exists() or not colon or not head:
        if not whole.exists():
            raise UserError(
                f"There is no {given}; give a run's folder or a file that `fbench speed` or `fbench import` wrote."
            )
        return whole, None
    path = expanded(head)
    if not path.exists():
        raise UserError(
            f"There is no {head}; give a run's folder or a file that `fbench speed` or `fbench import` wrote."
        )
    return path, tail
