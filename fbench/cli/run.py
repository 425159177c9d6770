"""``fbench run``: train, measure, resume."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import typer

from fbench.cli.architectures import listing_of
from fbench.cli.asked import Asked
from fbench.cli.duration import seconds_of
from fbench.cli.run_end import FAILED, give_results, give_shard, still_to_do, tell_stopped
from fbench.cli.run_options import (
    AgainstOption,
    ArchOption,
    AssumeOption,
    BatchSizeOption,
    ChannelsOption,
    CompileOption,
    CpusPerTrialOption,
    DataOption,
    DeviceOption,
    DryRunOption,
    EnergyOption,
    EpochsOption,
    ExecutorChoice,
    ExecutorOption,
    FromOption,
    FusedBatchNormOption,
    GpusPerTrialOption,
    ImageSizeOption,
    JobsOption,
    JsonLinesOption,
    KeepFailedOption,
    LearningRateOption,
    MaxSeedsOption,
    NoAugmentationOption,
    NumericsOption,
    OnlyComparableOption,
    OnlyOption,
    OutOption,
    PluginOption,
    PrecisionChoice,
    PrecisionOption,
    PresetOption,
    ProtocolOption,
    QuietOption,
    RayAddressOption,
    RetriesOption,
    SeedsOption,
    ShardOption,
    SuiteOption,
    TimeBudgetOption,
    TrackOption,
    TrialsTogetherOption,
    TrialTimeoutOption,
    TrustOption,
    UniformMicrobatchOption,
    UntilDecidedOption,
    VerboseOption,
    WaitOption,
)
from fbench.cli.stop_signals import STOPPED, StopSignals
from fbench.core.errors import UserError
from fbench.core.paths import expanded

if TYPE_CHECKING:
    from pathlib import Path

    from fbench.ablations.suite import Suite
    from fbench.benchmark.runs.plan import RunPlan
    from fbench.benchmark.runs.request import RunRequest
    from fbench.benchmark.runs.stopping import Stopping
    from fbench.benchmark.trackers.choice import TrackerPlace
    from fbench.cli.run_output import RunOutput

DEFAULT_MAX_SEEDS: Final = 20


def run_command(
    context: typer.Context,
    suite: SuiteOption = None,
    arch: ArchOption = None,
    against: AgainstOption = None,
    only: OnlyOption = None,
    protocol: ProtocolOption = "fbench",
    epochs: EpochsOption = None,
    learning_rate: LearningRateOption = None,
    batch_size: BatchSizeOption = None,
    no_augmentation: NoAugmentationOption = False,
    preset: PresetOption = "quick",
    data: DataOption = None,
    image_size: ImageSizeOption = None,
    channels: ChannelsOption = None,
    seeds: SeedsOption = None,
    device: DeviceOption = "auto",
    precision: PrecisionOption = PrecisionChoice.FP32,
    compiled: CompileOption = False,
    fused_batch_norm: FusedBatchNormOption = None,
    trials_together: TrialsTogetherOption = 1,
    jobs: JobsOption = None,
    out: OutOption = None,
    take_from: FromOption = None,
    plugin: PluginOption = None,
    numerics: NumericsOption = None,
    only_comparable: OnlyComparableOption = False,
    until_decided: UntilDecidedOption = False,
    max_seeds: MaxSeedsOption = None,
    keep_failed: KeepFailedOption = False,
    trust: TrustOption = None,
    retries: RetriesOption = 0,
    trial_timeout: TrialTimeoutOption = None,
    time_budget: TimeBudgetOption = None,
    shard: ShardOption = None,
    executor: ExecutorOption = ExecutorChoice.LOCAL,
    ray_address: RayAddressOption = None,
    cpus_per_trial: CpusPerTrialOption = None,
    gpus_per_trial: GpusPerTrialOption = None,
    wait: WaitOption = False,
    uniform_microbatch: UniformMicrobatchOption = False,
    energy: EnergyOption = False,
    track: TrackOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    as_json: JsonLinesOption = False,
    dry_run: DryRunOption = False,
    assume: AssumeOption = None,
) -> None:
    """Train and measure the networks of a suite; the same command again goes on where it stopped."""
    from fbench.benchmark.clusters.options import cluster_asked_for
    from fbench.benchmark.runs.request import RunRequest
    from fbench.benchmark.runs.shards import Shard
    from fbench.benchmark.runs.stopping import Stopping
    from fbench.benchmark.trackers.choice import parse_trackers

    stopping = Stopping(None if time_budget is None else seconds_of(time_budget, "--time-budget"))
    trackers = parse_trackers(track or ())
    request = RunRequest(
        suite=_suite(suite, arch or [], against, plugin or []),
        only=tuple(only or ()),
        protocol=protocol,
        epochs=epochs,
        learning_rate=learning_rate,
        batch_size=batch_size,
        augmentation=not no_augmentation,
        preset=preset,
        data=tuple(data or ("synthetic",)),
        image_size=image_size,
        channels=channels,
        seeds=seeds,
        device=device,
        precision=precision.value,
        compile=compiled,
        fused_batch_norm=fused_batch_norm.value if fused_batch_norm else None,
        trials_together=trials_together,
        jobs=jobs,
        out=out,
        take_from=tuple(take_from or ()),
        plugins=(*(plugin or ()), *_trusted(trust, take_from or [])),
        numerics_of=numerics,
        only_comparable=only_comparable,
        keep_failed=keep_failed,
        max_seeds=_max_seeds(max_seeds, until_decided=until_decided),
        wait=wait,
        uniform_microbatch=uniform_microbatch,
        energy=energy,
        retries=retries,
        trial_timeout_s=None if trial_timeout is None else seconds_of(trial_timeout, "--trial-timeout"),
        shard=None if shard is None else Shard.parse(shard),
        cluster=cluster_asked_for(executor.value, ray_address, cpus_per_trial, gpus_per_trial),
    )
    if isinstance(context.obj, Asked):
        context.obj.request = request
    elif dry_run:
        _print_plan(request, assume)
    elif assume is not None:
        raise UserError(f"--assume-sd {assume} was given without --dry-run, which is what it serves; leave it out.")
    else:
        _run(request, trackers, _output(quiet=quiet, verbose=verbose, as_json=as_json), stopping)


def _max_seeds(given: int | None, *, until_decided: bool) -> int | None:
    if until_decided:
        return DEFAULT_MAX_SEEDS if given is None else given
    if given is not None:
        raise UserError(f"--max-seeds {given} was given without --until-decided; add it, or give --seeds {given}.")
    return None


def _suite(suite: str | None, architectures: list[str], against: str | None, plugins: Sequence[Path]) -> str | Suite:
    from fbench.ablations.suite import adhoc_suite

    architectures = _chosen(architectures, plugins)
    if architectures:
        if suite is not None:
            raise UserError(f"--suite {suite} and --arch {architectures[0]} were both given; give one of them.")
        return adhoc_suite(architectures, against)
    if against is not None:
        raise UserError(f"--against {against} was given without --arch; name the networks to compare with --arch.")
    return suite or "ablations"


def _chosen(given: Sequence[str], plugins: Sequence[Path]) -> list[str]:
    """The networks that names with wildcards stand for, those of plug-ins too; other names are looked up where their
    code runs."""
    if not any(set("*?[") & set(name) for name in given):
        return list(given)
    return listing_of(plugins).chosen(given)


def _trusted(trust: str | None, runs: Sequence[Path]) -> tuple[Path, ...]:
    """The plug-in that the runs of ``--from`` name and a user trusts."""
    if trust is None:
        return ()
    from fbench.benchmark.store.run_folder import RunFolder
    from fbench.benchmark.training.foreign_code import trusted_plugins

    return trusted_plugins([RunFolder.open(expanded(run)) for run in runs], trust)


def _print_plan(request: RunRequest, assume: str | None) -> None:
    from rich.console import Console

    from fbench.benchmark.runs.network_tasks import network_tasks
    from fbench.benchmark.runs.planning import plan_groups
    from fbench.benchmark.runs.power_analysis import analyse_power, stated_components
    from fbench.benchmark.runs.session import estimate_run_s
    from fbench.cli.plan_view import print_plan

    stated = stated_components(assume) if assume is not None else None
    timing = network_tasks(trial_timeout_s=request.trial_timeout_s)
    with Console().status("planning, and timing a few steps"), timing as networks:
        plans = plan_groups(request)
        found = [(estimate_run_s(plan, networks)[1], analyse_power(plan, request.max_seeds, stated)) for plan in plans]
    for plan, (estimate_s, analyses) in zip(plans, found, strict=True):
        print_plan(plan, estimate_s, analyses, request.max_seeds)


def _run(request: RunRequest, trackers: Sequence[TrackerPlace], output: RunOutput, stopping: Stopping) -> None:
    """Run what is asked for: one plan, or one for each group of networks that were split.

    Raises:
        typer.Exit: trials failed, or it was stopped.
    """
    from rich.console import Console

    from fbench.benchmark.runs.planning import plan_groups

    with Console(stderr=True).status("planning"):
        plans = plan_groups(request)
    failed = False
    for plan in plans:
        try:
            _run_plan(plan, request, trackers, output, stopping)
        except typer.Exit as ended:
            if ended.exit_code != FAILED:
                raise
            failed = True
    if failed:
        raise typer.Exit(FAILED)


def _run_plan(
    plan: RunPlan, request: RunRequest, trackers: Sequence[TrackerPlace], output: RunOutput, stopping: Stopping
) -> None:
    from fbench.benchmark.runs.listener import Together
    from fbench.benchmark.runs.session import carry_out
    from fbench.benchmark.runs.stopping import UnfinishedRunError
    from fbench.benchmark.trackers.choice import mirrors_of
    from fbench.cli.plan_view import print_notes
    from fbench.cli.search_view import search_lines

    print_notes(plan)
    for line in search_lines(plan.searches, plan.device, plan.jobs):
        output.note(line)
    if request.max_seeds is not None and plan.folder.path.exists() and plan.folder.interim_analyses() is None:
        typer.echo(
            f"{plan.folder.path} has trials already. If you have seen their results, that was an "
            "interim analysis that no interval takes account of; a new folder (--out) has none.",
            err=True,
        )
    signals = StopSignals(stopping)
    try:
        with signals.heard(), mirrors_of(trackers, _warn) as mirrors, output.progress() as progress:
            table = carry_out(plan, request.max_seeds, Together(progress, *mirrors), stopping)
    except KeyboardInterrupt:
        tell_stopped(plan.folder, "")
        raise typer.Exit(signals.exit_code) from None
    except UnfinishedRunError as error:
        tell_stopped(plan.folder, still_to_do(error))
        raise typer.Exit(signals.exit_code if signals.was_asked else STOPPED) from None
    if plan.share is None:
        give_results(table, output)
    else:
        give_shard(table, output)


def _warn(sentence: str) -> None:
    with suppress(OSError):
        typer.echo(sentence, err=True)


def _output(*, quiet: bool, verbose: bool, as_json: bool) -> RunOutput:
    """The output that is asked for.

    Raises:
        UserError: two of them were asked for.
    """
    from fbench.cli.run_output import FullOutput, JsonOutput, QuietOutput, VerboseOutput

    kinds: list[tuple[bool, str, type[RunOutput]]] = [
        (quiet, "--quiet", QuietOutput),
        (verbose, "--verbose", VerboseOutput),
        (as_json, "--json", JsonOutput),
    ]
    asked = [(option, kind) for is_asked, option, kind in kinds if is_asked]
    if len(asked) > 1:
        raise UserError(f"{asked[0][0]} and {asked[1][0]} were both given; give one of them.")
    return asked[0][1]() if asked else FullOutput()
