"""Proof that a cluster loses, doubles and changes nothing: ``python -m tests.calibration.ray_cluster``.

Two nodes of a real Ray cluster on this machine, and trials that were trained without disturbance on the local executor
before. Writes ``results/ray/tries.csv``, a line for each try, and of them ``cluster.csv``. Tries that are in the table
are not made again; ``--minutes`` begins none after so many.

- ``node killed``: three trials; all processes of one node are killed with SIGKILL at a random moment of training
- ``nodes join and leave``: 200 tiny trials, while the second node joins and leaves again and again, by SIGTERM and by
  SIGKILL
- ``driver killed``: three trials; the driver is killed with SIGKILL at a random moment of training, and the run started
  again
- ``undisturbed``: 200 tiny trials, as long as nothing happens; how much longer they take than on the local executor
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final

import fbench.data
from fbench.benchmark.clusters.options import ClusterOptions
from fbench.benchmark.clusters.ray_executor import RayExecutor
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.references import parse_reference
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.events import Ended, Evaluated, Event, Started
from fbench.benchmark.records.specs import TrialSpec, data_spec
from fbench.benchmark.runs.driver import run_trials
from fbench.benchmark.runs.executors import WorkerContext
from fbench.benchmark.runs.local_executor import LocalExecutor
from fbench.benchmark.store.run_folder import RunFolder
from fbench.core.files import unfinished_beside
from tests.csv_tables import read_rows, save_rows
from tests.real_cluster import RealCluster, real_cluster
from tests.support import make_stripes, trial_spec_of

TRIES: Final = {"undisturbed": 5, "node killed": 20, "nodes join and leave": 3, "driver killed": 10}
_COMPARED: Final = ("weights.safetensors", "predictions.npz", "logits.npz")
_LONG, _TINY = (3, 10, 96 * 200), (200, 1, 96)
"""Trials, evaluation points and image passes."""


@dataclass(frozen=True)
class Try:
    """One try: of so many trials how many had no result, ended twice, or differ.

    ``again`` is the most evaluation points of one trial that were made twice, and ``begun_again`` how many trainings
    were cut off and begun again, as far as their driver lived to tell; ``moment_s`` when it was disturbed, and
    ``over_local_ms`` what a trial took more than on the local executor.
    """

    kind: str
    number: int
    trials: int
    lost: int
    doubled: int
    wrong: int
    again: int
    begun_again: int | None
    moment_s: float
    seconds: float
    over_local_ms: float | None = None


@dataclass(frozen=True)
class Row:
    """All tries of a kind."""

    kind: str
    tries: int
    trials: int
    lost: int
    doubled: int
    wrong: int
    begun_again: int
    most_evaluations_again: int
    overhead_ms_per_trial: float | None


@dataclass
class Heard:
    """What was told of trials in one or more calls; ``at_start`` is done when the first begins to train."""

    at_start: Callable[[], None] = lambda: None
    events: list[Event] = field(default_factory=list)
    started_at: float | None = None

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        if self.started_at is None and isinstance(event, Started):
            self.started_at = time.monotonic()
            self.at_start()

    @property
    def ended(self) -> Counter[str]:
        """How often each trial ended."""
        return Counter(event.trial_id for event in self.events if isinstance(event, Ended))

    @property
    def begun_again(self) -> int:
        """How many trainings were begun after the first of their trial."""
        begun = Counter(event.trial_id for event in self.events if isinstance(event, Started))
        return begun.total() - len(begun)

    @property
    def again(self) -> int:
        """The most evaluation points of one trial that were made more than once."""
        made = Counter((one.trial_id, one.row.step) for one in self.events if isinstance(one, Evaluated))
        more = Counter[str]()
        for (trial_id, _), times in made.items():
            more[trial_id] += times - 1
        return max(more.values(), default=0)


def specs_in(place: Path, seeds: int, evaluations: int, passes: int) -> list[TrialSpec]:
    """LeNet-5 on stripes that lie in a file."""
    stripes = make_stripes()
    given = {"split": stripes.split, "class_names": stripes.class_names, "file": place / "stripes.npz"}
    reference = parse_reference(fbench.data.from_arrays(stripes.images, stripes.labels, name="stripes", **given))
    data = data_spec(reference, load_dataset(reference))
    budget = Budget(image_passes=passes, evaluation_points=evaluations, batch_size=24)
    one = trial_spec_of(stripes, "lenet5", 0, budget).model_copy(update={"data": data})
    return [one.model_copy(update={"seed": seed}) for seed in range(seeds)]


@dataclass(frozen=True)
class Bench:
    """A cluster of two nodes, and what undisturbed trials come to."""

    place: Path
    cluster: RealCluster
    long: Sequence[TrialSpec]
    tiny: Sequence[TrialSpec]
    local: RunFolder
    long_s: float

    def train(self, specs: Sequence[TrialSpec], folder: RunFolder, heard: Heard) -> float:
        """Seconds of trials on the cluster, from the call to the last result."""
        return train(specs, folder, self.cluster.address, heard)

    def found(self, kind: str, number: int, specs: Sequence[TrialSpec], run: RunFolder, heard: Heard) -> Try:
        """What came of a try, but for its times."""
        finished = {key for key, one in run.trials().items() if one.status == "finished"}
        wrong = [
            spec
            for spec in specs
            if spec.trial_id in finished
            and any(
                (run.trial_folder(spec.trial_id) / name).read_bytes()
                != (self.local.trial_folder(spec.trial_id) / name).read_bytes()
                for name in _COMPARED
            )
        ]
        doubled = sum(times > 1 for times in heard.ended.values())
        lost = sum(spec.trial_id not in finished for spec in specs)
        return Try(kind, number, len(specs), lost, doubled, len(wrong), heard.again, heard.begun_again, 0.0, 0.0)


def train(specs: Sequence[TrialSpec], folder: RunFolder, address: str, heard: Heard) -> float:
    """As :meth:`Bench.train`."""
    begun = time.monotonic()
    done = folder.trial_ids() if folder.path.exists() else []
    context = WorkerContext(unfinished_beside(folder.path / "scratch"), checkpoints=folder.checkpoints)
    with RayExecutor(context, ClusterOptions(address), {}) as executor:
        run_trials(executor, [spec for spec in specs if spec.trial_id not in done], folder, heard)
        return time.monotonic() - begun


def undisturbed(bench: Bench, number: int) -> Try:
    """Tiny trials on the cluster, and the same on the local executor at once afterwards."""
    heard, run = Heard(), RunFolder(bench.place / f"undisturbed-{number}")
    seconds = bench.train(bench.tiny, run, heard)
    local_s = train_locally(bench.tiny, RunFolder(bench.place / f"undisturbed-local-{number}"))
    found = bench.found("undisturbed", number, bench.tiny, run, heard)
    over = round(1000 * (seconds - local_s) / len(bench.tiny), 1)
    return replace(found, seconds=round(seconds, 1), over_local_ms=over)


def node_killed(bench: Bench, number: int) -> Try:
    """A node is killed while trials run."""
    run, moment_s = RunFolder(bench.place / f"node-{number}"), random.Random(number).uniform(0.0, bench.long_s)
    node = bench.cluster.nodes[1]
    killing = threading.Timer(moment_s, bench.cluster.lose, [node])
    heard = Heard(killing.start)
    seconds = bench.train(bench.long, run, heard)
    killing.cancel()
    killing.join()
    if node not in bench.cluster.nodes:
        bench.cluster.start()
    found = bench.found("node killed", number, bench.long, run, heard)
    return replace(found, moment_s=round(moment_s, 2), seconds=round(seconds, 1))


def nodes_join_and_leave(bench: Bench, number: int) -> Try:
    """The second node comes and goes while tiny trials run; a host needs five seconds of its stay to begin."""
    bench.cluster.leave(bench.cluster.nodes[1])
    heard, run, over = Heard(), RunFolder(bench.place / f"joining-{number}"), threading.Event()

    def come_and_go() -> None:
        chance, is_killed = random.Random(number), False
        while not over.is_set():
            node = bench.cluster.start()
            over.wait(chance.uniform(7.0, 12.0))
            (bench.cluster.lose if is_killed else bench.cluster.leave)(node)
            is_killed = not is_killed

    going = threading.Thread(target=come_and_go)
    going.start()
    try:
        seconds = bench.train(bench.tiny, run, heard)
    finally:
        over.set()
        going.join()
        bench.cluster.start()
    found = bench.found("nodes join and leave", number, bench.tiny, run, heard)
    return replace(found, seconds=round(seconds, 1))


def driver_killed(bench: Bench, number: int) -> Try:
    """The driver is killed while trials run, and the same run is started again."""
    run = RunFolder(bench.place / f"driver-{number}")
    moment_s = random.Random(number).uniform(0.0, bench.long_s)
    begun = time.monotonic()
    command = [sys.executable, "-m", __spec__.name, "--drive", str(run.path), bench.cluster.address]
    driver = subprocess.Popen([*command, "--place", str(bench.place)], stdout=subprocess.PIPE, text=True)
    assert driver.stdout is not None
    if (said := driver.stdout.readline()) != "started\n":
        raise RuntimeError(f"the driver said {said!r} where it should begin")
    with driver.stdout, suppress(subprocess.TimeoutExpired):
        driver.wait(moment_s)
    driver.kill()
    driver.wait()
    before = {key: (run.trial_folder(key) / "record.json").stat().st_ino for key in _ids(run)}
    heard = Heard()
    bench.train(bench.long, run, heard)
    found = bench.found("driver killed", number, bench.long, run, heard)
    again = sum((run.trial_folder(key) / "record.json").stat().st_ino != inode for key, inode in before.items())
    seconds = round(time.monotonic() - begun, 1)
    return replace(found, doubled=found.doubled + again, begun_again=None, moment_s=round(moment_s, 2), seconds=seconds)


def _ids(run: RunFolder) -> list[str]:
    return run.trial_ids() if run.path.exists() else []


def train_locally(specs: Sequence[TrialSpec], folder: RunFolder, jobs: int = 2) -> float:
    """Seconds of trials on the local executor."""
    begun = time.monotonic()
    context = WorkerContext(unfinished_beside(folder.path / "scratch"), jobs=jobs, checkpoints=folder.checkpoints)
    with LocalExecutor(context, specs[0].data) as executor:
        run_trials(executor, specs, folder, lambda event: None)
        return time.monotonic() - begun


KINDS: Final[dict[str, Callable[[Bench, int], Try]]] = {
    "undisturbed": undisturbed,
    "node killed": node_killed,
    "nodes join and leave": nodes_join_and_leave,
    "driver killed": driver_killed,
}


def table(tries: Sequence[Try]) -> list[Row]:
    """A row for each kind of try."""
    rows = []
    for kind in KINDS:
        of_kind = [one for one in tries if one.kind == kind]
        over = sorted(one.over_local_ms for one in of_kind if one.over_local_ms is not None)
        counts = [sum(getattr(one, name) for one in of_kind) for name in ("trials", "lost", "doubled", "wrong")]
        begun_again = sum(one.begun_again or 0 for one in of_kind)
        most = max((one.again for one in of_kind), default=0)
        rows.append(Row(kind, len(of_kind), *counts, begun_again, most, over[len(over) // 2] if over else None))
    return rows


def main() -> None:
    """Make the tries that the table lacks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("results") / "ray")
    parser.add_argument("--place", type=Path, help="Where the runs of the tries lie; by default a temporary folder.")
    parser.add_argument("--minutes", type=float, default=1e6, help="Begin no try after so many.")
    parser.add_argument("--drive", nargs=2, metavar=("FOLDER", "ADDRESS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    place = given.place or Path(tempfile.mkdtemp(prefix="fbench-ray-tries-"))
    place.mkdir(parents=True, exist_ok=True)
    long, tiny = specs_in(place, *_LONG), specs_in(place, *_TINY)
    if given.drive:
        train(long, RunFolder(Path(given.drive[0])), given.drive[1], Heard(lambda: print("started", flush=True)))  # noqa: T201 - for who kills it
        return
    until = time.monotonic() + 60 * given.minutes
    tries = [_read(row) for row in read_rows(given.out / "tries.csv")]
    local = RunFolder(Path(tempfile.mkdtemp(dir=place)) / "local")
    train_locally([*tiny, *long], local)
    with real_cluster(2) as cluster:
        bench = Bench(place, cluster, long, tiny, local, 0.0)
        heard = Heard()
        bench.train(long, RunFolder(Path(tempfile.mkdtemp(dir=place)) / "long"), heard)
        bench = replace(bench, long_s=time.monotonic() - (heard.started_at or 0.0))
        for number in range(1, max(TRIES.values()) + 1):  # some of each kind first
            for kind, most in TRIES.items():
                if number > most or any((one.kind, one.number) == (kind, number) for one in tries):
                    continue
                if time.monotonic() > until:
                    return
                tries.append(KINDS[kind](bench, number))
                print(tries[-1], flush=True)  # noqa: T201 - a script's output
                save_rows(given.out / "tries.csv", [asdict(one) for one in tries])
                save_rows(given.out / "cluster.csv", [asdict(row) for row in table(tries)])


def _read(row: dict[str, str]) -> Try:
    whole = {name: int(row[name]) for name in ("number", "trials", "lost", "doubled", "wrong", "again")}
    over = float(row["over_local_ms"]) if row["over_local_ms"] else None
    begun_again = int(row["begun_again"]) if row["begun_again"] else None
    times = {name: float(row[name]) for name in ("moment_s", "seconds")}
    return Try(kind=row["kind"], begun_again=begun_again, over_local_ms=over, **whole, **times)


if __name__ == "__main__":
    main()
