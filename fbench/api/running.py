"""``fbench.run``: the command of the same name as a function."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from fbench.ablations.suite import Suite, adhoc_suite
from fbench.api.results import Run
from fbench.benchmark.clusters.options import ExecutorName, cluster_asked_for
from fbench.benchmark.records.numerics import FusedBatchNorm, Precision
from fbench.benchmark.runs.listener import RunListener, Together
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.runs.session import run as run_request
from fbench.benchmark.runs.shards import Shard
from fbench.benchmark.runs.stopping import Stopping
from fbench.benchmark.trackers.choice import mirrors_of, parse_trackers
from fbench.core.arguments import typed_arguments
from fbench.core.errors import UserError
from fbench.core.paths import expanded

Place = str | Path
OneOrMany = str | Sequence[str]


@typed_arguments
def run(
    *,
    suite: Place | Suite | None = None,
    arch: OneOrMany | None = None,
    against: str | None = None,
    only: OneOrMany = (),
    protocol: Place = "fbench",
    epochs: int | None = None,
    learning_rate: float | None = None,
    batch_size: int | None = None,
    augmentation: bool = True,
    preset: str = "quick",
    data: Place | Sequence[Place] = "synthetic",
    image_size: int | None = None,
    channels: str | None = None,
    seeds: int | None = None,
    max_seeds: int | None = None,
    device: str = "auto",
    precision: Precision = "fp32",
    compile: bool = False,
    fused_batch_norm: FusedBatchNorm | None = None,
    trials_together: int = 1,
    jobs: int | None = None,
    out: Place | None = None,
    take_from: Place | Sequence[Place] = (),
    plugins: Place | Sequence[Place] = (),
    numerics_of: Place | None = None,
    only_comparable: bool = False,
    keep_failed: bool = False,
    shard: str | None = None,
    executor: ExecutorName = "local",
    ray_address: str | None = None,
    cpus_per_trial: float | None = None,
    gpus_per_trial: float | None = None,
    wait: bool = False,
    retries: int = 0,
    trial_timeout_s: float | None = None,
    time_budget_s: float | None = None,
    uniform_microbatch: bool = False,
    energy: bool = False,
    track: OneOrMany = (),
    listener: RunListener | None = None,
    progress: bool | None = None,
) -> Run:
    """Train and measure the networks of a suite; the same call again goes on where it stopped.

    Args:
        suite: a suite's name, a TOML file, or a suite; by default ``ablations``.
        arch: compare these networks without a suite, one or many.
        against: the baseline of ``arch``; by default the first.
        only: studies of the suite, one or many; by default all.
        protocol: how to train: a protocol's name, or a TOML file.
        epochs: train so many, in place of the protocol's and the preset's budget.
        learning_rate: of the optimizer, in place of the protocol's.
        batch_size: of training, in place of the protocol's and the preset's.
        augmentation: whether training images are changed at random, as the protocol has it.
        preset: how much: smoke, quick, standard or full.
        data: ``NAME``, ``NAME=PATH`` or ``MINE=folder:PATH``, one or many; or what :mod:`fbench.data` makes.
        image_size: pixels a side of data sets of your own; by default their own where they have one.
        channels: ``gray`` or ``rgb`` of data sets of your own; by default their own.
        seeds: per network; by default the preset's.
        max_seeds: add seeds until the comparisons are decided, up to so many; not together with ``seeds``.
        device: auto, cpu, cuda, cuda:N or mps.
        precision: arithmetic of a new run.
        compile: whether to train with ``torch.compile``.
        fused_batch_norm: what computes batch normalisation together with the activation after it; PyTorch's own layers,
            one after the other, where it is none.
        trials_together: trials of one process at a time on CUDA, each on a stream of its own.
        jobs: trials at a time, which never changes a result; by default all cores of a CPU, 1 on a GPU.
        out: the run's folder; by default ``results/SUITE-DATA-PRESET``.
        take_from: runs whose finished trials are taken, one or many.
        plugins: Python files that register networks, one or many.
        numerics_of: a run whose numerics are repeated.
        only_comparable: whether networks that cannot be computed as asked are trained in a run of their own, beside
            that of the others, which is returned; by default all are computed in a way that works for all.
        keep_failed: whether failed trials are not tried again.
        shard: ``I/N`` trains the I-th of N parts of the trials; ``fbench merge`` makes one run of them.
        executor: ``local`` trains in processes of this machine, ``ray`` on the nodes of a Ray cluster.
        ray_address: ``HOST:PORT`` of the cluster's head; by default that of ``RAY_ADDRESS`` or of this machine.
        cpus_per_trial: cores that a trial takes of a node; by default 1.
        gpus_per_trial: GPUs that a trial takes of a node, such as 0.25; by default 1 where trials run on GPUs.
        wait: whether to wait where another process is at work in the run's folder.
        retries: how often a trial is tried again that failed in a way that may pass.
        trial_timeout_s: how long a trial may take, in seconds; by default by its estimate.
        time_budget_s: seconds that the call may take: no trial begins that would not end in them, and what runs at
            their end is kept for the next call; by default as many as it takes.
        uniform_microbatch: train all anew, after trials that failed for lack of memory, with a microbatch that fits.
        energy: whether to read energy on a GPU, too, which takes 2 s of each network in each setting.
        track: trackers that every trial is copied to, such as ``tensorboard=FOLDER`` or ``mlflow=sqlite:///FILE``, one
            or many.
        listener: is told how the run goes.
        progress: whether to show a bar; by default in notebooks and terminals.

    Raises:
        UserError: bad input, in a sentence.
        UnfinishedRunError: it was asked to stop, or its time was over, with trials still to run.

    Example:
        >>> import fbench
        >>> run = fbench.run(arch=["lenet5", "ires"], preset="smoke", out="results/two", progress=False)
        >>> list(run.trials_frame()["status"])
        ['finished', 'finished']
    """
    _refuse_no_time(retries, trial_timeout_s)
    stopping = Stopping(time_budget_s)
    trackers = parse_trackers(_many(track))
    request = RunRequest(
        suite=_suite(suite, None if arch is None else _many(arch), against),
        only=_many(only),
        protocol=str(protocol),
        epochs=epochs,
        learning_rate=learning_rate,
        batch_size=batch_size,
        augmentation=augmentation,
        preset=preset,
        data=_data(data),
        image_size=image_size,
        channels=channels,
        seeds=seeds,
        device=device,
        precision=precision,
        compile=compile,
        fused_batch_norm=fused_batch_norm,
        trials_together=trials_together,
        jobs=jobs,
        out=None if out is None else expanded(out),
        take_from=tuple(expanded(one) for one in _places(take_from)),
        plugins=tuple(expanded(one) for one in _places(plugins)),
        numerics_of=None if numerics_of is None else expanded(numerics_of),
        only_comparable=only_comparable,
        keep_failed=keep_failed,
        max_seeds=max_seeds,
        wait=wait,
        retries=retries,
        trial_timeout_s=trial_timeout_s,
        uniform_microbatch=uniform_microbatch,
        energy=energy,
        shard=None if shard is None else Shard.parse(shard),
        cluster=cluster_asked_for(executor, ray_address, cpus_per_trial, gpus_per_trial),
    )
    shown = _bar(progress) if listener is None else None
    with mirrors_of(trackers, _warn) as mirrors, shown or nullcontext():
        told = listener or shown or _Words()
        listening = Together(told, *mirrors) if mirrors else told
        return Run.of(run_request(request, listening, stopping))


def _refuse_no_time(retries: int, trial_timeout_s: float | None) -> None:
    if retries < 0:
        raise UserError(f"retries={retries} was given; give 0 or more.")
    if trial_timeout_s is not None and trial_timeout_s <= 0:
        raise UserError(f"trial_timeout_s={trial_timeout_s:g} was given; give more than 0 seconds, or leave it out.")


def _warn(sentence: str) -> None:
    warnings.warn(sentence, RuntimeWarning, stacklevel=2)


class _Words(RunListener):
    """Says what a script has to know."""

    def trained_here(self, networks: Sequence[str]) -> None:
        """Say that workers are out of the question."""
        from fbench.cli.progress import here_alone

        print(here_alone(networks), file=sys.stderr)  # noqa: T201 - what a function says that has no bar


def _suite(suite: Place | Suite | None, arch: Sequence[str] | None, against: str | None) -> str | Suite:
    if arch is not None:
        if suite is not None and arch:
            raise UserError(f"suite={suite!r} and arch={arch[0]!r} were both given; give one of them.")
        return adhoc_suite(arch, against)
    if against is not None:
        raise UserError(f"against={against!r} was given without arch; name the networks to compare as arch.")
    return suite if isinstance(suite, Suite) else str(suite or "ablations")


def _many(given: OneOrMany) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _places(given: Place | Iterable[Place]) -> tuple[Place, ...]:
    return (given,) if isinstance(given, str | Path) else tuple(given)


def _data(given: Place | Sequence[Place]) -> tuple[str, ...]:
    found = tuple(str(one) for one in _places(given))
    if not found:
        raise UserError(f"data={given!r} was given; name at least one data set, or leave it out for 'synthetic'.")
    return found


def _bar(wanted: bool | None) -> NotebookProgress | RunProgress | None:
    """What shows progress here; none where nobody looks."""
    from rich.console import Console

    from fbench.api.notebook_progress import NotebookProgress, in_notebook

    if wanted is False:
        return None
    if in_notebook():
        return NotebookProgress()
    from fbench.cli.progress import RunProgress

    return RunProgress() if wanted or Console().is_terminal else None


if TYPE_CHECKING:
    from fbench.api.notebook_progress import NotebookProgress
    from fbench.cli.progress import RunProgress
