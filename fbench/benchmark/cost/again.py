"""Measure the cost of a finished run again, as where other work disturbed its measurement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fbench.benchmark.cost.speed import measure_spec
from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.records.cost_specs import CostSpec
from fbench.benchmark.records.specs import NetworkSpec
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.workers.asking import UsersNetworks, users_networks
from fbench.benchmark.workers.questions import question
from fbench.core.errors import UserError
from fbench.core.locks import locked

if TYPE_CHECKING:
    from fbench.benchmark.runs.stopping import Stopping


def measure_again(
    path: Path,
    device: str,
    plugins: Sequence[Path] = (),
    progress: Callable[[str], None] = lambda what: None,
    stopping: Stopping | None = None,
) -> tuple[CostRecord, bool]:
    """Measure the networks of a run as its last measurement did, and keep the new one in its place, while no other
    process works in the folder.

    Where the new one is of a busy machine and bore more of other work than the old one, or was interrupted, the old one
    stays.

    Returns:
        The new measurement, and whether it was kept.

    Raises:
        UserError: no run, one without a measurement, users' networks without the file that they came from, or networks
            of which not one could be measured.
    """
    folder = RunFolder.open(path)
    with locked(folder.path, f"The run in {folder.path}"):
        costs = folder.costs()
        if not costs:
            raise UserError(
                f"{folder.path} has no measurement of cost that could be made again; the command that made the run "
                "measures it."
            )
        old = costs[-1]
        spec = _with_code(old.spec, plugins, progress)
        passes = 2 if folder.config().protocol.test_time_flip else 1
        record = measure_spec(spec, device, progress, stopping, passes)
        is_kept = not record.interrupted and _is_as_calm(record, old)
        if is_kept:
            folder.write_cost(record)
        return record, is_kept


def _is_as_calm(new: CostRecord, old: CostRecord) -> bool:
    """Whether a measurement is of a quiet machine, or of one no busier than that of another, as far as it is known."""
    if not new.is_of_busy_machine or new.busy_percent is None or old.busy_percent is None:
        return True
    return new.busy_percent <= old.busy_percent


def _with_code(spec: CostSpec, plugins: Sequence[Path], progress: Callable[[str], None]) -> CostSpec:
    """The same networks, those of a user's as the given files make them: nothing that came with a run is run."""
    if all(network.source_sha256 is None for network in spec.networks):
        return spec
    with users_networks(tuple(plugins), progress) as users:
        networks = tuple(one if one.source_sha256 is None else _as_now(one, users) for one in spec.networks)
    return spec.model_copy(update={"networks": networks})


def _as_now(network: NetworkSpec, users: UsersNetworks) -> NetworkSpec:
    from fbench.benchmark.cost.network_questions import specified

    try:
        users.listing().named(network.builder)
    except UserError as error:
        raise UserError(
            f"{network.name} is a network of a user's; give the file that registers it with --plugin."
        ) from error
    found = users.ask_network(network.name, question(specified, network.builder, dict(network.options)))
    if found.digest != network.digest:
        raise UserError(
            f"{network.name} is another network in the given code than in the run; give the code that it was trained "
            "with."
        )
    return found.model_copy(update={"name": network.name})
