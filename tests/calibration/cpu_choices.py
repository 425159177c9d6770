"""What each rule of CPU numerics brings: ``python -m tests.calibration.cpu_choices``, about six minutes.

Training steps of the default protocol on resident images, one thread, the choices interleaved within every round.
Writes ``results/training/cpu_choices.csv``: images per second, and the ratio to the plain choice (contiguous maps,
memory returned to the system, eager fp32) as a geometric mean over rounds with a 95 % t-interval.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import numpy as np
import torch
from scipy import stats

from fbench.architectures.registry import create
from fbench.benchmark.machine.allocator import freed_memory_kept, huge_pages_in_new_processes
from fbench.benchmark.machine.device import memory_format, numerics_in_force
from fbench.benchmark.records.numerics import Numerics, choose_numerics
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.training.augment import MixedBatch
from fbench.benchmark.training.optimizers import build_optimizer
from fbench.benchmark.training.step import Totals, make_step
from fbench.core.machine import describe_machine
from tests.csv_tables import read_rows, write_rows

NETWORKS: Final = ("arch1", "ires", "mini_xception", "simple_cnn", "resnet50")
TABLE: Final = Path("results/training/cpu_choices.csv")
CPU: Final = torch.device("cpu")


@dataclass(frozen=True)
class Choice:
    """One way to train: the numerics, whether freed memory stays with the process, and whether it has huge pages."""

    name: str
    numerics: Numerics
    memory_kept: bool
    huge_pages: bool = False


def choices() -> list[Choice]:
    """The plain choice first, then one rule after the other."""
    rule = choose_numerics("cpu")
    plain = rule.model_copy(update={"memory_format": "contiguous"})
    return [
        Choice("plain", plain, False),
        Choice("memory kept", plain, True),
        Choice("channels_last", rule, False),
        Choice("channels_last, memory kept", rule, True),
        Choice("channels_last, memory kept, huge pages", rule, True, huge_pages=True),
        Choice("the same, compiled", choose_numerics("cpu", compile=True), True, huge_pages=True),
        Choice("the same, bf16", choose_numerics("cpu", "bf16"), True, huge_pages=True),
    ]


def steps_of(network: str, numerics: Numerics, batch_size: int) -> Callable[[], None]:
    """One training step on random images, the network and its optimizer made for it alone."""
    torch.manual_seed(0)
    layout = memory_format(numerics)
    module = create(network).to(memory_format=layout)  # type: ignore[call-overload] # torch's stub lacks memory_format alone
    protocol = load_protocol("fbench")
    optimizer = build_optimizer(module, protocol, batch_size, numerics)
    images = torch.randn(batch_size, 1, 48, 48).contiguous(memory_format=layout)
    batch = MixedBatch(images, torch.arange(batch_size) % 7)
    step = make_step(module, optimizer, protocol, numerics, Totals(CPU))
    return lambda: step(batch)


class Worker:
    """A process that trains in one way and takes timed steps when asked.

    Each way has its own, since what else lies in a process's memory decides what its allocator gives back.
    """

    def __init__(self, network: str, batch_size: int, seconds: float, place: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        arguments = (theirs, network, batch_size, seconds, place)
        self._process = context.Process(target=serve, args=arguments, daemon=True)
        with huge_pages_in_new_processes() if choices()[place].huge_pages else contextlib.nullcontext():
            self._process.start()
        self._line.recv()

    def timed_s(self) -> float:
        """Seconds per step."""
        self._line.send("go")
        return float(self._line.recv())

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.join()


def serve(line: Connection, network: str, batch_size: int, seconds: float, place: int) -> None:
    """Runs in a worker: take one step of the choice at ``place``, then time steps when asked."""
    way = choices()[place]
    with freed_memory_kept() if way.memory_kept else contextlib.nullcontext(), numerics_in_force(way.numerics, CPU):
        step = steps_of(network, way.numerics, batch_size)
        step()
        line.send("ready")
        while line.recv() == "go":
            line.send(timed_s(step, seconds))


def timed_s(step: Callable[[], None], seconds: float) -> float:
    """Seconds per call, over at least three calls and ``seconds``, after one that is not counted."""
    step()
    calls, started = 0, time.perf_counter()
    while calls < 3 or time.perf_counter() - started < seconds:
        step()
        calls += 1
    return (time.perf_counter() - started) / calls


def measure(network: str, rounds: int, batch_size: int, seconds: float) -> list[dict[str, object]]:
    """The rows of one network: every choice once in every round, in a random order."""
    ways = choices()
    workers = [Worker(network, batch_size, seconds, place) for place in range(len(ways))]
    times = np.empty((rounds, len(ways)))
    generator = np.random.default_rng(0)
    for number in range(rounds):
        for place in generator.permutation(len(ways)):
            times[number, place] = workers[place].timed_s()
    for worker in workers:
        worker.stop()
    machine = describe_machine()
    rows = []
    for place, way in enumerate(ways):
        logs = np.log(times[:, 0] / times[:, place])
        half = stats.t.ppf(0.975, rounds - 1) * logs.std(ddof=1) / np.sqrt(rounds)
        rows.append(
            {
                "network": network,
                "choice": way.name,
                "images_per_s": round(batch_size / float(np.median(times[:, place])), 1),
                "ratio_to_plain": round(float(np.exp(logs.mean())), 3),
                "ratio_low": round(float(np.exp(logs.mean() - half)), 3),
                "ratio_high": round(float(np.exp(logs.mean() + half)), 3),
                "batch_size": batch_size,
                "rounds": rounds,
                "processor": machine.processor,
                "torch": machine.versions["torch"],
            }
        )
    return rows


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS, help="others keep their rows")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=1.0, help="of steps for each choice in each round")
    parser.add_argument("--out", type=Path, default=TABLE)
    given = parser.parse_args()
    kept = read_rows(given.out)
    found = [row for name in given.networks for row in measure(name, given.rounds, given.batch_size, given.seconds)]
    rows = [*(row for row in kept if row["network"] not in given.networks), *found]
    write_rows(given.out, sorted(rows, key=lambda row: NETWORKS.index(str(row["network"]))))


if __name__ == "__main__":
    main()
