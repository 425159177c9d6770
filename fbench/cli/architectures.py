"""``fbench list``, ``params`` and ``new-arch``: the commands about networks."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fbench.architectures.contract import ContractRow
from fbench.architectures.listing import ListedNetwork, Listing, list_here
from fbench.core.errors import UserError

if TYPE_CHECKING:
    from fbench.architectures.counts import Count, Counted, Drift

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
    from fbench.cli.known_counts import known_counts

    known = known_counts(plugin or (), lambda listing: listing.matching(pattern))
    listed = [_listed(one, known.rows[one.name]) for one in known.networks]
    for failure in known.failures:
        typer.echo(failure, err=True)
    if as_json:
        typer.echo(json.dumps(listed, indent=1))
        return
    from fbench.cli.architecture_views import print_list

    print_list(listed)


def params_command(
    names: Annotated[list[str] | None, typer.Argument(help="Names of networks, or wildcards; default all.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Exit with 1 where a count differs.")] = False,
    update: Annotated[bool, typer.Option("--update", help="Write the present counts.")] = False,
    as_json: JsonOption = False,
    plugin: PluginOption = None,
) -> None:
    """Print the counts of the contract, compare the networks with it, or bring it up to date."""
    if check and update:
        raise UserError("--check and --update were both given; give one of them.")
    if not check and not update:
        _print_counts(names or [], plugin or [], as_json)
        return
    from fbench.benchmark.workers.asking import users_networks
    from fbench.benchmark.workers.questions import question
    from fbench.cli.network_questions import counted

    with users_networks(plugin or ()) as users:
        listing = users.listing()
        wanted = listing.chosen(names or ())

        def count(name: str) -> Counted:
            return users.ask_network(name, question(counted, name))

        if check:
            _check(wanted, listing, count, as_json)
        else:
            _update(wanted, listing, count)


def new_arch_command(
    name: Annotated[str, typer.Argument(help="Name of the new network, a Python name such as my_net.")],
) -> None:
    """Write NAME.py with a small working network to start from, its tests and its row of the contract."""
    from fbench.architectures.contract import user_contract
    from fbench.architectures.counts import update_contract
    from fbench.architectures.scaffold import new_architecture_text, new_tests_text
    from fbench.benchmark.workers.asking import users_networks
    from fbench.benchmark.workers.questions import question
    from fbench.cli.network_questions import counted
    from fbench.core.files import replacing, require_writable_file

    plugin, tests = Path(f"{name}.py"), Path(f"test_{name}.py")
    texts = {plugin: new_architecture_text(name), tests: new_tests_text(name)}
    for path in texts:
        if os.path.lexists(path):
            raise UserError(f"{path} exists and is not overwritten; choose another name or move the file.")
        require_writable_file(path, "The network", "NAME")
    user_contract()  # one that cannot be read is said before anything is written
    for path, text in texts.items():
        with replacing(path) as stream:
            stream.write(text.encode())
    with users_networks([plugin]) as users:
        written = update_contract(
            users.listing().networks, [name], lambda one: users.ask_network(one, question(counted, one))
        )
    contract = f", and its row of {_shown_path(written[0])}" if written else ""
    typer.echo(f"Wrote {plugin} and {tests}{contract}. Next: fbench show {name} --plugin {plugin}")
    typer.echo(f"Then:  pytest {tests}")
    typer.echo(f"Then:  fbench run --arch {name} --against ires --plugin {plugin}")


def listing_of(plugins: Sequence[Path] | None) -> Listing:
    """All networks by name, those of plug-ins too, whose code runs in a worker process.

    Raises:
        UserError: a plug-in that cannot be loaded.
    """
    if not plugins:
        return list_here()
    from fbench.benchmark.workers.asking import users_networks

    with users_networks(plugins) as users:
        return users.listing()


def _listed(one: ListedNetwork, row: ContractRow) -> dict[str, Any]:
    about, counts = one.about, row.counts
    return {
        "name": one.name,
        "aliases": sorted(about.aliases),
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


def _check(names: Sequence[str], listing: Listing, count: Count, as_json: bool) -> None:
    from fbench.architectures.counts import check_contract, unchecked_rows

    drifts = check_contract(listing.networks, names, count)
    for name, file in unchecked_rows(listing.networks).items():
        typer.echo(f"{name}  is not checked, as its file was not loaded: --plugin {_shown_path(file)}", err=True)
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


def _update(names: Sequence[str], listing: Listing, count: Count) -> None:
    from fbench.architectures.counts import NOT_REGISTERED, rows_without_network, update_contract

    changed = update_contract(listing.networks, names, count)
    for name, path in rows_without_network(listing.networks).items():
        typer.echo(f"{name}  {NOT_REGISTERED}  ({_shown_path(path)})", err=True)
    for path in changed:
        typer.echo(f"Wrote {_shown_path(path)}.")
    if not changed:
        typer.echo("Every contract is up to date.")


def _print_counts(names: Sequence[str], plugins: Sequence[Path], as_json: bool) -> None:
    from fbench.cli.architecture_views import print_counts
    from fbench.cli.known_counts import known_counts

    known = known_counts(
        plugins, lambda listing: [listing.named(name) for name in listing.chosen(names)] or listing.networks
    )
    for failure in known.failures:
        typer.echo(failure, err=True)
    if as_json:
        rows = [row.to_json() | {"computed": row.name in known.computed} for row in known.rows.values()]
        typer.echo(json.dumps(rows, indent=1))
    else:
        print_counts(list(known.rows.values()), known.computed)
    if known.failures:
        raise typer.Exit(2)
