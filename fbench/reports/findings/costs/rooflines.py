"""How close networks come to what their machine can do at most.

Roofline: Williams, Waterman and Patterson 2009, Communications of the ACM 52(4), 65-76.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from fbench.benchmark.machine.machine_roofline import MachineRoofline
from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.records.cost_specs import Backend, Setting
from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.costs.cost import measurement_of_most
from fbench.reports.findings.costs.timings import LAYER_BY_LAYER, roofline_share, timing_of

NEITHER_FROM: Final = 5.0


@dataclass(frozen=True)
class RooflinePoint:
    """A network's inference in one batch size below the roofline.

    ``intensity`` is in FLOPs a byte. ``achieved_flops_per_s`` is the FLOPs of a call over its median time,
    ``least_flops_per_s`` and ``most_flops_per_s`` over the ends of that median's 95 % interval, and
    ``reachable_flops_per_s`` over the floor: the least time of its layers one after another. ``share`` is the floor
    over the median time: 1 would be at the roofline. ``bound`` is what most of the floor goes into; where a call takes
    more than :data:`NEITHER_FROM` times its floor, neither, as what a call costs whatever it computes.
    """

    network: str
    batch_size: int
    intensity: float
    achieved_flops_per_s: float
    least_flops_per_s: float
    most_flops_per_s: float
    reachable_flops_per_s: float
    share: float
    bound: Literal["compute", "memory", "neither"]


@dataclass(frozen=True)
class RooflineResult:
    """The roofline of a measurement and what is below it: by network in the order of the plan, the smallest batch
    first."""

    backend: Backend
    roofline: MachineRoofline
    points: tuple[RooflinePoint, ...]


def roofline_result(run: RunTable) -> RooflineResult | None:
    """The roofline of the newest measurement that holds most networks, in the plan's first backend that runs layer by
    layer; none where no roofline was measured, or no network has both a floor and a time."""
    cost = measurement_of_most(run.costs, run.networks)
    if cost is None or cost.roofline is None:
        return None
    settings = [one for one in cost.spec.plan.settings if one.mode == "inference" and one.backend in LAYER_BY_LAYER]
    if not settings:
        return None
    backend = settings[0].backend
    wanted = sorted(
        (one for one in settings if one.backend == backend), key=lambda one: (one.batch_size is None, one.batch_size)
    )
    points = tuple(point for network in run.networks for point in _points(cost, network, wanted))
    return RooflineResult(backend, cost.roofline, points) if points else None


def _points(cost: CostRecord, network: str, settings: list[Setting]) -> tuple[RooflinePoint, ...]:
    """One point for each batch; of two settings that come to the same, the one of a fixed batch."""
    found: dict[int, RooflinePoint] = {}
    for setting in settings:
        point = _point(cost, network, setting)
        if point is not None:
            found.setdefault(point.batch_size, point)
    return tuple(found[batch_size] for batch_size in sorted(found))


def _point(cost: CostRecord, network: str, setting: Setting) -> RooflinePoint | None:
    series = cost.find(network, setting)
    timing = timing_of(series) if series else None
    floor = cost.floor_of(network, timing.batch_size) if timing else None
    share = roofline_share(cost, setting, timing) if timing else None
    if timing is None or floor is None or share is None:
        return None
    middle = timing.quantiles[0]
    return RooflinePoint(
        network=network,
        batch_size=timing.batch_size,
        intensity=floor.intensity,
        achieved_flops_per_s=floor.flops / middle.time_s,
        least_flops_per_s=floor.flops / middle.high_s,
        most_flops_per_s=floor.flops / middle.low_s,
        reachable_flops_per_s=floor.flops / floor.floor_s,
        share=share,
        bound=floor.bound if share * NEITHER_FROM >= 1 else "neither",
    )
