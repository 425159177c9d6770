"""How near each network comes to what its machine can do at most (roofline, Williams et al. 2009)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fbench.benchmark.machine_roof import MachineRoof
from fbench.reports.cost_axes import common_measurement
from fbench.reports.evidence import Evidence
from fbench.reports.timings import roof_share, timing_of


@dataclass(frozen=True)
class RoofPoint:
    """A network in calls of one batch size.

    Attributes:
        network: its name.
        batch_size: images in a call.
        intensity: floating-point operations for each byte moved, at most.
        flops_per_s: operations divided by the median time of a call; two for a multiply-accumulate.
        share: the floor of a call, its layers one after another under the roof, divided by that time.
        bound: what most of the floor goes into.
    """

    network: str
    batch_size: int
    intensity: float
    flops_per_s: float
    share: float
    bound: Literal["compute", "memory"]


@dataclass(frozen=True)
class Roofline:
    """The roof of the machine that timed these points."""

    roof: MachineRoof
    points: tuple[RoofPoint, ...]


def roofline(evidence: Evidence) -> Roofline | None:
    """Every network at each batch of inference whose time and floor are known; none without a measured roof."""
    cost = common_measurement(evidence)
    if cost is None or cost.roof is None:
        return None
    points = []
    for series in cost.series:
        timing = timing_of(series) if series.network in evidence.networks and series.instance == 0 else None
        share = roof_share(cost, series.setting, timing) if timing else None
        floor = cost.floor_of(series.network, series.batch_size)
        if timing is not None and share is not None and floor is not None:
            points.append(
                RoofPoint(
                    network=series.network,
                    batch_size=series.batch_size,
                    intensity=floor.intensity,
                    flops_per_s=floor.flops / timing.quantiles[0].time_s,
                    share=share,
                    bound=floor.bound,
                )
            )
    return Roofline(cost.roof, tuple(points)) if points else None
