"""``fbench show``: one network layer by layer, with its counts, its times, or what other counters say of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from fbench.cli.architectures import JsonOption, PluginOption, parse_options
from fbench.core.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fbench.benchmark.cost.speed import SpeedRequest


def show_command(
    name: Annotated[str, typer.Argument(help="Name or alias of a network.")],
    option: Annotated[
        list[str] | None, typer.Option("--option", help="A switch as KEY=VALUE; may be repeated.")
    ] = None,
    profile: Annotated[
        bool,
        typer.Option(
            "--profile", help="Time every layer on this machine, beside the least that its arithmetic and memory allow."
        ),
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
        _show_layers(name, option or [], plugin or (), as_json=as_json)
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


def _show_layers(name: str, options: list[str], plugins: Sequence[Path], *, as_json: bool) -> None:
    from fbench.benchmark.workers.asking import users_networks
    from fbench.benchmark.workers.questions import question
    from fbench.cli.architecture_views import print_architecture
    from fbench.cli.network_questions import shown

    with users_networks(plugins) as users:
        name = users.listing().named(name).name
        found = users.ask_network(name, question(shown, name, parse_options(options)))
    if as_json:
        typer.echo(json.dumps(found.to_json(), indent=1))
    else:
        print_architecture(found)


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
