"""``fbench show``: one network layer by layer, with its counts, its times, or what other counters say of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from fbench.architectures.contract import ContractRow, rows_of
from fbench.architectures.registry import canonical_name, describe
from fbench.cli.architectures import JsonOption, PluginOption, load_plugins, parse_options
from fbench.core.errors import UserError

if TYPE_CHECKING:
    from fbench.benchmark.cost.speed import SpeedRequest


def show_command(
    name: Annotated[str, typer.Argument(help="Name or alias of a network.")],
    option: Annotated[
        list[str] | None, typer.Option("--option", help="A switch as KEY=VALUE; may be repeated.")
    ] = None,
    profile: Annotated[
        bool, typer.Option("--profile", help="Time every layer on this machine, beside what its roofline allows.")
    ] = False,
    counters: Annotated[
        bool, typer.Option("--counters", help="Count with fvcore, ptflops and torch too, and list what they leave out.")
    ] = False,
    batch_size: Annotated[int, typer.Option(min=1, help="Images of a call, with --profile.")] = 1,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps, with --profile.")] = "auto",
    threads: Annotated[
        int | None, typer.Option(help="Threads on a CPU, with --profile. Default: 1, as trials have.")
    ] = None,
    as_json: JsonOption = False,
    plugin: PluginOption = None,
) -> None:
    """Show a network layer by layer, its counts beside the paper's, and the choices that were open."""
    if profile and counters:
        raise UserError("--profile and --counters were both given; give one of them.")
    if not profile and not counters:
        load_plugins(plugin)
        _show_layers(canonical_name(name), option or [], as_json=as_json)
        return
    from fbench.benchmark.cost.speed import SpeedRequest

    request = SpeedRequest(
        names=(name,),
        batch_sizes=(batch_size,),
        device=device,
        threads=threads,
        options=parse_options(option or []),
        plugins=tuple(plugin or ()),
    )
    (_show_profile if profile else _show_counters)(request, as_json)


def _show_layers(name: str, options: list[str], *, as_json: bool) -> None:
    from fbench.architectures.building import build_and_trace
    from fbench.architectures.registry import resolve
    from fbench.cli.architecture_views import ShownArchitecture, print_architecture

    resolved = resolve(name, **parse_options(options))
    about, base = describe(name), describe(resolved.builder)
    as_registered = resolved.options == resolve(name).options
    shown = ShownArchitecture(
        resolved=resolved,
        description=about,
        open_choices=about.open_choices or base.open_choices,
        row=rows_of([name])[name] if as_registered else ContractRow(name, None),
        trace=build_and_trace(resolved)[1],
    )
    if as_json:
        typer.echo(json.dumps(shown.to_json(), indent=1))
    else:
        print_architecture(shown)


def _show_profile(request: SpeedRequest, as_json: bool) -> None:
    from fbench.benchmark.cost.speed import profile
    from fbench.cli.profile_view import print_profile, profile_to_json

    found = profile(request)
    if as_json:
        typer.echo(json.dumps(profile_to_json(request.names[0], found), indent=1))
    else:
        print_profile(request.names[0], found)


def _show_counters(request: SpeedRequest, as_json: bool) -> None:
    from fbench.benchmark.cost.speed import count_with_all
    from fbench.cli.counters_view import counters_to_json, print_counters

    found = count_with_all(request)
    if as_json:
        typer.echo(json.dumps(counters_to_json(request.names[0], found), indent=1))
    else:
        print_counters(request.names[0], found)
