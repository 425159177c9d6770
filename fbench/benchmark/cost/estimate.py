"""How long will it take? A few timed steps of each network before a run, for the estimate that is printed first.

A step is timed as trials take it where it is recorded as a CUDA graph, which is several times as fast as the eager one;
a compiled one, which would have to be compiled first, as the eager one.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from fbench.benchmark.cost.backends import make_call
from fbench.benchmark.cost.calls import Call
from fbench.benchmark.machine.allocator import freed_memory_kept
from fbench.benchmark.machine.device import numerics_in_force, synchronize
from fbench.benchmark.records.budget import plan_steps
from fbench.benchmark.records.cost_specs import Backend
from fbench.benchmark.records.protocol import choosing_splits
from fbench.benchmark.records.specs import TrialSpec
from fbench.core.working_clock import working_s

OVERHEAD = 1.2  # augmentation, bookkeeping and a neighbour on the other core, over 48 quick trials on 2 cores
CALLS_IN_A_ROW = 8
START_UP_S = 5.0  # importing torch and loading data in a worker process


def estimate_trials_s(specs: Sequence[TrialSpec], device: torch.device) -> dict[str, float]:
    """Estimated seconds of each trial by id, from one warm step and one evaluation batch of every distinct network.

    A network that cannot be timed (it will fail as a trial, with its reason) is estimated at 0.
    """
    by_network: dict[tuple[str, str], float] = {}
    for spec in specs:
        key = (spec.network.digest, spec.data.fingerprint)
        if key not in by_network:
            try:
                by_network[key] = _estimate_s(spec, device)
            except (Exception, SystemExit):  # the trial itself will record the reason
                by_network[key] = 0.0
    return {spec.trial_id: by_network[spec.network.digest, spec.data.fingerprint] for spec in specs}


def packed_s(trials_s: Sequence[float], jobs: int) -> float:
    """Wall time of trials on ``jobs`` workers, longest first."""
    finish = [0.0] * jobs
    for duration in sorted(trials_s, reverse=True):
        earliest = finish.index(min(finish))
        finish[earliest] += duration
    return max(finish)


def _estimate_s(spec: TrialSpec, device: torch.device) -> float:
    data = spec.data.images_by_split
    plan = plan_steps(spec.protocol, spec.budget, data["train"])
    choosing = sum(data.get(split, 0) for split in choosing_splits(spec.protocol))
    evaluation_batch = min(64 if device.type == "cpu" else 1024, choosing)
    with freed_memory_kept(), numerics_in_force(spec.numerics, device):
        numerics = spec.numerics
        backend: Backend = "cuda_graph" if numerics.cuda_graph else "eager"
        step_s = _warm_time_s(make_call(spec.network, "train", backend, plan.batch_size, numerics, device), device)
        evaluation = make_call(spec.network, "inference", "eager", evaluation_batch, numerics, device)
        evaluation_s = _warm_time_s(evaluation, device)
    passes = 2 if spec.protocol.test_time_flip else 1
    read_images = choosing * (len(plan.evaluate_after) + 1)
    read_images += data.get("test", 0) if spec.protocol.test == "once" else 0
    return plan.steps * step_s * OVERHEAD + passes * read_images * evaluation_s / evaluation_batch


def _warm_time_s(call: Call, device: torch.device) -> float:
    """Seconds of a call after the first; on an accelerator of several that are launched without waiting between."""
    calls = 1 if device.type == "cpu" else CALLS_IN_A_ROW
    call.prepare()
    call.run(lambda: None)
    synchronize(device)
    started = working_s()
    for _ in range(calls):
        call.run(lambda: None)
    synchronize(device)
    return (working_s() - started) / calls
