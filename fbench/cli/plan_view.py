"""What ``--dry-run`` prints: the trials, what they could decide, and the time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from fbench.benchmark.data.catalogue import OWN_DATA
from fbench.benchmark.records.protocol_library import list_protocols
from fbench.cli.duration import in_words
from fbench.cli.search_view import search_lines
from fbench.core.errors import readable
from fbench.reports.findings.comparisons.units import NEW_UNITS, UNITS
from fbench.reports.findings.origin.provenance import budget_words
from fbench.reports.formatting import listing, plural
from fbench.statistics.comparison.verdict import LEVEL
from fbench.statistics.seeds.sequential import analysis_levels

if TYPE_CHECKING:
    from fbench.benchmark.records.trial_records import RunConfig
    from fbench.benchmark.runs.plan import RunPlan
    from fbench.benchmark.runs.power_analysis import PowerAnalysis


def print_plan(plan: RunPlan, estimate_s: float, analyses: Sequence[PowerAnalysis], max_seeds: int | None) -> None:
    """Print the plan of a run that is not going to be run."""
    print_notes(plan)
    console = Console()
    console.print(f"Trials ({plan.config.protocol.name}, {plan.config.preset})", highlight=False)
    console.print(_trials(plan))
    if analyses:
        seeds, spreads = analyses[0].seeds, " / ".join(dict.fromkeys(one.spreads for one in analyses))
        new_units = " and ".join(dict.fromkeys(NEW_UNITS[one.unit] for one in analyses))
        console.print(
            f"What {plural(seeds, 'seed')} each could decide with a power of 80 %{_price_of_analyses(max_seeds)}: the "
            f"difference found and the margin certified, in points, for {new_units} ({spreads}); "
            "least p of the sign-flip test after Holm",
            highlight=False,
        )
        console.print(_power_table(analyses))
        for line in _warnings(analyses):
            typer.echo(line)
    if max_seeds is not None and analyses:
        console.print("Interim analyses, and what each may spend", highlight=False)
        console.print(_analyses_table(max_seeds, sorted({one.family for one in analyses})))
    for line in search_lines(plan.searches, plan.device, plan.jobs):
        typer.echo(line)
    taken = len(plan.reusable)
    todo = len(plan.pending) - taken
    own = len(plan.own_specs)
    done = own - len(plan.pending)
    shard = f" in shard {plan.config.shard}, of {len(plan.specs)} in all" if plan.config.shard else ""
    typer.echo(f"Trials: {own}{shard}, of them {done} done, {taken} taken from other runs, {todo} to run.")
    typer.echo(f"Estimated time with {plan.jobs} at a time: {in_words(estimate_s)}.")
    typer.echo(f"Folder: {plan.folder.path}")


def print_notes(plan: RunPlan) -> None:
    """Say what the sources had and the data sets have not, why a run is eager that was not to be, and which run it
    repeats."""
    if plan.replaces is not None:
        old = ", ".join(sorted(plan.replaces.trial_ids()))
        typer.echo(
            f"Every trial is trained anew with a microbatch of {plan.config.numerics.microbatch} images, in "
            f"{plan.folder.path}; {plan.replaces.path} keeps its own ({old}).",
            err=True,
        )
    if line := _other_budget(plan.config):
        typer.echo(line, err=True)
    for data in plan.config.data:
        if data.source in OWN_DATA:
            channels, height, width = data.image_shape
            count, colours = sum(data.images_by_split.values()), "gray" if channels == 1 else "RGB"
            typer.echo(f"{data.name}: {count:,} images of {width}x{height} pixels, {colours}", err=True)
        for part in data.left_out:
            names = ", ".join(readable(name) for name in part.examples)
            more = ", ..." if part.count > len(part.examples) else ""
            typer.echo(f"{data.name}: {part.count:,} left out, each {part.reason} ({names}{more})", err=True)
    _print_move(plan.config)


def _print_move(config: RunConfig) -> None:
    """Which networks cannot be computed as was asked, and what follows."""
    asked = config.asked_numerics or config.numerics
    way = ", ".join(config.numerics.words_beside(asked)) or "eager"
    for name, reason in config.moved_because.items():
        typer.echo(f"{name} cannot be computed as was asked, so the whole run is {way}: {reason}", err=True)
    if config.split_off is not None:
        for name, reason in config.split_off.because.items():
            typer.echo(
                f"{name} cannot be computed as the others are, and is in a run of its own, {config.split_off.folder}: "
                f"{reason}",
                err=True,
            )


def _other_budget(config: RunConfig) -> str:
    """That a preset trains less than a protocol which is not one of fbench's says; empty where it does not."""
    budget, protocol = config.budget, config.protocol
    if protocol.name in list_protocols() or (budget.epochs or budget.image_passes) is None:
        return ""
    return (
        f"The preset {config.preset} trains {budget_words(budget, protocol)}, not the {protocol.epochs} epochs of the "
        f"protocol {protocol.name}; --epochs {protocol.epochs} or --preset full trains these."
    )


