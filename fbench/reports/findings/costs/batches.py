"""How long a call takes by its batch size, for every network of one measurement."""

from __future__ import annotations

import math
from dataclasses import dataclass

from fbench.benchmark.records.cost_records import CostRecord
from fbench.benchmark.records.cost_specs import Backend
from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.costs.cost import measurement_of_most
from fbench.reports.findings.costs.timings import timing_of


@dataclass(frozen=True)
class BatchPoint:
    """The time of a call with so many images.

    ``milliseconds`` is the median of calls that took turns with all other networks', with its 95 % interval from
    ``low`` to ``high``. Without an interval it is one short look of the search for the best batch, or its bound is not
    known.
    """

    batch_size: int
    milliseconds: float
    low: float | None = None
    high: float | None = None

    @property
    def images_per_s(self) -> float:
        """Throughput in calls of this size."""
        return 1e3 * self.batch_size / self.milliseconds


@dataclass(frozen=True)
class BatchCurve:
    """A network's inference by batch size; ``points`` are two or more, the smallest batch first."""

    network: str
    points: tuple[BatchPoint, ...]

    def at(self, batch_size: int) -> BatchPoint | None:
        """The point at a batch size, or none."""
        return next((point for point in self.points if point.batch_size == batch_size), None)

    @property
    def best(self) -> BatchPoint:
        """The point of the most images per second, of those that took turns with other networks where there are two."""
        timed = [point for point in self.points if point.low is not None or point.high is not None]
        return max(timed if len(timed) > 1 else self.points, key=lambda point: point.images_per_s)

    @property
    def gain(self) -> float:
        """Images per second at the best batch, as a multiple of those at the smallest."""
        return self.best.images_per_s / self.points[0].images_per_s


@dataclass(frozen=True)
class BatchResult:
    """The curves of one measurement in the order of the plan; ``backend`` is its plan's first one of inference."""

    backend: Backend
    curves: tuple[BatchCurve, ...]

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """All batch sizes that any network has, ascending."""
        return tuple(sorted({point.batch_size for curve in self.curves for point in curve.points}))


def batch_result(run: RunTable) -> BatchResult | None:
    """The curves in the newest measurement that holds most networks; none where nobody has two batch sizes."""
    cost = measurement_of_most(run.costs, run.networks)
    backend = _first_backend(cost) if cost else None
    if cost is None or backend is None:
        return None
    curves = [BatchCurve(network, _points(cost, network, backend)) for network in run.networks]
    known = tuple(curve for curve in curves if len(curve.points) > 1)
    return BatchResult(backend, known) if known else None


def _first_backend(cost: CostRecord) -> Backend | None:
    return next((one.backend for one in cost.spec.plan.settings if one.mode == "inference"), None)


def _points(cost: CostRecord, network: str, backend: Backend) -> tuple[BatchPoint, ...]:
    """One point for each batch; a timed series, and of these one of a fixed batch, goes before a look of the search."""
    found: dict[int, BatchPoint] = {}
    for search in cost.searches:
        if (search.network, search.mode, search.backend) == (network, "inference", backend):
            found |= {
                rate.batch_size: BatchPoint(rate.batch_size, 1e3 * rate.batch_size / rate.images_per_s)
                for rate in search.tried
                if rate.images_per_s > 0
            }
    settings = [one for one in cost.spec.plan.settings if (one.mode, one.backend) == ("inference", backend)]
    for setting in sorted(settings, key=lambda one: one.batch_size is not None):
        series = cost.find(network, setting)
        timing = timing_of(series) if series else None
        if timing is not None:
            middle = timing.quantiles[0]
            found[timing.batch_size] = BatchPoint(
                timing.batch_size, 1e3 * middle.time_s, _milliseconds(middle.low_s), _milliseconds(middle.high_s)
            )
    return tuple(found[batch_size] for batch_size in sorted(found))


def _milliseconds(seconds: float) -> float | None:
    return 1e3 * seconds if math.isfinite(seconds) else None
