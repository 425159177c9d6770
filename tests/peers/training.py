"""fbench beside what people would use instead: ``python -m tests.peers.training [--data fer2013=PATH]``.

Every contestant trains the same network in one of two layouts, two processes of one thread each or one process of
two threads, both for two trials' worth of work; a pilot block decides which is better for it (fbench always has two
processes). With ``--device cuda`` fbench and the plain loop have the accelerator to themselves in turn, one process
each, the loop with a loader worker on all but two cores. All take blocks in turn, in a random order within every round,
while the others sleep. Blocks are appended to ``blocks.jsonl`` as they end, and ``training.csv`` is made from all of
that file.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import numpy as np

from fbench.benchmark.machine.allocator import huge_pages_in_new_processes
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.core.capacity import usable_cores
from fbench.core.machine import describe_machine
from tests.csv_tables import rounded, write_rows
from tests.peers.table import RawBlock, geometric_means, rows

NETWORKS: Final = ("arch1", "ires", "mini_xception", "simple_cnn", "resnet50")
CONTESTANTS: Final = ("fbench", "plain", "keras", "lightning")
BATCH: Final = load_protocol("fbench").batch_size


@dataclass(frozen=True)
class Layout:
    """How a contestant uses two cores: processes, threads of each, and loader workers of each."""

    processes: int
    threads: int
    loader_workers: int

    def __str__(self) -> str:
        return f"{self.processes} x {self.threads} threads, {self.loader_workers} loader workers"


LAYOUTS: Final = {
    "fbench": (Layout(2, 1, 0),),
    "keras": (Layout(2, 1, 0), Layout(1, 2, 0)),
    "plain": (Layout(2, 1, 0), Layout(1, 2, 0), Layout(1, 2, 2)),
    "lightning": (Layout(2, 1, 0), Layout(1, 2, 0), Layout(1, 2, 2)),
}


def layouts(contestant: str, device: str) -> tuple[Layout, ...]:
    """What is tried: on a CPU two processes or two threads, on an accelerator one process with as many loader workers
    as there are cores to spare."""
    if device == "cpu":
        return LAYOUTS[contestant]
    return (Layout(1, 1, max(1, usable_cores() - 2) if contestant == "plain" else 0),)


class Team:
    """The resident processes of one contestant in one layout."""

    def __init__(self, contestant: str, network: str, precision: str, data: str, layout: Layout, device: str) -> None:
        self.contestant, self.layout = contestant, layout
        context = multiprocessing.get_context("spawn")
        self._lines: list[Connection] = []
        self._processes = []
        for seed in range(layout.processes):
            ours, theirs = context.Pipe()
            arguments = (theirs, contestant, network, precision, data, layout, device, seed)
            process = context.Process(target=serve, args=arguments)
            with huge_pages_in_new_processes() if contestant == "fbench" else nullcontext():  # as fbench's workers
                process.start()
            self._lines.append(ours)
            self._processes.append(process)
        self.start_s = max(float(line.recv()) for line in self._lines)

    def block(self, steps: int) -> tuple[int, float]:
        """Images and seconds of a block: all processes at once, the slowest counts."""
        for line in self._lines:
            line.send(steps)
        seconds = max(float(line.recv()) for line in self._lines)
        return (steps - 1) * BATCH * len(self._lines), seconds

    def stop(self) -> None:
        """End the processes."""
        for line in self._lines:
            line.send(0)
        for process in self._processes:
            process.join()


def serve(
    line: Connection, contestant: str, network: str, precision: str, data: str, layout: Layout, device: str, seed: int
) -> None:
    """Runs in a worker: build, take three steps, then blocks as asked until asked for none."""
    started = time.perf_counter()
    from fbench.benchmark.data.load import load_dataset
    from fbench.benchmark.data.references import parse_reference
    from tests.peers import contestants

    dataset = load_dataset(parse_reference(data))
    threads, loader_workers = layout.threads, layout.loader_workers
    task = contestants.Task(network, dataset, precision, threads, loader_workers, seed, device=device)  # type: ignore[arg-type] # argparse allows these words only
    block = contestants.make_contestant(contestant, task).block
    block(3)
    line.send(time.perf_counter() - started)
    while steps := line.recv():
        line.send(block(steps))


def best_team(
    contestant: str, network: str, precision: str, data: str, device: str, seconds: float
) -> tuple[Team, int]:
    """The contestant's fastest layout, and how many steps take it about ``seconds``."""
    best: tuple[float, Team] | None = None
    for layout in layouts(contestant, device):
        team = Team(contestant, network, precision, data, layout, device)
        images, time_s = team.block(8)
        if best is None or images / time_s > best[0]:
            if best is not None:
                best[1].stop()
            best = images / time_s, team
        else:
            team.stop()
    if best is None:
        raise ValueError(f"{contestant} has no layout")
    rate, team = best
    return team, max(4, round(rate * seconds / BATCH / team.layout.processes))


def measure(network: str, given: argparse.Namespace, file: Path) -> None:
    """All contestants on one network, in interleaved rounds."""
    teams = {
        name: best_team(name, network, given.precision, given.data, given.device, given.seconds)
        for name in given.contestants
    }
    generator = np.random.default_rng(0)
    for number in range(given.rounds):
        for place in generator.permutation(len(given.contestants)):
            name = given.contestants[place]
            team, steps = teams[name]
            images, time_s = team.block(steps)
            start_s = round(team.start_s, 2)
            block = RawBlock(network, given.precision, name, str(team.layout), number, images, time_s, start_s)
            with file.open("a", encoding="utf-8") as stream:
                machine = describe_machine()
                processor = machine.processor if given.device == "cpu" else machine.accelerator
                extra = {"processor": processor, "torch": machine.versions["torch"]}
                stream.write(json.dumps(asdict(block) | extra) + "\n")
    for team, _ in teams.values():
        team.stop()


def read_blocks(file: Path) -> list[RawBlock]:
    """Every block so far; a network that was measured again counts with its last blocks."""
    names = RawBlock.__dataclass_fields__
    found: dict[tuple[str, str, str, int], RawBlock] = {}
    for text in file.read_text(encoding="utf-8").splitlines():
        block = RawBlock(**{key: value for key, value in json.loads(text).items() if key in names})
        found[block.network, block.precision, block.contestant, block.round] = block
    return list(found.values())


def write_table(file: Path, blocks: Sequence[RawBlock]) -> None:
    """Write the table and print it, with the geometric means over networks."""
    table = rows(blocks)
    write_rows(file, [rounded(asdict(row), 3) for row in table])
    for (precision, contestant), ratio in geometric_means(table).items():
        print(f"geometric mean, {precision}: fbench is {ratio:.3f} times as fast as {contestant}")  # noqa: T201 - a script reports by printing


def main() -> None:
    """Measure what was asked for and write the table of all that was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="synthetic", help="synthetic, or fer2013=PATH")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--contestants", nargs="+", choices=CONTESTANTS, default=CONTESTANTS)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="cuda: fbench and plain alone")
    parser.add_argument("--precision", choices=("fp32", "tf32", "bf16"), default="fp32")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each block")
    parser.add_argument("--out", type=Path, default=Path("results") / "peers")
    given = parser.parse_args()
    if given.device == "cuda":
        given.contestants = [name for name in given.contestants if name in ("fbench", "plain")]
    given.out.mkdir(parents=True, exist_ok=True)
    for network in given.networks:
        measure(network, given, given.out / "blocks.jsonl")
    write_table(given.out / "training.csv", read_blocks(given.out / "blocks.jsonl"))


if __name__ == "__main__":
    main()
