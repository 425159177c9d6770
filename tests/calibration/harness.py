"""What training costs beyond the bare step: ``python -m tests.calibration.harness``, about three minutes.

Writes to ``results/training/``:

- ``harness.csv``: for each network the bare step on resident tensors, augmentation, and the whole loop, in blocks that
  alternate; the loop's overhead beyond step and augmentation, and the share of augmentation, both in percent of the
  bare step;
- ``tiny_trials.csv``: seconds per trial of a run of many trials of two steps, beyond the steps themselves.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import torch

from fbench.architectures.registry import create
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.machine.allocator import freed_memory_kept
from fbench.benchmark.machine.device import Stopwatch, memory_format, numerics_in_force
from fbench.benchmark.records.budget import StepPlan
from fbench.benchmark.records.numerics import choose_numerics
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.training.batches import AugmentedBatches
from fbench.benchmark.training.loop import train
from fbench.benchmark.training.optimizers import build_optimizer
from fbench.benchmark.training.seeds import derive_seeds
from fbench.benchmark.training.state import TrainingData, TrainingSettings, TrainingState
from fbench.benchmark.training.step import Totals, make_step
from fbench.benchmark.training.tensors import choose_normalisation, split_to_device
from fbench.core.machine import describe_machine
from tests.csv_tables import write_rows

NETWORKS: Final = ("arch1", "ires", "mini_xception", "simple_cnn")
CPU: Final = torch.device("cpu")
SEEDS: Final = derive_seeds(0)


def measure_network(name: str, steps: int, blocks: int) -> dict[str, object]:
    """Medians over blocks of ``steps`` steps each: bare step, augmentation alone, and the loop without evaluation."""
    numerics, protocol = choose_numerics("cpu"), load_protocol("fbench")
    dataset = load_dataset(DataReference(name="synthetic"))
    size = protocol.batch_size
    torch.manual_seed(0)
    network = create(name).to(memory_format=memory_format(numerics))  # type: ignore[call-overload] # torch's stub lacks memory_format alone
    split = split_to_device(dataset, "train", CPU, numerics)
    choosing = split_to_device(dataset, "validation", CPU, numerics)
    few = replace(choosing, images=choosing.images[:8], labels=choosing.labels[:8])
    data = TrainingData(split, few, choose_normalisation(protocol, split))
    plan = StepPlan(steps, size, len(split.labels) // size, (steps,))
    step = make_step(network, build_optimizer(network, protocol, size, numerics), protocol, numerics, Totals(CPU))
    watch = Stopwatch(CPU)
    batches = AugmentedBatches(split, data.normalisation, protocol.augmentation, plan, numerics, SEEDS, watch)
    resident = [next(batches) for _ in range(4)]
    bare, augmenting, loop = [], [], []
    for _ in range(blocks + 1):
        started = time.perf_counter()
        for number in range(steps):
            step(resident[number % 4])
        bare.append((time.perf_counter() - started) / steps)
        started = time.perf_counter()
        for _ in range(steps):
            next(batches)
        augmenting.append((time.perf_counter() - started) / steps)
        training = train(TrainingState(network, data, TrainingSettings(protocol, plan, numerics, SEEDS)))
        loop.append(training.history[-1].train_time_s / steps)
    bare_s, augmenting_s = (float(np.median(values[1:])) for values in (bare, augmenting))
    beyond = np.array(loop[1:]) - np.array(bare[1:])
    return {
        "network": name,
        "batch_size": size,
        "bare_step_ms": round(1000 * bare_s, 2),
        "augmentation_ms": round(1000 * augmenting_s, 2),
        "loop_step_ms": round(1000 * float(np.median(loop[1:])), 2),
        "augmentation_percent": round(100 * augmenting_s / bare_s, 2),
        "overhead_percent": round(100 * float(np.median(beyond / np.array(bare[1:])) - augmenting_s / bare_s), 2),
        "processor": describe_machine().processor,
    }


def tiny_trials(trials: int, folder: Path) -> dict[str, object]:
    """Trials of two steps one after another in one process, with all that is written of each."""
    from fbench.ablations.suite import adhoc_suite
    from fbench.benchmark.records.budget import Budget
    from fbench.benchmark.records.events import Ended, Event
    from fbench.benchmark.runs.driver import run_trials
    from fbench.benchmark.runs.executors import WorkerContext
    from fbench.benchmark.runs.local_executor import LocalExecutor
    from fbench.benchmark.runs.planning import plan_run
    from fbench.benchmark.runs.request import RunRequest
    from fbench.benchmark.store.run_folder import RunFolder

    learning_s: list[float] = []

    def watch(event: Event) -> None:
        """Note the time inside training and evaluation."""
        if isinstance(event, Ended):
            if event.record.times is None:
                raise RuntimeError(event.record.failure_reason)
            learning_s.append(event.record.times.train_time_s + event.record.times.evaluation_time_s)

    plan = plan_run(RunRequest(suite=adhoc_suite(["lenet5"], None), preset="smoke", seeds=1, out=folder, jobs=1))
    tiny = Budget(image_passes=16, batch_size=8, train_images=64)
    quiet = plan.specs[0].protocol.model_copy(update={"test": "none"})
    specs = [
        plan.specs[0].model_copy(update={"seed": seed, "budget": tiny, "protocol": quiet}) for seed in range(trials)
    ]
    executor, run_folder = LocalExecutor(WorkerContext(folder / "scratch")), RunFolder(folder)
    run_trials(executor, specs[:3], run_folder, watch)  # imports and caches
    learning_s.clear()
    started = time.perf_counter()
    run_trials(executor, specs[3:], run_folder, watch)
    total_s = time.perf_counter() - started
    return {
        "trials": trials - 3,
        "seconds": round(total_s, 2),
        "learning_and_evaluating_s": round(sum(learning_s), 2),
        "harness_ms_per_trial": round(1000 * (total_s - sum(learning_s)) / (trials - 3), 1),
        "processor": describe_machine().processor,
    }


def main() -> None:
    """Measure, print and write both tables."""
    import tempfile

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--blocks", type=int, default=9)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path("results") / "training")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        write_rows(given.out / "tiny_trials.csv", [tiny_trials(given.trials, Path(place) / "run")])
    with freed_memory_kept(), numerics_in_force(choose_numerics("cpu"), CPU):
        rows = [measure_network(name, given.steps, given.blocks) for name in NETWORKS]
    write_rows(given.out / "harness.csv", rows)


if __name__ == "__main__":
    main()
