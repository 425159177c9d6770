"""The plan of a run: everything that is decided before the first step, and nothing written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fbench.ablations.library import load_suite
from fbench.ablations.suite import Suite, select_studies
from fbench.benchmark.data.cache import cache_directory
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.references import parse_reference
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.machine.jobs import choose_jobs
from fbench.benchmark.records.budget import Budget, load_preset
from fbench.benchmark.records.numerics import NUMERICS_VERSION, DeviceKind, Numerics, choose_numerics
from fbench.benchmark.records.protocol import Protocol, load_protocol
from fbench.benchmark.records.search_records import SearchRecord
from fbench.benchmark.records.specs import DataSpec, NetworkSpec, TrialSpec, data_spec
from fbench.benchmark.records.trial_records import PlannedTrial, RunConfig
from fbench.benchmark.runs.expansion import SeedCounts, expand
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.runs.resolution import Resolved, resolve_suite
from fbench.benchmark.runs.searches import Search, settled, waiting
from fbench.benchmark.runs.uniform_microbatch import with_uniform_microbatch
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.search_files import kept_searches, read_searches
from fbench.core.errors import UserError
from fbench.core.files import require_writable_folder
from fbench.core.machine import package_version
from fbench.statistics.seeds.sequential import analysis_seeds

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
    seeds: int
    take_from: tuple[Path, ...] = ()
    keep_failed: bool = False
    wait: bool = False
    retries: int = 0
    trial_timeout_s: float | None = None
    replaces: RunFolder | None = None
    """The run that this one repeats with a microbatch that fits; its trials stay as they are."""
    known: Mapping[str, SearchRecord] = field(default_factory=dict)

    @property
    def searches(self) -> list[Search]:
        """The searches that have to come first, each once."""
        return waiting(self.specs)

    @property
    def remaining(self) -> list[TrialSpec]:
        """The trials that are to be run here, as no other run has them."""
        return [spec for spec in self.pending if spec.trial_id not in self.reusable]

    @property
    def jobs_needed(self) -> int:
        """As many workers as there is work for, at least one."""
        return min(self.jobs, max(1, len(self.remaining)))


def plan_run(request: RunRequest) -> RunPlan:
    """Resolve a request into a plan; nothing is written.

    Raises:
        UserError: anything in the request that cannot work, a folder that cannot be written, or one that belongs to
            another configuration.
    """
    from fbench.benchmark.machine.device import device_kind, pick_device, refuse_missing_precision

    request.check_seeds()
    require_writable_folder(cache_directory(), "What is kept between runs", "FBENCH_CACHE_DIR")
    if request.out is not None:
        require_writable_folder(request.out, "The run", "--out")
    written = request.suite if isinstance(request.suite, Suite) else load_suite(request.suite)
    protocol, preset = load_protocol(request.protocol), load_preset(request.preset)
    device = pick_device(request.device)
    jobs = choose_jobs(request.jobs, device.type)
    data = _data_specs([parse_reference(text) for text in request.data])
    resolved = resolve_suite(written, request.only, protocol.architecture_options, data, request.plugins)
    suite, selected = resolved.suite, select_studies(resolved.suite, request.only)
    folder = RunFolder(request.out or _default_folder(suite, data, protocol, request.preset))
    require_writable_folder(folder.path, "The run", "--out")
    numerics = _numerics(request, device_kind(device))
    refuse_missing_precision(numerics.precision, device)
    replaced = folder
    if request.uniform_microbatch:
        folder, numerics = with_uniform_microbatch(folder, numerics)
    config = _config(request, suite, protocol, preset.budget, data, numerics)
    if (folder.path / "run.json").exists():
        config = _same_configuration(folder, config)
    elif folder.path.exists() and not folder.is_new():
        raise UserError(f"{folder.path} is no run and no empty folder; give a new one with --out.")
    seeds = request.seeds or (preset.seeds if request.max_seeds is None else analysis_seeds(request.max_seeds)[0])
    known = known_searches(folder, request.take_from) if protocol.tuning is not None else {}
    settle = partial(settled, known)
    specs, planned, networks = expand(selected, config, seeds, resolved.networks, settle)
    if not (folder.path / "run.json").exists():
        reasons = _failing_programs(specs, networks, config, device)
        if reasons:
            config = config.model_copy(update={"numerics": numerics.eager(), "eager_because": reasons})
            specs, planned, networks = expand(selected, config, seeds, resolved.networks, settle)
    pending = _pending(folder, specs, keep_failed=request.keep_failed)
    return RunPlan(
        folder=folder,
        config=config,
        suite=selected,
        specs=specs,
        planned=planned,
        pending=pending,
        reusable=_reusable(pending, request.take_from),
        networks=networks,
        resolved=resolved,
        device=device,
        jobs=jobs,
        seeds=seeds,
        take_from=request.take_from,
        keep_failed=request.keep_failed,
        wait=request.wait,
        retries=request.retries,
        trial_timeout_s=request.trial_timeout_s,
        replaces=replaced if request.uniform_microbatch else None,
        known=known,
    )


def known_searches(folder: RunFolder, take_from: Sequence[Path] = ()) -> dict[str, SearchRecord]:
    """The searches that are done by id: of the run itself, of runs whose trials it may take, and those that come with
    fbench, the first of these that has one.

    Raises:
        UserError: a file is not valid, or a run to take from is none.
    """
    sources = [folder, *(RunFolder.open(path) for path in take_from)]
    found = [read_searches(source.searching) for source in sources]
    return {key: record for searches in (kept_searches(), *reversed(found)) for key, record in searches.items()}


def as_the_folder_is_now(plan: RunPlan) -> RunPlan:
    """The same plan where another process may have worked in its folder since.

    Raises:
        UserError: the folder now belongs to another configuration.
    """
    config = plan.config
    if (plan.folder.path / "run.json").exists():
        config = _same_configuration(plan.folder, config)
    if config.protocol.tuning is not None:
        known = {**plan.known, **read_searches(plan.folder.searching)}
        plan = _expanded_again(plan, _seed_counts(plan), known)
    pending = _pending(plan.folder, plan.specs, keep_failed=plan.keep_failed)
    return replace(plan, config=config, pending=pending, reusable=_reusable(pending, plan.take_from))


def with_seeds(plan: RunPlan, seeds: SeedCounts) -> RunPlan:
    """The same plan with another number of seeds for each network and data set."""
    return _expanded_again(plan, seeds, plan.known)


def with_searches(plan: RunPlan, found: Sequence[SearchRecord]) -> RunPlan:
    """The same plan with the settings of more searches."""
    known = {**plan.known, **{record.search_id: record for record in found}}
    return _expanded_again(plan, _seed_counts(plan), known)


def _seed_counts(plan: RunPlan) -> dict[tuple[str, str], int]:
    counts = {(row.network, row.data): 0 for row in plan.planned}
    for row in plan.planned:
        counts[row.network, row.data] += 1
    return counts


def _expanded_again(plan: RunPlan, seeds: SeedCounts, known: Mapping[str, SearchRecord]) -> RunPlan:
    settle = partial(settled, known)
    specs, planned, networks = expand(plan.suite, plan.config, seeds, plan.resolved.networks, settle)
    pending = _pending(plan.folder, specs, keep_failed=plan.keep_failed)
    return replace(
        plan,
        specs=specs,
        planned=planned,
        networks=networks,
        pending=pending,
        reusable=_reusable(pending, plan.take_from),
        seeds=max(seeds.values()),
        known=known,
    )


def _pending(folder: RunFolder, specs: Sequence[TrialSpec], *, keep_failed: bool) -> tuple[TrialSpec, ...]:
    """The trials without a usable record."""
    records = folder.trials() if folder.path.exists() else {}
    done = {key for key, record in records.items() if record.status == "finished" or keep_failed}
    return tuple(spec for spec in specs if spec.trial_id not in done)


def _data_specs(references: Sequence[DataReference]) -> tuple[DataSpec, ...]:
    """Read every data set once.

    Raises:
        UserError: two have one name, which would mix their trials.
    """
    specs: dict[str, DataSpec] = {}
    for reference in references:
        spec = data_spec(reference, load_dataset(reference))
        if spec.name in specs:
            raise UserError(f"--data {reference}: a data set named '{spec.name}' was given before; run them apart.")
        specs[spec.name] = spec
    return tuple(specs.values())


def _numerics(request: RunRequest, kind: DeviceKind) -> Numerics:
    """Numerics chosen by rule, or those of another run.

    Raises:
        UserError: the other run was made on another kind of device, or with training code that has changed since.
    """
    if request.numerics_of is None:
        return choose_numerics(kind, request.precision, compile=request.compile)
    numerics = RunFolder.open(request.numerics_of).config().numerics
    if numerics.numerics_version != NUMERICS_VERSION:
        raise UserError(
            f"--numerics {request.numerics_of} is a run of numerics version {numerics.numerics_version}, and this "
            f"fbench computes version {NUMERICS_VERSION}; leave --numerics out, or use fbench "
            f"{RunFolder.open(request.numerics_of).config().fbench_version}."
        )
    if numerics.device_kind != kind:
        raise UserError(
            f"--numerics {request.numerics_of} is a run on {numerics.device_kind} and this one is on {kind}; "
            f"give --device {numerics.device_kind}, or leave --numerics out."
        )
    return numerics


def _failing_programs(
    specs: Sequence[TrialSpec], networks: Sequence[NetworkSpec], config: RunConfig, device: torch.device
) -> dict[str, str]:
    """The networks of a new run that cannot be compiled or recorded at the batch size of its first trial."""
    from fbench.benchmark.records.budget import plan_steps
    from fbench.benchmark.runs.network_tasks import network_tasks

    if not (config.numerics.compile or config.numerics.cuda_graph):
        return {}
    first = specs[0]
    batch_size = plan_steps(first.protocol, first.budget, first.data.images_by_split["train"]).batch_size
    with network_tasks() as tasks:
        return tasks.failing_programs(networks, config.protocol, batch_size, config.numerics, device)


def _default_folder(suite: Suite, data: Sequence[DataSpec], protocol: Protocol, preset: str) -> Path:
    parts = [suite.name, "+".join(spec.name for spec in data), preset]
    if protocol.name != "fbench":
        parts.append(protocol.name)
    return Path("results") / "-".join(parts)


def _config(
    request: RunRequest,
    suite: Suite,
    protocol: Protocol,
    budget: Budget,
    data: tuple[DataSpec, ...],
    numerics: Numerics,
) -> RunConfig:
    return RunConfig(
        name=_default_folder(suite, data, protocol, request.preset).name,
        suite=suite,
        protocol=protocol,
        preset=request.preset,
        budget=budget,
        data=data,
        numerics=numerics,
        plugins=tuple(str(plugin) for plugin in request.plugins),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        fbench_version=package_version("fbench"),
    )


def _same_configuration(folder: RunFolder, wanted: RunConfig) -> RunConfig:
    """The folder's own configuration, with data paths as they are now.

    Raises:
        UserError: the folder belongs to another configuration; the first field that differs is named.
    """
    found = folder.config()

    def essence(config: RunConfig) -> dict[str, object]:
        return {
            "suite": config.suite,
            "protocol": config.protocol.settings(),
            "rule of collapsed trainings": config.protocol.collapse,
            "preset": config.budget,
            "data": [spec.fingerprint for spec in config.data],
            "numerics version, as another fbench made it": config.numerics.numerics_version,
            "numerics (device kind, precision or compilation)": config.numerics.model_dump(
                exclude={"numerics_version"}
            ),
        }

    if found.eager_because:
        wanted = wanted.model_copy(update={"numerics": wanted.numerics.eager()})
    ours, theirs = essence(wanted), essence(found)
    different = [field for field, value in ours.items() if value != theirs[field]]
    if different:
        raise UserError(
            f"{folder.path} belongs to a run with another configuration (different {', '.join(different)}); "
            "give another folder with --out, or the options of that run."
        )
    return found.model_copy(update={"data": wanted.data, "plugins": wanted.plugins})


def _reusable(pending: Sequence[TrialSpec], sources: Sequence[Path]) -> dict[str, RunFolder]:
    found: dict[str, RunFolder] = {}
    for path in sources:
        source = RunFolder.open(path)
        finished = {key: record for key, record in source.trials().items() if record.status == "finished"}
        wanted = [
            spec.trial_id
            for spec in pending
            if spec.trial_id in finished and finished[spec.trial_id].spec.default_protocol == spec.default_protocol
        ]
        for trial_id in wanted:
            if finished[trial_id].spec.trial_id != trial_id:
                raise UserError(
                    f"{source.trial_folder(trial_id)} is no trial of the settings in its record; leave that run out of "
                    "--from."
                )
        found |= dict.fromkeys(wanted, source)
    return found
