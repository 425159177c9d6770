"""What a worker process does for :mod:`fbench.benchmark.runs.network_tasks`: each function is a task's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fbench.benchmark.machine.machine_roofline import MachineRoofline
from fbench.benchmark.records.cost_specs import CostSpec
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.specs import NetworkSpec, TrialSpec
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.workers.inside import Parent
from fbench.benchmark.workers.note import writing_note


def check_program(
    parent: Parent,
    network: dict[str, Any],
    protocol: dict[str, Any],
    batch_size: int,
    numerics: dict[str, Any],
    device: str,
) -> str | None:
    """Why a network does not train in the program that was asked for; none where it does."""
    from fbench.benchmark.machine.device import pick_device
    from fbench.benchmark.runs.program_check import failing_programs

    wanted = NetworkSpec.model_validate(network)
    _load(wanted)
    reasons = failing_programs(
        [wanted], Protocol.model_validate(protocol), batch_size, Numerics.model_validate(numerics), pick_device(device)
    )
    if reasons:
        parent.replace_worker()  # it may have broken the device for this process
    return reasons.get(wanted.name)


def estimate(parent: Parent, spec: dict[str, Any], device: str) -> float:
    """Estimated seconds of a trial."""
    from fbench.benchmark.cost.estimate import estimate_trials_s
    from fbench.benchmark.machine.device import pick_device

    wanted = TrialSpec.model_validate(spec)
    _load(wanted.network)
    seconds = estimate_trials_s([wanted], pick_device(device))[wanted.trial_id]
    if seconds == 0.0:
        parent.replace_worker()  # as above
    return seconds


def measure(
    parent: Parent,
    spec: dict[str, Any],
    device: str,
    passes: int,
    roofline: dict[str, Any],
    left_out: dict[str, str],
    note: str,
    preparation_s: float | None,
) -> dict[str, Any]:
    """Measure cost; the record."""
    from fbench.benchmark.cost.measure import measure_cost
    from fbench.benchmark.machine.device import pick_device

    wanted = CostSpec.model_validate(spec)
    for network in wanted.networks:
        _load(network)

    def tell(what: str) -> None:
        parent.tell(what)
        if parent.asks_to_stop:
            raise KeyboardInterrupt  # what was timed before is kept, as where Ctrl-C is pressed in this process

    found = MachineRoofline.model_validate(roofline)
    with writing_note(Path(note)) as visiting:
        record = measure_cost(
            wanted, pick_device(device), passes, tell, found, left_out, visiting, preparation_s=preparation_s
        )
    return record.model_dump(mode="json")


def make_maps(_: Parent, folder: str, spec: dict[str, Any], data_path: str | None, scratch: str) -> bool:
    """Write the maps of a trained network into the scratch folder; whether there are any."""
    from fbench.benchmark.maps.making import add_maps_of

    wanted = TrialSpec.model_validate(spec)
    wanted = wanted.model_copy(update={"data": wanted.data.model_copy(update={"path": data_path})})
    target = RunFolder(Path(scratch))
    add_maps_of(RunFolder(Path(folder)), wanted, target)
    return target.has_maps(wanted.trial_id)


def _load(network: NetworkSpec) -> None:
    from fbench.benchmark.training.foreign_code import load_named_code

    load_named_code(network)
