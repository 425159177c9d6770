"""The configuration that a run's folder belongs to: made of a request, or found in the folder and held against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from fbench.ablations.suite import Suite
from fbench.architectures.plugin_sources import PluginSources
from fbench.benchmark.records.budget import Budget
from fbench.benchmark.records.numerics import NUMERICS_VERSIONS, DeviceKind, Numerics, choose_numerics
from fbench.benchmark.records.protocol import Protocol
from fbench.benchmark.records.specs import DataSpec, plugin_folder
from fbench.benchmark.records.trial_records import RunConfig
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.runs.shards import Shard
from fbench.benchmark.store.run_folder import RunFolder
from fbench.core.errors import UserError
from fbench.core.machine import package_version


def chosen_numerics(request: RunRequest, kind: DeviceKind) -> Numerics:
    """Numerics chosen by rule, or those of another run.

    Raises:
        UserError: the other run was made on another kind of device, or with training code that has changed since.
    """
    if request.numerics_of is None:
        return choose_numerics(
            kind,
            request.precision,
            compile=request.compile,
            fused_batch_norm=request.fused_batch_norm,
            trials_together=request.trials_together,
        )
    numerics = RunFolder.open(request.numerics_of).config().numerics
    if numerics.device_kind != kind:
        raise UserError(
            f"--numerics {request.numerics_of} is a run on {numerics.device_kind} and this one is on {kind}; "
            f"give --device {numerics.device_kind}, or leave --numerics out."
        )
    if numerics.numerics_version != NUMERICS_VERSIONS[numerics.device_kind]:
        raise UserError(
            f"--numerics {request.numerics_of} is a run of numerics version {numerics.numerics_version}, and this "
            f"fbench computes version {NUMERICS_VERSIONS[numerics.device_kind]}; leave --numerics out, or use fbench "
            f"{RunFolder.open(request.numerics_of).config().fbench_version}."
        )
    return numerics


def default_folder(
    suite: Suite, data: Sequence[DataSpec], protocol: Protocol, preset: str, shard: Shard | None = None
) -> Path:
    """Where a run goes that is given no other place, below the working directory."""
    parts = [suite.name, "+".join(spec.name for spec in data), preset]
    if protocol.name != "fbench":
        parts.append(protocol.name)
    if shard is not None:
        parts.append(f"shard-{shard.number}-of-{shard.of}")
    return Path("results") / "-".join(parts)


def run_config(
    request: RunRequest,
    suite: Suite,
    protocol: Protocol,
    budget: Budget,
    data: tuple[DataSpec, ...],
    numerics: Numerics,
    plugins: Mapping[str, PluginSources],
) -> RunConfig:
    """The configuration of a new run; ``plugins`` are by digest."""
    return RunConfig(
        name=default_folder(suite, data, protocol, request.preset).name,
        suite=suite,
        protocol=protocol,
        preset=request.preset,
        budget=budget,
        data=data,
        numerics=numerics,
        plugins=tuple(str(plugin_folder(digest) / plugin.main) for digest, plugin in plugins.items()),
        shard=None if request.shard is None else str(request.shard),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        fbench_version=package_version("fbench"),
    )


def same_configuration(folder: RunFolder, wanted: RunConfig) -> RunConfig:
    """The folder's own configuration, with data paths as they are now.

    Raises:
        UserError: the folder belongs to another configuration; the first field that differs is named.
    """
    found = folder.config()
    if found.moved_because:
        wanted = wanted.model_copy(update={"numerics": _as_moved(wanted.numerics, found)})
    if different := different_settings(wanted, found):
        raise UserError(
            f"{folder.path} belongs to a run with another configuration (different {', '.join(different)}); "
            "give another folder with --out, or the options of that run."
        )
    return found.model_copy(update={"data": wanted.data, "plugins": wanted.plugins})


def _as_moved(asked: Numerics, found: RunConfig) -> Numerics:
    """What a run that was moved computes with, where the same was asked of it."""
    if found.asked_numerics is None:  # of before, when the program was all that a run was moved from
        return asked.eager()
    return found.numerics if asked == found.asked_numerics else asked


def different_settings(ours: RunConfig, theirs: RunConfig) -> list[str]:
    """What makes two configurations those of different runs, in words."""

    def essence(config: RunConfig) -> dict[str, object]:
        return {
            "suite": config.suite.comparisons(),
            "shard": config.shard,
            "protocol": config.protocol.settings(),
            "rule of collapsed trainings": config.protocol.collapse,
            "preset": config.budget,
            "data": [spec.fingerprint for spec in config.data],
            "numerics version, as another fbench made it": config.numerics.numerics_version,
            "numerics (device, precision, compilation, fused layers or trials together)": config.numerics.model_dump(
                exclude={"numerics_version"}
            ),
        }

    other = essence(theirs)
    return [field for field, value in essence(ours).items() if value != other[field]]
