"""The cost of a run's networks: what is measured, and whether it was."""

from __future__ import annotations

from fbench.benchmark.records.cost_specs import Backend, CostPlan, CostSpec
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.specs import NetworkSpec
from fbench.benchmark.runs.listener import RunListener
from fbench.benchmark.runs.network_tasks import NetworkTasks
from fbench.benchmark.runs.planning import RunPlan
from fbench.benchmark.workers.supervisor import Failure


def _cost_spec(plan: RunPlan) -> CostSpec:
    """Cost is measured for the networks of the first data set, whose image size and classes they were built for."""
    names = dict[str, NetworkSpec]()
    for network in plan.networks:
        names.setdefault(network.name, network)
    return CostSpec(
        networks=tuple(names.values()), numerics=plan.config.numerics, plan=_cost_plan(plan.config.numerics)
    )


def _cost_plan(numerics: Numerics) -> CostPlan:
    """The default plan, with networks called the way that the run's trials call them."""
    backend: Backend = "cuda_graph" if numerics.cuda_graph else "compile" if numerics.compile else "eager"
    usual = CostPlan()
    settings = tuple(setting.model_copy(update={"backend": backend}) for setting in usual.settings)
    return usual.model_copy(update={"settings": settings})


def has_cost(plan: RunPlan) -> bool:
    """Whether the run has a measurement of all its networks."""
    cost_id = _cost_spec(plan).cost_id
    return plan.folder.path.exists() and any(cost.cost_id == cost_id for cost in plan.folder.costs())


def measure_run_cost(plan: RunPlan, listener: RunListener, networks: NetworkTasks) -> None:
    """Measure cost where the run has no measurement of all its networks yet, while no trial runs."""
    from fbench.benchmark.cost.roofline.measure_roofline import roofline_of_this_machine

    if not has_cost(plan):
        spec, passes = _cost_spec(plan), 2 if plan.config.protocol.test_time_flip else 1
        listener.measuring("what this machine can do at most")
        roofline = roofline_of_this_machine(spec.numerics, plan.device)
        record = networks.measure_cost(spec, plan.device, passes, listener.measuring, roofline)
        if isinstance(record, Failure):
            listener.left_without_cost(record.reason)
            return
        if record.interrupted:  # the run goes on later, and measures it whole
            raise KeyboardInterrupt
        plan.folder.write_cost(record)
        if record.is_of_busy_machine:
            listener.measured_on_busy_machine(record, plan.folder.path)