def _trials(plan: RunPlan) -> Table:
    pending = {spec.trial_id for spec in plan.pending}
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("network")
    table.add_column("data")
    table.add_column("seeds", justify="right")
    table.add_column("to run", justify="right")
    for name, data in dict.fromkeys((row.network, row.data) for row in plan.planned):
        ids = [row.trial_id for row in plan.planned if (row.network, row.data) == (name, data)]
        table.add_row(name, data, str(len(ids)), str(sum(trial_id in pending for trial_id in ids)))
    return table


def _price_of_analyses(max_seeds: int | None) -> str:
    return "" if max_seeds is None else " (if analysed only then; interim analyses on the way cost a little)"


def _power_table(analyses: Sequence[PowerAnalysis]) -> Table:
    several = len({one.data for one in analyses}) > 1
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("study", overflow="fold")
    for column, width in (
        ("tests", 5),
        ("family", 6),
        ("finds", 5),
        ("certifies", 9),
        ("margin", 6),
        ("seeds for it", 7),
        ("least p", 7),
    ):
        table.add_column(column, justify="right", width=width)
    for one in analyses:
        table.add_row(
            _name(one, several=several),
            str(one.comparisons),
            str(one.family),
            _points(one.detectable_difference),
            _points(one.certifiable_margin),
            f"{100 * one.margin:g}",
            "none do" if one.seeds_for_margin is None else str(one.seeds_for_margin),
            f"{one.smallest_p:.2g}",
        )
    return table


def _name(one: PowerAnalysis, *, several: bool) -> str:
    return f"{one.study} on {one.data}" if several else one.study


def _points(fraction: float | None) -> str:
    return "" if fraction is None else f"{100 * fraction:.2f}"


def _warnings(analyses: Sequence[PowerAnalysis]) -> list[str]:
    """What cannot be decided: with these seeds, and with any."""
    seeds = plural(analyses[0].seeds, "seed")
    images = " or ".join(dict.fromkeys(f"{one.units:,} test {UNITS[one.unit]}" for one in analyses))
    cases = (
        (
            [one for one in analyses if not one.margin_in_reach and one.seeds_for_margin],
            f"The margin is out of reach with {seeds} and {images}: equivalence could hardly be certified",
        ),
        (
            [one for one in analyses if one.seeds_for_margin is None],
            f"The margin is out of reach with any number of seeds, as {images} are too few",
        ),
        (
            [one for one in analyses if one.smallest_p >= LEVEL],
            f"The sign-flip test cannot reach p < {LEVEL:g} with {seeds}",
        ),
    )
    return [f"{words}: {_names(found, analyses)}." for found, words in cases if found]


def _names(found: Sequence[PowerAnalysis], everything: Sequence[PowerAnalysis]) -> str:
    if len(found) == len(everything):
        return "all studies" if len(found) > 1 else found[0].study
    return listing([_name(one, several=len({one.data for one in everything}) > 1) for one in found])


def _analyses_table(max_seeds: int, families: Sequence[int]) -> Table:
    """What each interim analysis may spend, for each size of a family."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("interim analysis at seeds", justify="right")
    for family in families:
        table.add_column(f"p at most, family of {family}", justify="right")
    levels = [analysis_levels(max_seeds, LEVEL / family) for family in families]
    for row in zip(*levels, strict=True):
        table.add_row(str(row[0].seeds), *(f"{one.different:.2g}" for one in row))
    return table
