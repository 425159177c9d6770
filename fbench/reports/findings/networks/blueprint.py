"""A network as a reader would draw it: stages of the main path from its ``network.json``, with what branches off.

As figures 1 to 4 of Xu et al. 2021 and figures 1 to 3 of Chowanda 2021 do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Literal

from fbench.benchmark.records.network_description import DescribedModule, NetworkDescription
from fbench.benchmark.store.run_table import RunTable
from fbench.reports.findings.networks.inventory import locate_parts
from fbench.reports.findings.networks.parts import NetworkPart
from fbench.reports.left_out import Omissions, attempt

Role = Literal["layer", "squeeze-and-excitation", "shortcut"]

_TAKES_ACTIVATION: Final = ("convolution", "dense layer", "normalisation")
_SHORT: Final = (
    (" channels", ""),
    (" to ", " → "),
    (", stride ", " / "),
    (" with batch normalisation", ", BN"),
    ("pointwise convolution", "1×1 conv"),
    ("convolution", "conv"),
)


@dataclass(frozen=True)
class BlueprintLine:
    """One line of a stage: a layer with what directly follows it, or where a branch comes back to the main path."""

    text: str
    role: Role = "layer"


@dataclass(frozen=True)
class Stage:
    """Layers that belong together: of one top-level module, or of one residual unit.

    ``output_shape`` is (channels, height, width) or (features,); ``trainable_params`` and ``macs``, for one image, are
    of one of the ``repeated`` equal stages.
    """

    title: str
    lines: tuple[BlueprintLine, ...]
    output_shape: tuple[int, ...]
    trainable_params: int
    macs: int
    repeated: int = 1


@dataclass(frozen=True)
class Blueprint:
    """The stages of a network in order; counts are of the whole, for one image."""

    input_shape: tuple[int, ...]
    stages: tuple[Stage, ...]
    trainable_params: int
    macs: int


@dataclass(frozen=True)
class NetworkPlan:
    """One drawing, and the networks that it is of: more than one where they have the same layers."""

    networks: tuple[str, ...]
    blueprint: Blueprint


def network_plans(run: RunTable, data: str, omissions: Omissions | None = None) -> tuple[NetworkPlan, ...]:
    """The plan of each network of a run whose description is kept, equal ones together.

    Args:
        run: whose folder keeps the descriptions.
        data: name of the data set on which the networks were trained.
        omissions: takes a note of each network whose description is damaged; none: the first is raised.

    Raises:
        UserError: a description is damaged, and nothing takes a note of it.
    """
    found: dict[Blueprint, list[str]] = {}
    for network in run.networks:
        plan = attempt(omissions, f"the drawing of {network}", partial(_network_plan, run, network, data))
        if plan is not None:
            found.setdefault(plan, []).append(network)
    return tuple(NetworkPlan(tuple(names), plan) for plan, names in found.items())


def _network_plan(run: RunTable, network: str, data: str) -> Blueprint | None:
    description = run.network_description(network, data)
    return None if description is None else blueprint(description)


def blueprint(description: NetworkDescription) -> Blueprint:
    """The plan of a described network."""
    modules, parts = description.modules, locate_parts(description)
    stages = [_stage(modules, nodes, parts) for nodes in _grouped(modules, parts)]
    return Blueprint(
        input_shape=description.input_shape,
        stages=tuple(_folded([stage for stage in stages if stage is not None])),
        trainable_params=description.counts.trainable_params,
        macs=description.counts.macs,
    )


def _grouped(modules: Sequence[DescribedModule], parts: Mapping[int, NetworkPart]) -> Iterator[list[int]]:
    """Modules in runs of one top-level name; layers without one stand together, and a sum ends a run."""
    group: list[int] = []
    ended = False
    for node, module in enumerate(modules):
        if module.kind == "input":
            continue
        part = parts.get(node)
        joins = part is not None and part.category == "activation"
        if group and ((ended and not joins) or _unit(module) != _unit(modules[group[-1]])):
            yield group
            group, ended = [], False
        group.append(node)
        ended = ended or (part is not None and part.category == "shortcut")
    if group:
        yield group


def _unit(module: DescribedModule) -> str:
    """The top-level module of a layer inside one, else nothing."""
    name, dot, _ = module.path.partition(".")
    return name if dot else ""


def _stage(modules: Sequence[DescribedModule], nodes: Sequence[int], parts: Mapping[int, NetworkPart]) -> Stage | None:
    lines: list[BlueprintLine] = []
    takes_activation = False
    for node in nodes:
        part = parts.get(node)
        if part is None:
            continue
        if part.category == "activation" and takes_activation:
            lines[-1] = BlueprintLine(f"{lines[-1].text}, {part.kind}")
        else:
            lines.append(_line(part))
        takes_activation = part.category in _TAKES_ACTIVATION
    params = sum(modules[node].trainable_params for node in nodes)
    macs = sum(modules[node].macs for node in nodes)
    if not lines and not params and not macs:
        return None
    return Stage(_title(modules, nodes), tuple(lines), modules[nodes[-1]].output_shape, params, macs)


def _line(part: NetworkPart) -> BlueprintLine:
    if part.category == "shortcut":
        words = "of two equal branches" if part.kind == "symmetric" else _short(part.form or f"{part.kind} shortcut")
        return BlueprintLine(f"sum {words}" if part.kind == "symmetric" else f"+ {words}", "shortcut")
    if part.category == "squeeze-and-excitation":
        return BlueprintLine(_short(f"squeeze-and-excitation, {part.form}"), "squeeze-and-excitation")
    if part.category == "convolution":
        kernel = part.form or ("1×1" if part.kind == "pointwise" else "")
        kind = "" if part.kind in ("pointwise", "full") else f"{part.kind} "
        normalised = ", BN" if part.normalised else ""
        return BlueprintLine(f"{kernel} {kind}conv {_short(part.shape)}{normalised}".strip())
    if part.category == "dense layer":
        return BlueprintLine(f"dense {_short(part.shape)}")
    return BlueprintLine(_short(f"{part.kind} {part.form}".strip()))


def _short(words: str) -> str:
    for long, short in _SHORT:
        words = words.replace(long, short)
    return words


def _title(modules: Sequence[DescribedModule], nodes: Sequence[int]) -> str:
    """The longest path that all modules of a stage begin with, or "layers" where they share none."""
    paths = [modules[node].path.split(".") for node in nodes if modules[node].path]
    if not paths:
        return "layers"
    common = []
    for names in zip(*paths, strict=False):
        if len(set(names)) > 1:
            break
        common.append(names[0])
    return ".".join(name for name in common if name not in ("body", "residual")) or "layers"


def _folded(stages: Sequence[Stage]) -> Iterator[Stage]:
    """Equal stages that follow each other as one."""
    waiting: Stage | None = None
    for stage in stages:
        alike = waiting is not None and (stage.lines, stage.output_shape, stage.trainable_params, stage.macs) == (
            waiting.lines,
            waiting.output_shape,
            waiting.trainable_params,
            waiting.macs,
        )
        if waiting is not None and alike:
            title = f"{waiting.title.partition(' to ')[0]} to {stage.title}"
            waiting = replace(waiting, title=title, repeated=waiting.repeated + 1)
            continue
        if waiting is not None:
            yield waiting
        waiting = stage
    if waiting is not None:
        yield waiting
