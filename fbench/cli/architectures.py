"""``fbench list``, ``params`` and ``new-arch``: the commands about networks."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fbench.architectures.contract import ContractRow, rows_of
from fbench.architectures.registry import canonical_name, describe, list_architectures, registered_aliases
from fbench.core.errors import UserError

if TYPE_CHECKING:
    from fbench.architectures.counts import Drift

PluginOption = Annotated[
    list[Path] | None, typer.Option("--plugin", help="Python file that registers networks; may be repeated.")
]
TrustOption = Annotated[
    str | None,
    typer.Option(
        "--trust",
        metavar="SHA256",
        help="Run the code that the run names, where its files have this digest; without it they are listed.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def list_command(
    pattern: Annotated[
        str, typer.Argument(help="Name with wildcards, such as 'ires*'; or suites, protocols, presets or data.")
    ] = "*",
    as_json: JsonOption = False,
    plugin: PluginOption = None,
) -> None:
    """List the networks with their counts at 1x48x48 and 7 classes, or the suites, protocols, presets or data sets."""
    from fbench.cli.listing import KINDS, print_kind

    if pattern in KINDS:
        print_kind(pattern, as_json=as_json)
        return
    load_plugins(plugin)
    names = list_architectures(pattern)
    if not names:
        raise UserError(f"No architecture matches '{pattern}'; `fbench list` prints all names.")
    listed = [_listed(name, row) for name, row in rows_of(names).items()]
    if as_json:
        typer.echo(json.dumps(listed, indent=1))
        return
    from fbench.cli.architecture_views import print_list

    print_list(listed)


def params_command(
    names: Annotated[list[str] | None, typer.Argument(help="Names of networks; default all.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 where a count differs.")] = False,
    update: Annotated[bool, typer.Option("--update", help="Write the present counts.")] = False,
    as_json: JsonOption = False,
    plugin: PluginOption = None,
) -> None:
    """Print the counts of the contract, compare the networks with it, or bring it up to date."""
    load_plugins(plugin)
    if check and update:
        raise UserError("--check and --update were both given; give one of them.")
    if check:
        _check(names or [], as_json)
    elif update:
        _update(names or [])
    else:
        _print_counts(names or [], as_json)


def new_arch_command(
    name: Annotated[str, typer.Argument(help="Name of the new network, a Python name such as my_net.")],
) -> None:
    """Write NAME.py with a small working network to start from."""
    from fbench.architectures.scaffold import new_architecture_text
    from fbench.core.files import replacing, require_writable_file

    text = new_architecture_text(name)
    path = Path(f"{name}.py")
    if os.path.lexists(path):
        raise UserError(f"{path} exists and is not overwritten; choose another name or move the file.")
    require_writable_file(path, "The network", "NAME")
    with replacing(path) as stream:
        stream.write(text.encode())
    typer.echo(f"Wrote {path}. Next: fbench show {name} --plugin {path}")
    typer.echo(f"Then:  fbench run --arch {name} --against ires --plugin {path}")


def load_plugins(paths: Sequence[Path] | None) -> None:
    """Register the networks of the files that ``--plugin`` names."""
    if not paths:
        return
    from fbench.architectures.plugins import load_plugin

    for path in paths:
        load_plugin(path)


def _listed(name: str, row: ContractRow) -> dict[str, Any]:
    about, counts = describe(name), row.counts
    return {
        "name": name,
        "aliases": sorted(alias for alias, target in registered_aliases().items() if target == name),
        "trainable_params": counts.trainable_params if counts else None,
        "total_params_keras": counts.total_params_keras if counts else None,
        "macs": counts.macs if counts else None,
        "paper": about.paper or row.paper,
        "role": about.role or row.role,
        "description": about.description or row.description,
    }


def parse_options(given: Sequence[str]) -> dict[str, Any]:
    """KEY=VALUE pairs; a value is JSON where it reads as JSON, otherwise text."""
    options: dict[str, Any] = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise UserError(f"--option {pair} was given; give KEY=VALUE, such as squeeze_excite=8.")
        try:
            options[key] = json.loads(value)
        except json.JSONDecodeError:
            options[key] = value
    return options


def _check(names: Sequence[str], as_json: bool) -> None:
    from fbench.architectures.counts import check_contract

    drifts = check_contract(names)
    if as_json:
        rows = [{"name": d.name, "contract": str(d.contract), "message": d.message} for d in drifts]
        typer.echo(json.dumps({"drift": rows}, indent=1))
    else:
        for drift in drifts:
            typer.echo(f"{drift.name}  {drift.message}  ({_shown_path(drift.contract)})")
        typer.echo(
            f"Disagreements: {len(drifts)}; change the network back, or give --update in place of --check."
            if drifts
            else f"{', '.join(names) or 'Every network'}: as in the contract."
        )
    if os.environ.get("GITHUB_ACTIONS"):
        _annotate(drifts)
    if drifts:
        raise typer.Exit(1)


def _annotate(drifts: Sequence[Drift]) -> None:
    """Print each disagreement as a GitHub workflow command, on standard error to keep ``--json`` clean."""
    for drift in drifts:
        typer.echo(f"::error file={_shown_path(drift.contract)}::{drift.name}: {drift.message}", err=True)


def _shown_path(path: Path) -> str:
    """Relative to the working directory where it lies below it, as GitHub wants it."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else str(path)


def _update(names: Sequence[str]) -> None:
    from fbench.architectures.counts import update_contract

    changed = update_contract(names)
    for path in changed:
        typer.echo(f"Wrote {_shown_path(path)}.")
    if not changed:
        typer.echo("Every contract is up to date.")


def _print_counts(names: Sequence[str], as_json: bool) -> None:
    rows = rows_of([canonical_name(name) for name in names] or list_architectures())
    if as_json:
        from fbench.cli.architecture_views import row_to_json

        typer.echo(json.dumps([row_to_json(row) for row in rows.values()], indent=1))
        return
    from fbench.cli.architecture_views import print_counts

    print_counts(list(rows.values()))
