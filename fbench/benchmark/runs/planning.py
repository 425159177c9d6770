"""From a request to the plan of a run; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fbench.ablations.library import load_suite
from fbench.ablations.suite import Suite, select_studies, with_levels
from fbench.benchmark.data.cache import cache_directory
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.source import DataReference
from fbench.benchmark.machine.jobs import choose_jobs
from fbench.benchmark.records.numerics import Numerics
from fbench.benchmark.records.search_records import SearchRecord
from fbench.benchmark.records.specs import DataSpec, NetworkSpec, TrialSpec, data_spec
from fbench.benchmark.records.trial_records import RunConfig, SplitOff
from fbench.benchmark.runs.configuration import chosen_numerics, default_folder, run_config, same_configuration
from fbench.benchmark.runs.executor_choice import check_cluster
from fbench.benchmark.runs.expansion import expand, refuse_equal_levels
from fbench.benchmark.runs.plan import RunPlan
from fbench.benchmark.runs.pytorch_versions import refuse_mixed_versions
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.runs.resolution import Resolved, refuse_unknown_options, resolve_suite
from fbench.benchmark.runs.searches import settled
from fbench.benchmark.runs.settled_numerics import settle
from fbench.benchmark.runs.shards import in_share, share_of
from fbench.benchmark.runs.uniform_microbatch import with_uniform_microbatch
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.store.search_files import kept_searches, read_searches
from fbench.benchmark.store.trial_damage import damage_of_trial
from fbench.core.errors import UserError
from fbench.core.files import require_writable_folder
from fbench.statistics.seeds.sequential import analysis_seeds

if TYPE_CHECKING:
    import torch


def plan_groups(request: RunRequest) -> tuple[RunPlan, ...]:
    """The plan of a request, and where its networks had to be split a second one, of those that are computed in another
    way; the two runs are never compared.

    Raises:
        UserError: as :func:`plan_run`.
    """
    first = plan_run(request)
    apart = first.config.split_off
    asked = select_studies(first.resolved.suite, request.only).architectures
    if apart is None or not apart.because.keys() & set(asked):
        return (first,)
    beside = replace(request, out=first.folder.path.with_name(apart.folder))
    return first, plan_run(beside, Group(frozenset(apart.because), apart))


@dataclass(frozen=True)
class Group:
    """The networks of a request that a run is for, by their names in the suite, and how they are computed."""

    names: frozenset[str]
    apart: SplitOff


def plan_run(request: RunRequest, group: Group | None = None) -> RunPlan:
    """Resolve a request into a plan; nothing is written. ``group`` is the part of it that the plan is for, where others
    were split off from it.

    Raises:
        UserError: anything in the request that cannot work, a folder that cannot be written, or one that belongs to
            another configuration.
    """
    from fbench.benchmark.machine.device import device_kind, pick_device, refuse_missing_precision
    from fbench.benchmark.machine.streams import number_changes_no_bits

    request.check_seeds()
    require_writable_folder(cache_directory(), "What is kept between runs", "FBENCH_CACHE_DIR")
    if request.out is not None:
        require_writable_folder(request.out, "The run", "--out")
    written = request.suite if isinstance(request.suite, Suite) else load_suite(request.suite)
    protocol, preset = request.protocol_and_preset()
    device = pick_device(request.device)
    jobs = choose_jobs(request.jobs, device.type)
    check_cluster(request.cluster, request.jobs, request.trials_together, str(device))
    data = _data_specs(request.references())
    options = protocol.architecture_options
    resolved = resolve_suite(written, request.only, options, data, request.plugins, request.trial_timeout_s)
    refuse_unknown_options(protocol, resolved.networks)
    suite, selected = resolved.suite, select_studies(resolved.suite, request.only)
    if group is not None:
        suite, selected = with_levels(suite, group.names), with_levels(selected, group.names)
    refuse_equal_levels(selected, resolved.networks, data)
    folder = RunFolder(request.out or default_folder(suite, data, protocol, request.preset, request.shard))
    require_writable_folder(folder.path, "The run", "--out")
    numerics = chosen_numerics(request, device_kind(device))
    together = numerics.trials_together
    if number_changes_no_bits(device) and not (folder.path / "run.json").exists():
        numerics = numerics.model_copy(update={"trials_together": 1})
    refuse_missing_precision(numerics.precision, device)
    replaced = folder
    if request.uniform_microbatch:
        folder, numerics = with_uniform_microbatch(folder, numerics)
    wanted = run_config(request, suite, protocol, preset.budget, data, numerics, resolved.plugins)
    if group is not None:
        wanted = _moved(wanted, group.apart.numerics, group.apart.because)
    config = _config_in(folder, wanted, request)
    if config.split_off is not None:
        selected = with_levels(selected, set(selected.architectures) - config.split_off.because.keys())
    seeds = request.seeds or (preset.seeds if request.max_seeds is None else analysis_seeds(request.max_seeds)[0])
    known = known_searches(folder, request.take_from) if protocol.tuning is not None else {}
    if group is None and not (folder.path / "run.json").exists():
        selected, config = _settled(selected, config, resolved, folder, device, request)
    specs, planned, networks = expand(selected, config, seeds, resolved.networks, partial(settled, known))
    share = share_of(request.shard, specs, resolved.descriptions, selected.resources)
    own = in_share(specs, share)
    pending = pending_trials(folder, own, keep_failed=request.keep_failed)
    reusable = reusable_trials(pending, request.take_from)
    waiting_ids = {spec.trial_id for spec in pending}
    done = (spec.trial_id for spec in own if spec.trial_id not in waiting_ids)
    refuse_mixed_versions(folder, done, reusable, trains_here=not waiting_ids <= reusable.keys())
    return RunPlan(
        folder=folder,
        config=config,
        suite=selected,
        specs=specs,
        planned=planned,
        pending=pending,
        reusable=reusable,
        networks=networks,
        resolved=resolved,
        device=device,
        jobs=jobs,
        together=together,
        seeds=seeds,
        take_from=request.take_from,
        keep_failed=request.keep_failed,
        wait=request.wait,
        retries=request.retries,
        trial_timeout_s=request.trial_timeout_s,
        replaces=replaced if request.uniform_microbatch else None,
        known=known,
        share=share,
        energy=request.energy,
        cluster=request.cluster,
    )


def _config_in(folder: RunFolder, wanted: RunConfig, request: RunRequest) -> RunConfig:
    """The configuration of the run in a folder, or the wanted one for a folder that is new.

    Raises:
        UserError: the folder has another run, or something else, in it.
    """
    if (folder.path / "run.json").exists():
        apart = folder.config().split_off if request.only_comparable else None
        if apart is not None:
            kept = set(wanted.suite.architectures) - apart.because.keys()
            wanted = wanted.model_copy(update={"suite": with_levels(wanted.suite, kept)})
        return same_configuration(folder, wanted)
    if folder.path.exists() and not folder.is_new():
        raise UserError(f"{folder.path} is no run and no empty folder; give a new one with --out.")
    return wanted


def _settled(
    suite: Suite, config: RunConfig, resolved: Resolved, folder: RunFolder, device: torch.device, request: RunRequest
) -> tuple[Suite, RunConfig]:
    """The suite and the configuration of a new run whose networks were all tried as its numerics say."""
    from fbench.benchmark.records.budget import plan_steps
    from fbench.benchmark.runs.network_tasks import network_tasks

    if not (config.numerics.compile or config.numerics.device_kind == "cuda"):
        return suite, config
    data = config.data[0]
    protocol = config.protocol.for_data(data.source or data.name)
    batch_size = plan_steps(protocol, config.budget, data.images_by_split["train"]).batch_size
    networks = [resolved.networks[name, data.name] for name in suite.architectures]
    with network_tasks(trial_timeout_s=request.trial_timeout_s) as tasks:

        def failing(tried: Sequence[NetworkSpec], numerics: Numerics) -> Mapping[str, str]:
            return tasks.failing_programs(tried, config.protocol, batch_size, numerics, device)

        found = settle(config.numerics, networks, failing, split=request.only_comparable)
    if found.apart is None:
        return suite, _moved(config, found.numerics, found.because) if found.because else config
    words = "-".join(found.apart.words_beside(config.numerics))
    apart = SplitOff(because=dict(found.because), numerics=found.apart, folder=f"{folder.path.name}-{words}")
    whole = with_levels(config.suite, set(config.suite.architectures) - apart.because.keys())
    kept = with_levels(suite, set(suite.architectures) - apart.because.keys())
    return kept, config.model_copy(update={"suite": whole, "split_off": apart})


def _moved(config: RunConfig, numerics: Numerics, because: Mapping[str, str]) -> RunConfig:
    """The configuration with other numerics than were asked for, and why."""
    changes = {"numerics": numerics, "asked_numerics": config.numerics, "moved_because": dict(because)}
    return config.model_copy(update=changes)


def known_searches(folder: RunFolder, take_from: Sequence[Path] = ()) -> dict[str, SearchRecord]:
    """The searches that are done by id: of the run itself, of runs whose trials it may take, and those that come with
    fbench, the first of these that has one.

    Raises:
        UserError: a file is not valid, or a run to take from is none.
    """
    sources = [folder, *(RunFolder.open(path) for path in take_from)]
    found = [read_searches(source.searching) for source in sources]
    return {key: record for searches in (kept_searches(), *reversed(found)) for key, record in searches.items()}


def pending_trials(folder: RunFolder, specs: Sequence[TrialSpec], *, keep_failed: bool) -> tuple[TrialSpec, ...]:
    """The trials without a usable record."""
    if not folder.path.exists():
        return tuple(specs)
    records = folder.trials()
    done = {trial_id for trial_id in records if keep_failed or records.facts(trial_id).finished}
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


def _shapes(spec: TrialSpec) -> tuple[object, ...]:
    """What a record says of its data beside their fingerprint, which alone is hashed."""
    data = spec.data
    return data.image_shape, data.class_names, tuple(sorted(data.images_by_split.items()))


def reusable_trials(pending: Sequence[TrialSpec], sources: Sequence[Path]) -> dict[str, RunFolder]:
    """The trials that another run has finished, each with that run.

    Raises:
        UserError: a source is no run, or has a trial that is damaged, or whose settings or data are not those of its
            record.
    """
    found: dict[str, RunFolder] = {}
    for path in sources:
        source = RunFolder.open(path)
        records = source.trials()
        finished = [spec for spec in pending if spec.trial_id in records and records.facts(spec.trial_id).finished]
        found_specs = (record.spec for record in records.each(spec.trial_id for spec in finished))
        wanted = {
            spec.trial_id: theirs
            for spec, theirs in zip(finished, found_specs, strict=True)
            if theirs.default_protocol == spec.default_protocol
        }
        shapes = {spec.trial_id: _shapes(spec) for spec in finished}
        for trial_id, theirs in wanted.items():
            if theirs.trial_id != trial_id or _shapes(theirs) != shapes[trial_id]:
                raise UserError(
                    f"{source.trial_folder(trial_id)} is no trial of the settings in its record; leave that run out of "
                    "--from."
                )
            if (wrong := damage_of_trial(source.trial_files(trial_id))) is not None:
                raise UserError(
                    f"{source.trial_folder(trial_id)}: {wrong}; mend it with `fbench doctor {path}`, or leave that run "
                    "out of --from."
                )
        found |= dict.fromkeys(wanted, source)
    return found
