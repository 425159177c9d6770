"""A run of many trials over many machines in simulated time, beside the best that could be planned beforehand."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from pretended import answer_of, specs_in
from simulated import Machine, SimulatedCluster, best_static_packing_s, least_possible_s

from fbench.benchmark.clusters.options import ClusterOptions
from fbench.benchmark.clusters.ray_executor import RayExecutor
from fbench.benchmark.records.events import Ended, Event
from fbench.benchmark.runs.driver import run_trials
from fbench.benchmark.runs.executors import WorkerContext
from fbench.benchmark.store.run_folder import RunFolder

SEED: Final = 20261130
_NETWORKS: Final = 20
_TYPICAL_S, _SPREAD = 900.0, 0.8
"""The median training of a network, and the standard deviation of the logarithm: from 4 minutes to an hour."""


@dataclass(frozen=True)
class Scenario:
    """Machines, and how far an estimate is off: the standard deviation of its logarithm."""

    machines: Callable[[int], Sequence[Machine]]
    estimate_error: float = 0.0


def alike(nodes: int) -> list[Machine]:
    return [Machine(f"n{number}", 1) for number in range(nodes)]


def of_several_cores(nodes: int) -> list[Machine]:
    return [Machine(f"n{number}", 4) for number in range(nodes)]


def of_other_speeds(nodes: int) -> list[Machine]:
    speeds = np.random.default_rng(SEED).uniform(0.6, 1.4, nodes)
    return [Machine(f"n{number}", 1, float(speed)) for number, speed in enumerate(speeds)]


def that_come_and_go(nodes: int) -> list[Machine]:
    """A fifth leaves at some moment, and as many others join later."""
    generator = np.random.default_rng(SEED)
    away = nodes // 5
    leaving = [Machine(f"n{number}", 1, leaves_s=float(generator.uniform(600, 12_000))) for number in range(away)]
    joining = [Machine(f"j{number}", 1, joins_s=float(generator.uniform(600, 12_000))) for number in range(away)]
    return [*leaving, *joining, *(Machine(f"n{number}", 1) for number in range(away, nodes))]


SCENARIOS: Final[Mapping[str, Scenario]] = {
    "nodes alike": Scenario(alike),
    "estimates off by a third": Scenario(alike, 0.33),
    "four cores each": Scenario(of_several_cores),
    "speeds from 0.6 to 1.4": Scenario(of_other_speeds, 0.33),
    "a fifth leaves, a fifth joins": Scenario(that_come_and_go, 0.33),
}


@dataclass(frozen=True)
class Outcome:
    """What a simulated run came to.

    ``packing_s`` is the wall time of the best static packing with all known beforehand, where machines stay, and else
    the least that is possible; ``again`` are trainings that were begun again; ``driver_ms_per_trial`` is the processor
    time of this process for each trial, whose results are files.
    """

    scenario: str
    nodes: int
    trials: int
    lost: int
    doubled: int
    again: int
    wall_s: float
    packing_s: float
    over_packing_percent: float
    driver_ms_per_trial: float


def simulate(name: str, trials: int, nodes: int, folder: Path) -> Outcome:
    """Run so many trials on the machines of a scenario, longest estimate first, by the driver and its executor."""
    scenario = SCENARIOS[name]
    machines = scenario.machines(nodes)
    generator = np.random.default_rng(SEED)
    typical = _TYPICAL_S * np.exp(_SPREAD * generator.standard_normal(_NETWORKS))
    estimates = typical[np.arange(trials) % _NETWORKS]
    work = estimates * np.exp(scenario.estimate_error * generator.standard_normal(trials))
    (first,) = specs_in(folder, 1)
    specs = [first.model_copy(update={"seed": seed}) for seed in range(trials)]
    order = np.argsort(-estimates, kind="stable")
    by_id = {spec.trial_id: spec for spec in specs}
    work_s = {spec.trial_id: float(seconds) for spec, seconds in zip(specs, work, strict=True)}
    answers = folder / "there"
    cluster = SimulatedCluster(machines, work_s, lambda trial_id: answer_of(by_id[trial_id], answers))
    run = RunFolder(folder / "run")
    context = WorkerContext(folder / "scratch", checkpoints=run.checkpoints)
    ended: list[str] = []

    def hear(event: Event) -> None:
        if isinstance(event, Ended):
            ended.append(event.trial_id)

    before_s = time.process_time()
    with RayExecutor(context, ClusterOptions(), {}, connect=cluster.connected) as executor:
        left = run_trials(executor, [specs[place] for place in order], run, hear)
    driver_s = time.process_time() - before_s
    stay = all(one.joins_s == 0 and one.leaves_s == float("inf") for one in machines)
    packing_s = (best_static_packing_s if stay else least_possible_s)(machines, list(work_s.values()))
    return Outcome(
        scenario=name,
        nodes=nodes,
        trials=trials,
        lost=len(left) + len(by_id.keys() - set(ended)),
        doubled=len(ended) - len(set(ended)),
        again=sum(cluster.begun.values()) - len(cluster.begun),
        wall_s=round(cluster.now, 1),
        packing_s=round(packing_s, 1),
        over_packing_percent=round(100 * (cluster.now / packing_s - 1), 2),
        driver_ms_per_trial=round(1000 * driver_s / trials, 2),
    )
