"""Measure what a machine's plan rests on: real training steps, in as many processes as trials at a time."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Final

import psutil

from fbench.benchmark.machine.jobs import jobs_limit
from fbench.benchmark.machine.machine_plan import ChunkRate, JobsRate, MachinePlan, planned_machine
from fbench.benchmark.records.protocol import load_protocol
from fbench.core.capacity import available_memory_gib, usable_cores
from fbench.core.machine import busy_percent, describe_machine

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from fbench.benchmark.records.numerics import Numerics
    from fbench.benchmark.training.augment import MixedBatch

NETWORK: Final = "ires"
ROUNDS: Final = 3
MOST_ON_ACCELERATOR: Final = 8
CHUNKS: Final = (128, 1024, 4096)


@dataclass(frozen=True)
class _Pace:
    """What one process did in its time."""

    images_per_s: float
    memory_mib: float


def measure_plan(device: torch.device, seconds: float = 1.0) -> MachinePlan:
    """Train ``ires`` on synthetic faces in 1, 2, 4, ... processes, each number in three blocks of ``seconds``.

    Blocks are in random order, so that a drift of the machine hits all numbers alike; the median counts.
    """
    busy = busy_percent(min(seconds, 0.5))
    numbers = jobs_to_try(jobs_limit(usable_cores(), available_memory_gib())[0], device.type)
    chunks = _chunk_rates(device, seconds)
    with _workers(max(numbers), str(device)) as lines:
        blocks = {jobs: list[tuple[float, float]]() for jobs in numbers}
        order = random.Random(0)
        for _ in range(ROUNDS):
            for jobs in order.sample(numbers, len(numbers)):
                blocks[jobs].append(_block(lines[:jobs], seconds))
    rates = tuple(_rate(jobs, blocks[jobs]) for jobs in numbers)
    return MachinePlan(
        machine=planned_machine(describe_machine(), device.type),
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        network=NETWORK,
        batch_size=_batch_size(),
        busy_percent=busy,
        jobs_rates=rates,
        chunk_rates=chunks,
    )


def jobs_to_try(limit: int, device_kind: str) -> list[int]:
    """Powers of two up to the limit of the machine, and the limit; on an accelerator not above eight."""
    most = limit if device_kind == "cpu" else min(limit, MOST_ON_ACCELERATOR)
    powers = [2**power for power in range(most.bit_length()) if 2**power < most]
    return [*powers, most]


def _rate(jobs: int, blocks: Sequence[tuple[float, float]]) -> JobsRate:
    rates = sorted(rate for rate, _ in blocks)
    memory = max(memory for _, memory in blocks)
    return JobsRate(jobs=jobs, images_per_s=round(rates[len(rates) // 2], 1), memory_per_trial_mib=round(memory, 1))


def _block(lines: Sequence[Connection], seconds: float) -> tuple[float, float]:
    """Images a second of all these processes together, and the memory of the largest in MiB."""
    for line in lines:
        line.send(seconds)
    paces: list[_Pace] = [line.recv() for line in lines]
    return sum(pace.images_per_s for pace in paces), max(pace.memory_mib for pace in paces)


@contextmanager
def _workers(number: int, device: str) -> Iterator[list[Connection]]:
    """Processes that wait with a network in memory, and the lines to them."""
    context = multiprocessing.get_context("spawn")
    pairs = [context.Pipe() for _ in range(number)]
    processes = [
        context.Process(target=_work, args=(theirs, device, number, seed), daemon=True)
        for seed, (_, theirs) in enumerate(pairs)
    ]
    try:
        for process in processes:
            process.start()
        for _, theirs in pairs:  # so that a process that dies closes its line, and waiting for it raises EOFError
            theirs.close()
        for ours, _ in pairs:
            ours.recv()
        yield [ours for ours, _ in pairs]
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _work(line: Connection, device_name: str, trials: int, seed: int) -> None:
    """Answer every number of seconds with the pace of training for so long."""
    import torch

    from fbench.benchmark.machine.allocator import freed_memory_kept
    from fbench.benchmark.machine.device import device_kind, numerics_in_force, share_device
    from fbench.benchmark.records.numerics import choose_numerics

    device = torch.device(device_name)
    share_device(device, trials)
    numerics = choose_numerics(device_kind(device))
    with freed_memory_kept(), numerics_in_force(numerics, device):
        step = _training_step(device, numerics, seed)
        for _ in range(4):  # the first steps allocate, choose algorithms, and record a graph where there is one
            step()
        line.send(True)
        while True:
            rate = _images_per_s(step, _batch_size(), float(line.recv()), device)
            line.send(_Pace(rate, _memory_mib(device)))


def _images_per_s(call: Callable[[], object], images: int, seconds: float, device: torch.device) -> float:
    """Repeat a call that handles so many images for about ``seconds``."""
    from fbench.benchmark.machine.device import synchronize

    synchronize(device)
    calls, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        call()
        calls += 1
        if calls % 16 == 0:  # or an accelerator would have work for much longer queued up by then
            synchronize(device)
    synchronize(device)
    return calls * images / (time.perf_counter() - started)


def _memory_mib(device: torch.device) -> float:
    """What this process holds: reserved memory of a GPU, else resident memory."""
    import torch

    if device.type == "cuda":
        return float(torch.cuda.max_memory_reserved(device)) / 2**20
    return float(psutil.Process().memory_info().rss) / 2**20


def _chunk_rates(device: torch.device, seconds: float) -> tuple[ChunkRate, ...]:
    """Batches of the default protocol, laid out for training, with so many images augmented at once."""
    from fbench.benchmark.machine.device import device_kind, numerics_in_force
    from fbench.benchmark.records.numerics import choose_numerics

    numerics, size, rates = choose_numerics(device_kind(device)), _batch_size(), []
    with numerics_in_force(numerics, device):
        for chunk in CHUNKS:
            batches = _batches(device, numerics, 0, chunk)
            several = chunk // size
            call = partial(_take, batches, several)
            call()
            rate = _images_per_s(call, size * several, seconds / 2, device)
            rates.append(ChunkRate(images_at_once=chunk, images_per_s=round(rate, 1)))
    return tuple(rates)


def _take(batches: Iterator[object], count: int) -> None:
    for _ in range(count):
        next(batches)


def _batch_size() -> int:
    return load_protocol("fbench").batch_size


def _training_step(device: torch.device, numerics: Numerics, seed: int) -> Callable[[], None]:
    """One training step of the default protocol, augmentation included."""
    import torch

    from fbench.architectures.registry import create
    from fbench.benchmark.machine.device import memory_format
    from fbench.benchmark.training.optimizers import build_optimizer
    from fbench.benchmark.training.step import Totals, make_step

    protocol = load_protocol("fbench")
    torch.manual_seed(seed)
    network = create(NETWORK).to(device).to(memory_format=memory_format(numerics))  # type: ignore[call-overload] # torch's stub lacks memory_format alone
    optimizer = build_optimizer(network, protocol, protocol.batch_size, numerics)
    step = make_step(network, optimizer, protocol, numerics, Totals(device))
    batches = _batches(device, numerics, seed, None)
    return lambda: step(next(batches))


def _batches(device: torch.device, numerics: Numerics, seed: int, at_once: int | None) -> Iterator[MixedBatch]:
    """Batches of the default protocol from the synthetic faces."""
    from fbench.benchmark.data.load import load_dataset
    from fbench.benchmark.data.source import DataReference
    from fbench.benchmark.machine.device import Stopwatch
    from fbench.benchmark.records.budget import StepPlan
    from fbench.benchmark.training.batches import AugmentedBatches
    from fbench.benchmark.training.seeds import derive_seeds
    from fbench.benchmark.training.tensors import choose_normalisation, split_to_device

    protocol = load_protocol("fbench")
    split = split_to_device(load_dataset(DataReference(name="synthetic")), "train", device, numerics)
    per_epoch = max(1, len(split.labels) // protocol.batch_size)
    plan = StepPlan(per_epoch, protocol.batch_size, per_epoch, (per_epoch,))
    return AugmentedBatches(
        split,
        choose_normalisation(protocol, split),
        protocol.augmentation,
        plan,
        numerics,
        derive_seeds(seed),
        Stopwatch(device),
        at_once,
    )
