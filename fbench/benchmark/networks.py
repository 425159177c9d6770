"""From a name and options to a fully resolved network with its digest, and from a trial back to a trained network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch

from fbench.architectures.digest import network_digest
from fbench.architectures.errors import UserError, errors_of_network
from fbench.architectures.plugins import load_plugin
from fbench.architectures.registry import ResolvedArchitecture, build, resolve
from fbench.architectures.trace import trace
from fbench.benchmark.specs import DataSpec, NetworkSpec
from fbench.benchmark.store import WEIGHTS_FILE, RunFolder

if TYPE_CHECKING:
    from torch import nn


def network_spec(
    name: str, architecture: str, options: Mapping[str, Any], data: DataSpec, plugins: Mapping[str, str]
) -> NetworkSpec:
    """Resolve ``architecture`` with ``options`` for a data set; ``name`` is what the suite calls it.

    ``plugins`` maps the SHA-256 of each plug-in's text to its file, for the workers that build the network again.

    Raises:
        UserError: an unknown architecture or option, images that are not square, or an option the data decide.
    """
    channels, height, width = data.image_shape
    if height != width:
        raise UserError(f"The images of {data.name} are {height}x{width}; networks take square images, resize them.")
    resolved = resolve(
        architecture, **options, num_classes=len(data.class_names), in_channels=channels, image_size=height
    )
    spec, output_shape = _spec_of(name, resolved, plugins)
    if output_shape != (len(data.class_names),):
        raise UserError(
            f"The network '{name}' gives {output_shape} for an image, and {data.name} has {len(data.class_names)} "
            "classes; let it return one logit for each of num_classes."
        )
    return spec


def bare_network_spec(architecture: str, options: Mapping[str, Any], plugins: Mapping[str, str]) -> NetworkSpec:
    """Resolve ``architecture`` for no data set in particular: at its own input size and number of classes.

    Raises:
        UserError: an unknown architecture or option, or a network that cannot be built or run.
    """
    resolved = resolve(architecture, **options)
    return _spec_of(resolved.name, resolved, plugins)[0]


def _spec_of(
    name: str, resolved: ResolvedArchitecture, plugins: Mapping[str, str]
) -> tuple[NetworkSpec, tuple[int, ...]]:
    """The specification, with the shape of what the network gives for one image."""
    with errors_of_network(name):
        with torch.device("meta"):
            module = build(resolved)
        output_shape = trace(module, resolved.input_shape).output_shape
        digest = network_digest(module, resolved.input_shape, resolved.source)
    spec = NetworkSpec(
        name=name,
        builder=resolved.builder,
        options=resolved.options,
        digest=digest,
        source_sha256=resolved.source,
        plugin_file=plugins.get(resolved.source or ""),
    )
    return spec, output_shape


def describe_network(network: NetworkSpec) -> dict[str, Any]:
    """The content of ``network.json``: modules, edges, shapes and counts."""
    with torch.device("meta"):
        module = build(network.resolved)
    return trace(module, network.input_shape).to_json()


def load_model(folder: RunFolder, trial_id: str) -> nn.Module:
    """The trained network of a finished trial, in evaluation mode on the CPU.

    It takes normalised images float (N, C, H, W) and returns logits (N, classes).

    Raises:
        UserError: no such trial in the run, or one without weights (a failed one, or committed without them).
    """
    from safetensors.torch import load

    if not folder.has_record(trial_id):
        raise UserError(f"{folder.path} has no trial '{trial_id}'; `fbench status {folder.path}` lists them.")
    weights = folder.trial_folder(trial_id) / WEIGHTS_FILE
    if not weights.is_file():
        raise UserError(f"Trial '{trial_id}' of {folder.path} has no weights beside its record; run it again here.")
    network = folder.trial(trial_id).spec.network
    if network.plugin_file is not None:
        load_plugin(network.plugin_file)
    module = build(network.resolved)
    module.load_state_dict(load(weights.read_bytes()))  # by name it reads only from paths that are UTF-8
    return module.eval()
