"""The cost of a run's networks: what is measured, and whether it was."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from fbench.benchmark.records.cost_specs import CostPlan, CostSpec
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.specs import NetworkSpec
from fbench.benchmark.runs.listener import RunListener
from fbench.benchmark.runs.network_tasks import NetworkTasks, is_of_user
from fbench.benchmark.runs.plan import RunPlan
from fbench.benchmark.workers.supervisor import Failure

NOT_TRAINED: Final = "none of its trials finished"


def _cost_spec(plan: RunPlan) -> CostSpec:
    """Cost is measured for the networks of the first data set, whose image size and classes they were built for."""
    names = dict[str, NetworkSpec]()
    for network in plan.networks:
        names.setdefault(network.name, network)
    numerics = plan.config.numerics
    energy = plan.energy or numerics.device_kind == "cpu"
    return CostSpec(networks=tuple(names.values()), numerics=numerics, plan=_cost_plan(numerics, energy=energy))


def _cost_plan(numerics: Numerics, *, energy: bool) -> CostPlan:
    """The default plan, with networks called the way that the run's trials call them.

    Energy takes two seconds of each network in each setting where it can be read: on a GPU longer than all the rest.
    """
    from fbench.benchmark.cost.backends import backend_of

    usual = CostPlan()
    settings = tuple(setting.model_copy(update={"backend": backend_of(numerics)}) for setting in usual.settings)
    changes = {"settings": settings} if energy else {"settings": settings, "energy_s": None}
    return usual.model_copy(update=changes)


def has_cost(plan: RunPlan) -> bool:
    """Whether the run has a measurement of all its networks, but those that were left out and could be still."""
    if not plan.folder.path.exists():
        return False
    spec = _cost_spec(plan)
    enough = {spec.cost_id, _cost_spec(replace(plan, energy=True)).cost_id}
    found = [cost for cost in plan.folder.costs() if cost.cost_id in enough]
    left_out = [{name for name, reason in cost.failures.items() if reason == NOT_TRAINED} for cost in found]
    return any(not names or names <= _not_trained(plan, spec).keys() for names in left_out)


def _not_trained(plan: RunPlan, spec: CostSpec) -> dict[str, str]:
    """Users' networks of which no trial finished: one that hangs in each would do so while it is timed, for as long as
    the limit is."""
    users = [network for network in spec.networks if is_of_user(network)]
    if not users:
        return {}
    finished = {record.spec.network.digest for record in plan.folder.trials().values() if record.status == "finished"}
    return {network.name: NOT_TRAINED for network in users if network.digest not in finished}


def measure_run_cost(plan: RunPlan, listener: RunListener, networks: NetworkTasks) -> None:
    """Measure cost where the run has no measurement of all its networks yet, while no trial runs."""
    from fbench.benchmark.cost.roofline.measure_roofline import roofline_of_this_machine

    if not has_cost(plan):
        spec, passes = _cost_spec(plan), 2 if plan.config.protocol.test_time_flip else 1
        left_out = _not_trained(plan, spec)
        if len(left_out) == len(spec.networks):
            listener.left_without_cost(f"of {', '.join(left_out)} not one trial finished")
            return
        listener.measuring("what this machine can do at most")
        roofline = roofline_of_this_machine(spec.numerics, plan.device)
        record = networks.measure_cost(spec, plan.device, passes, listener.measuring, roofline, left_out=left_out)
        if isinstance(record, Failure):
            listener.left_without_cost(record.reason)
            return
        if record.interrupted:  # the run goes on later, and measures it whole
            raise KeyboardInterrupt
        plan.folder.write_cost(record)
        if record.is_of_busy_machine:
            listener.measured_on_busy_machine(record, plan.folder.path)
