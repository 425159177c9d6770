"""Which executor runs the trials of a plan: one of this machine, or one of a cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fbench.benchmark.clusters.options import ClusterOptions
from fbench.benchmark.clusters.ray_library import require_ray
from fbench.benchmark.records.specs import TrialSpec
from fbench.benchmark.runs.executors import WorkerContext
from fbench.core.errors import UserError

if TYPE_CHECKING:
    from fbench.architectures.plugin_sources import PluginSources
    from fbench.benchmark.clusters.ray_executor import RayExecutor
    from fbench.benchmark.runs.local_executor import LocalExecutor


def check_cluster(cluster: ClusterOptions | None, jobs: int | None, trials_together: int, device: str) -> None:
    """See that a cluster can be used, as far as can be told without asking it; ``jobs`` are those that were asked for.

    Raises:
        UserError: Ray is not installed, or an option cannot be.
    """
    if cluster is None:
        return
    cluster.check()
    if jobs is not None:
        raise UserError(
            f"--jobs {jobs} was given with --executor ray, which runs as many trials as the cluster has room for; give "
            "--cpus-per-trial or --gpus-per-trial."
        )
    if trials_together != 1:
        raise UserError(
            f"--trials-together {trials_together} was given with --executor ray, where each trial has a process of its "
            "own; give --gpus-per-trial, such as 0.25."
        )
    cluster.gpus_for(device)
    require_ray()


def executor_of(
    context: WorkerContext,
    cluster: ClusterOptions | None,
    plugins: Mapping[str, PluginSources],
    specs: Sequence[TrialSpec],
) -> LocalExecutor | RayExecutor:
    """The executor for trials of a plan, to be entered; ``specs`` are the first that it is given, none where none is to
    be run, and ``plugins`` the users' code that nodes of a cluster need.

    Raises:
        UserError: other machines cannot build a network.
    """
    if cluster is None:
        from fbench.benchmark.runs.local_executor import LocalExecutor

        return LocalExecutor(context, specs[0].data if specs else None)
    from fbench.benchmark.clusters.parcel import refuse_networks_of_session
    from fbench.benchmark.clusters.ray_executor import RayExecutor

    refuse_networks_of_session(specs)
    return RayExecutor(context, cluster, plugins, connects=bool(specs))


def at_a_time(executor: LocalExecutor | RayExecutor, jobs: int) -> int:
    """How many trials an executor runs at a time, as far as that is known before it begins; ``jobs`` on one machine."""
    return getattr(executor, "room", jobs)


def train_together(executor: LocalExecutor | RayExecutor, trials: int) -> None:
    """Let a process of this machine train so many trials at a time; on a cluster each has its own."""
    from fbench.benchmark.runs.local_executor import LocalExecutor

    if isinstance(executor, LocalExecutor):
        executor.together = trials
