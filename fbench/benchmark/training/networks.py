"""From a name and options to a fully resolved network with its digest, and from a trial back to a trained network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fbench.architectures.builder_check import refuse_unsteady_builder
from fbench.architectures.builders import GEOMETRY
from fbench.architectures.building import build_and_trace
from fbench.architectures.digest import digest_of
from fbench.architectures.output_check import refuse_unusable_output
from fbench.architectures.registry import ResolvedArchitecture, build, plugin_of, resolve
from fbench.architectures.tracing.graph import NetworkTrace
from fbench.benchmark.records.network_description import NetworkDescription
from fbench.benchmark.records.specs import DataSpec, NetworkSpec
from fbench.benchmark.records.trial_records import UncountedOperation
from fbench.benchmark.store.run_folder import WEIGHTS_FILE, RunFolder
from fbench.benchmark.store.weights import WeightsError, read_state
from fbench.benchmark.training.foreign_code import require_code
from fbench.benchmark.training.network_state import State, fits, put_state
from fbench.core.errors import UserError, reason_on_a_line

if TYPE_CHECKING:
    from torch import nn


def network_spec(name: str, architecture: str, options: Mapping[str, Any], data: DataSpec) -> NetworkSpec:
    """Resolve ``architecture`` with ``options`` for a data set; ``name`` is what the suite calls it.

    Raises:
        UserError: an unknown architecture or option, images that are not square, an option the data decide, or a
            network that cannot be built, run or trained.
    """
    channels, height, width = data.image_shape
    if height != width:
        raise UserError(f"The images of {data.name} are {height}x{width}; networks take square images, resize them.")
    if decided := next((option for option in GEOMETRY if option in options), None):
        raise UserError(
            f"'{name}' sets the option {decided}, which the data decide; leave it out, and give --image-size or "
            "--channels for data of your own."
        )
    resolved = resolve(
        architecture, **options, num_classes=len(data.class_names), in_channels=channels, image_size=height
    )
    if resolved.source is None and plugin_of(resolved.builder) is None:
        digest = _digest_of_own(json.dumps([name, resolved.name, resolved.builder, resolved.options]))
    else:
        digest = _checked_digest(name, resolved)
    return _spec_of(name, resolved, digest)


@lru_cache(maxsize=256)
def _digest_of_own(network_json: str) -> str:
    """Of a network that no code of a user's defines: checked once in a process, though a command plans several times
    (0.1 s of a network each)."""
    name, architecture, builder, options = json.loads(network_json)
    return _checked_digest(name, ResolvedArchitecture(architecture, builder, options, None))


def _checked_digest(name: str, resolved: ResolvedArchitecture) -> str:
    module, traced = build_and_trace(replace(resolved, name=name))
    refuse_unsteady_builder(name, resolved, module)
    refuse_unusable_output(name, resolved, module, traced, int(resolved.options["num_classes"]))
    return digest_of(module, traced, resolved.source)


def bare_network_spec(architecture: str, options: Mapping[str, Any]) -> NetworkSpec:
    """Resolve ``architecture`` for no data set in particular: at its own input size and number of classes.

    Raises:
        UserError: an unknown architecture or option, or a network that cannot be built or run.
    """
    resolved = resolve(architecture, **options)
    module, traced = build_and_trace(resolved)
    return _spec_of(resolved.name, resolved, digest_of(module, traced, resolved.source))


def _spec_of(name: str, resolved: ResolvedArchitecture, digest: str) -> NetworkSpec:
    plugin = plugin_of(resolved.builder)
    return NetworkSpec(
        name=name,
        builder=resolved.builder,
        options=resolved.options,
        digest=digest,
        source_sha256=resolved.source,
        plugin_file=None if plugin is None else str(plugin.folder / plugin.main),
        plugin_digest=None if plugin is None else plugin.digest,
    )


def describe_network(network: NetworkSpec) -> NetworkDescription:
    """The content of ``network.json``: modules, edges, shapes and counts.

    Raises:
        UserError: the network cannot be built or run.
    """
    return NetworkDescription.model_validate(trace_of(network).to_json())


def trace_of(network: NetworkSpec) -> NetworkTrace:
    """The trace of a network, made once in a process, as a run has many trials of each.

    Raises:
        UserError: the network cannot be built or run.
    """
    return _traced(network.model_dump_json())


@lru_cache(maxsize=64)
def _traced(network_json: str) -> NetworkTrace:
    return build_and_trace(NetworkSpec.model_validate_json(network_json).resolved)[1]


def uncounted(traced: NetworkTrace) -> tuple[UncountedOperation, ...]:
    """What a trace could not count, as records keep it."""
    return tuple(
        UncountedOperation(operation=one.operation, calls=one.calls, on_parameters=one.on_parameters)
        for one in traced.not_counted
    )


def load_model(folder: RunFolder, trial_id: str, trust: str | None = None) -> nn.Module:
    """The trained network of a finished trial, in evaluation mode on the CPU.

    It takes normalised images float (N, C, H, W) and returns logits (N, classes). Code that only the record names runs
    where ``trust`` is its digest, as of :func:`fbench.benchmark.training.foreign_code.require_code`.

    Raises:
        UserError: code that is not trusted, no such trial in the run, one without weights (a failed one, or committed
            without them), or weights that do not fit the network as its builder makes it now.
    """
    if not folder.has_record(trial_id):
        raise UserError(f"{folder.path} has no trial '{trial_id}'; `fbench status {folder.path}` lists them.")
    weights = folder.trial_files(trial_id) / WEIGHTS_FILE
    if not weights.is_file():
        if reason := folder.trial(trial_id).weights_not_kept:
            raise UserError(f"The weights of trial '{trial_id}' of {folder.path} could not be kept: {reason}.")
        raise UserError(f"Trial '{trial_id}' of {folder.path} has no weights beside its record; run it again here.")
    network = folder.trial(trial_id).spec.network
    require_code(folder, network, trust)
    try:
        state = read_state(weights)
    except WeightsError as error:
        raise UserError(f"{error}; run trial '{trial_id}' again here.") from error
    _refuse_other_shapes(state, network, trial_id)
    module = build(network.resolved)
    _put(module, state, network, trial_id)
    return module.eval()


def _refuse_other_shapes(state: State, network: NetworkSpec, trial_id: str) -> None:
    """See that the weights are of the network of the record before that is built: a record may ask for one that fills
    the memory. Networks of users, which may need real tensors, are code that somebody trusts."""
    if network.source_sha256 is not None:
        return
    import torch  # heavy

    with torch.device("meta"):
        wanted = build(network.resolved).state_dict()
    for name, value in state.items():
        if isinstance(value, torch.Tensor) and name in wanted and value.shape != wanted[name].shape:
            raise UserError(
                f"The weights of trial '{trial_id}' do not fit the network '{network.name}' ({name} has the shape "
                f"{tuple(value.shape)}, and by its options {tuple(wanted[name].shape)}); use the code that trained it."
            )


def _put(module: nn.Module, state: State, network: NetworkSpec, trial_id: str) -> None:
    """Put weights into a network as built. What it made of its buffers in training fits only the code of then."""
    edited = not fits(module, state) and not is_unedited(network)
    try:
        if edited:
            module.load_state_dict(state)
        else:
            put_state(module, state)
    except Exception as error:  # set_extra_state is somebody's code
        reason = reason_on_a_line(error)
        raise UserError(
            f"The weights of trial '{trial_id}' do not fit the network '{network.name}' ({reason}); use the code that "
            "trained it."
        ) from error


def is_unedited(network: NetworkSpec) -> bool:
    """Whether the code at hand still builds the network that a specification means.

    Raises:
        UserError: the network cannot be built or run.
    """
    module, traced = build_and_trace(network.resolved)
    return digest_of(module, traced, network.source_sha256) == network.digest
