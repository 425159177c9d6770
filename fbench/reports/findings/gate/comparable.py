"""What two records must have in common before a number of one is held against a number of the other."""

from __future__ import annotations

from typing import Any, Final

from fbench.benchmark.records.cost_records import CostRecord
from fbench.core.errors import UserError
from fbench.core.machine import Machine
from fbench.core.schema import FrozenModel
from fbench.reports.findings.comparisons.alike import first_difference, training_settings
from fbench.reports.findings.comparisons.evidence import NetworkEvidence

MACHINE_FIELDS: Final = ("processor", "usable_cores", "memory_gib", "accelerator", "system")
NUMERICS_FIELDS: Final = ("device_kind", "precision", "threads_per_trial", "memory_format")


def machine_difference(base: CostRecord, new: CostRecord) -> str:
    """The first field in which two measurements' machines differ, in words; empty where they are one."""
    return _difference(_of_machine(base.machine), _of_machine(new.machine))


def require_one_machine(base: CostRecord, new: CostRecord) -> None:
    """Hold that two measurements are of one machine.

    Raises:
        UserError: they are not; the field is named.
    """
    if difference := machine_difference(base, new):
        raise UserError(
            f"BASE and NEW were measured on different machines ({difference}); measure both on one, or give "
            "--other-machine to hold each against the reference load of its own."
        )


def require_one_arithmetic(base: CostRecord, new: CostRecord) -> None:
    """Hold that two measurements have the same device kind, precision, threads and layout.

    Raises:
        UserError: they have not; the field is named.
    """
    ours, theirs = (_picked(cost.spec.numerics, NUMERICS_FIELDS) for cost in (base, new))
    if difference := _difference(ours, theirs):
        raise UserError(f"BASE and NEW were measured differently ({difference}); measure both in the same way.")


def require_one_training(base: NetworkEvidence, new: NetworkEvidence) -> None:
    """Hold that all trials of two networks have one data set, protocol, budget and numerics, and their runs one rule
    for collapsed trainings.

    Raises:
        UserError: they have not; the field is named.
    """
    rules = [_picked(side.rule, ("chance", "loss_factor")) for side in (base, new)]
    if difference := _difference(*rules):
        raise UserError(
            f"BASE and NEW have other rules for collapsed trainings ({difference}); compare runs of one protocol."
        )
    first = base.records[0]
    for record in (record for evidence in (base, new) for record in evidence.records):
        if difference := _difference(training_settings(first), training_settings(record)):
            raise UserError(
                f"The trials of {base.network} in BASE and {new.network} in NEW were not made alike ({difference}); "
                "compare runs of one data set, protocol, preset, numerics and minor version of PyTorch."
            )


def _of_machine(machine: Machine) -> dict[str, Any]:
    return _picked(machine, MACHINE_FIELDS)


def _picked(model: FrozenModel, fields: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(model, name) for name in fields}


def _difference(base: dict[str, Any], new: dict[str, Any]) -> str:
    return first_difference(base, new, ("BASE", "NEW"))
