"""Measurements of cost made up for tests: known ratios under a known noise."""

from __future__ import annotations

import numpy as np

from fbench.benchmark.records.cost_records import REFERENCE, CostRecord, TimingSeries
from fbench.benchmark.records.cost_specs import CostPlan, CostSpec, Setting
from fbench.benchmark.records.numerics import choose_numerics
from tests.reports.fabricated_run import MACHINE, network_spec, static_cost

LATENCY, BEST, TRAIN = Setting(), Setting(batch_size=None), Setting(mode="train", batch_size=64)
BLOCKS = tuple(range(20))


def series(
    network: str,
    factor: float,
    setting: Setting = LATENCY,
    batch_size: int = 1,
    instance: int = 0,
    seed: int = 0,
    day: int = 99,
) -> TimingSeries:
    """Twenty blocks on a machine whose pace wanders from ``day`` to day, with 1 % noise of its own for each network."""
    weather = np.exp(np.random.default_rng(day).normal(0, 0.3, len(BLOCKS)))
    own = np.exp(np.random.default_rng(seed).normal(0, 0.01, len(BLOCKS)))
    return TimingSeries(
        network=network,
        instance=instance,
        setting=setting,
        batch_size=batch_size,
        threads=1,
        blocks=BLOCKS,
        turns=(0,) * len(BLOCKS),
        orders=(0,) * len(BLOCKS),
        times_s=tuple(float(value) for value in 0.01 * factor * weather * own),
        warmup_calls=10,
        warm=True,
    )


def cost(
    *found: TimingSeries, settings: tuple[Setting, ...] = (LATENCY,), started_at: str = "2026-01-02T04:04:05+00:00"
) -> CostRecord:
    """A measurement of what was timed."""
    names = [name for name in dict.fromkeys(one.network for one in found) if name != REFERENCE]
    spec = CostSpec(
        networks=tuple(network_spec(name) for name in names),
        numerics=choose_numerics("cpu"),
        plan=CostPlan(settings=settings),
    )
    return CostRecord(
        cost_id=spec.cost_id,
        spec=spec,
        machine=MACHINE,
        started_at=started_at,
        finished_at="2026-01-02T04:06:05+00:00",
        before=None,
        after=None,
        static={name: static_cost(name) for name in names},
        series=found,
        memory=(),
    )
