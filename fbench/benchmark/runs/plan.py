"""The plan of a run: everything that is decided before the first step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fbench.ablations.suite import Suite
from fbench.benchmark.clusters.options import ClusterOptions
from fbench.benchmark.records.search_records import SearchRecord
from fbench.benchmark.records.specs import NetworkSpec, TrialSpec
from fbench.benchmark.records.trial_records import PlannedTrial, RunConfig
from fbench.benchmark.runs.executors import WorkerContext
from fbench.benchmark.runs.resolution import Resolved
from fbench.benchmark.runs.searches import Search, waiting
from fbench.benchmark.runs.shards import Unit, in_share
from fbench.benchmark.runs.trial_groups import groups_of
from fbench.benchmark.store.run_folder import RunFolder
from fbench.core.files import unfinished_beside

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class RunPlan:
    """Everything decided before the first step: the folder, its configuration, and the trials to run.

    ``specs`` has every trial once; ``planned`` has a row for each network, data set and seed. ``pending`` are the
    trials without a usable record, ``reusable`` those of them that another run has. ``known`` are the searches for
    settings that are done, here or elsewhere, by id; trials whose search is not have the protocol's ``[tuning]`` still.
    """

    folder: RunFolder
    config: RunConfig
    suite: Suite
    specs: tuple[TrialSpec, ...]
    planned: tuple[PlannedTrial, ...]
    pending: tuple[TrialSpec, ...]
    reusable: dict[str, RunFolder]
    networks: tuple[NetworkSpec, ...]
    resolved: Resolved
    device: torch.device
    jobs: int
    together: int
    """Trials of one process at a time that were asked for; 1 where none were."""
    seeds: int
    take_from: tuple[Path, ...] = ()
    keep_failed: bool = False
    wait: bool = False
    retries: int = 0
    trial_timeout_s: float | None = None
    replaces: RunFolder | None = None
    """The run that this one repeats with a microbatch that fits; its trials stay as they are."""
    known: Mapping[str, SearchRecord] = field(default_factory=dict)
    share: frozenset[Unit] | None = None
    """What is trained here, where the run is a shard of a larger one; none: everything."""
    energy: bool = False
    """Whether the measurement of cost reads energy on an accelerator, too."""
    cluster: ClusterOptions | None = None
    """Where trials are trained; none: on this machine."""

    @property
    def own_specs(self) -> tuple[TrialSpec, ...]:
        """The trials that are trained here."""
        return in_share(self.specs, self.share)

    @property
    def searches(self) -> list[Search]:
        """The searches that have to come first, each once."""
        return waiting(self.own_specs)

    @property
    def remaining(self) -> list[TrialSpec]:
        """The trials that are to be run here, as no other run has them."""
        return [spec for spec in self.pending if spec.trial_id not in self.reusable]

    @property
    def jobs_needed(self) -> int:
        """As many workers as there is work for, at least one; trials that run together are one's."""
        return min(self.jobs, max(1, len(groups_of(self.remaining, self.together))))

    def worker_context(self, folder: RunFolder, jobs: int) -> WorkerContext:
        """Where trials run whose records go into ``folder``, so many at a time; each context has a scratch of its
        own."""
        return WorkerContext(
            unfinished_beside(folder.path / "scratch"),
            str(self.device),
            jobs,
            checkpoints=folder.checkpoints,
            retries=self.retries,
            isolated=self.trial_timeout_s is not None,
        )
