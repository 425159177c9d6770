"""How a measurement of speed is printed: one table a setting, the noise of the machine, and what failed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich import box
from rich.markup import escape
from rich.table import Table

from fbench.cli.architecture_views import console
from fbench.cli.profile_view import roofline_text
from fbench.reports.findings.costs.timings import SettingTimings, TimedAgainst, Timing, roofline_share, setting_timings

if TYPE_CHECKING:
    from rich.console import Console

    from fbench.benchmark.records.cost_records import CostRecord, MemoryReading
    from fbench.statistics.timing import TimeQuantile, TimeRatio


def print_speed(record: CostRecord) -> None:
    """Print quantiles with 95 % intervals, throughput, comparisons, memory, energy, and the noise of the machine."""
    screen = console()
    for found in setting_timings(record):
        if found.timings:
            _print_setting(screen, record, found)
    _print_roofline(screen, record)
    _print_memory(screen, record)
    _print_lines(screen, [*_failures(record), *_energy(record), *_conditions(record)])


def _print_setting(screen: Console, record: CostRecord, found: SettingTimings) -> None:
    against = record.spec.measured_twice
    throughput = found.setting.batch_size is None
    screen.print(f"\n[bold]{escape(found.setting.label)}[/bold]: milliseconds a call, 95 % intervals")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("network", no_wrap=True)
    shares = {one.network: share for one in found.timings if (share := roofline_share(record, found.setting, one))}
    titles = [*(["batch"] if throughput else []), "p50", "p90", "p99", "images/s", *(["of roofline"] if shares else [])]
    for title in titles:
        table.add_column(title, justify="right")
    compared = {one.network: one for one in found.comparisons}
    if compared:
        table.add_column(f"time an image / {escape(against)}", justify="right")
        table.add_column("verdict")
    for timing in found.timings:
        cells = [str(timing.batch_size)] if throughput else []
        cells += [*map(_quantile, timing.quantiles), f"{timing.images_per_s:,.0f}"]
        if shares:
            cells.append(f"{100 * shares[timing.network]:.0f} %" if timing.network in shares else "")
        table.add_row(escape(timing.network), *cells, *(_compared(compared.get(timing.network)) if compared else ()))
    screen.print(table)
    if found.noise is not None:
        screen.print(f"Noise: {escape(against)} against a second {escape(against)}: {_noise(found.noise)}")
    _print_lines(screen, [*_parts(found.timings), *_remarks(found.timings)])


def _quantile(found: TimeQuantile) -> str:
    high = f"{1e3 * found.high_s:.3g}" if math.isfinite(found.high_s) else "?"
    return f"{1e3 * found.time_s:.3g} ({1e3 * found.low_s:.3g}-{high})"


def _compared(found: TimedAgainst | None) -> tuple[str, str]:
    if found is None:
        return "", ""
    return _ratio(found.ratio), _verdict(found)


def _ratio(ratio: TimeRatio) -> str:
    return f"{ratio.ratio:.3f} ({ratio.low:.3f}-{ratio.high:.3f})"


def _verdict(found: TimedAgainst) -> str:
    ratio = found.ratio
    if found.verdict == "slower":
        return f"{100 * (ratio.ratio - 1):.1f} % slower"
    if found.verdict == "faster":
        return f"{100 * (1 - ratio.ratio):.1f} % less time"
    within = f"equal within {100 * ratio.largest_difference:.1f} %" if math.isfinite(ratio.high) else "too few blocks"
    needs = f", needs about {found.more_blocks:,.0f} more blocks" if math.isfinite(found.more_blocks) else ""
    return f"cannot tell: {within}{needs}"


def _noise(noise: TimeRatio) -> str:
    told = " (a difference where there is none: do not trust this measurement)" if noise.p_value < 0.01 else ""
    return f"{_ratio(noise)}, spread of a block {100 * noise.spread:.1f} %{told}"


def _parts(timings: Iterable[Timing]) -> list[str]:
    return [
        f"{timing.network}: " + ", ".join(f"{name} {100 * share:.0f} %" for name, share in timing.parts.items())
        for timing in timings
        if timing.parts
    ]


def _remarks(timings: Iterable[Timing]) -> list[str]:
    unsettled = [timing.network for timing in timings if not timing.warm]
    dropped = [f"{timing.network} {timing.dropped_calls}" for timing in timings if timing.dropped_calls]
    return [
        *([f"Still warming up after 2 s or 200 calls: {', '.join(unsettled)}."] if unsettled else []),
        *([f"Calls dropped because the clock jumped back: {', '.join(dropped)}."] if dropped else []),
    ]


def _print_roofline(screen: Console, record: CostRecord) -> None:
    if record.roofline is None or not record.floors:
        return
    screen.print("\n[bold]Roofline[/bold]: the least time of an eager inference on this machine")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("network", no_wrap=True)
    for title in ("batch", "MFLOP", "MiB moved", "FLOP/B", "floor ms"):
        table.add_column(title, justify="right")
    table.add_column("mostly bound by")
    for one in record.floors:
        table.add_row(
            escape(one.network),
            str(one.batch_size),
            f"{one.flops / 1e6:,.1f}",
            f"{one.bytes_moved / 2**20:,.1f}",
            f"{one.intensity:.1f}",
            f"{1e3 * one.floor_s:.3g}",
            one.bound,
        )
    screen.print(table)
    _print_lines(screen, [roofline_text(record.roofline)])


def _print_memory(screen: Console, record: CostRecord) -> None:
    if not record.memory:
        return
    screen.print("\n[bold]Peak memory[/bold], MiB")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("network", no_wrap=True)
    for title in ("mode", "batch", "peak", "kept for backward"):
        table.add_column(title, justify="left" if title == "mode" else "right")
    for reading in record.memory:
        row = (escape(reading.network), reading.mode, str(reading.batch_size))
        table.add_row(*row, *_memory(reading))
    screen.print(table)
    methods = dict.fromkeys(reading.method for reading in record.memory)
    _print_lines(screen, [f"Read as: {'; '.join(methods)}."])


def _memory(reading: MemoryReading) -> tuple[str, str]:
    kept = reading.activation_memory_mib
    peak = reading.peak_memory_mib
    return "none" if peak is None else f"{peak:,.1f}", "" if kept is None else f"{kept:,.1f}"


def _energy(record: CostRecord) -> list[str]:
    reasons = dict.fromkeys(one.method for one in record.energy if one.joules_per_image is None)
    lines = [
        f"Energy of {one.network}, {one.setting.label}: {1e3 * joules:.3g} mJ an image ({one.method})."
        for one in record.energy
        if (joules := one.joules_per_image) is not None
    ]
    return lines + [f"Energy: {reason}." for reason in reasons]


def _failures(record: CostRecord) -> list[str]:
    whole = [f"{name} was not measured: {reason}" for name, reason in record.failures.items()]
    parts = [f"{one.network}, {one.setting.label}, was not timed: {one.reason}" for one in record.setting_failures]
    return whole + parts


def _conditions(record: CostRecord) -> list[str]:
    machine = record.machine
    where = machine.accelerator if record.spec.numerics.device_kind == "cuda" else machine.processor
    threads = record.series[0].threads if record.series else 1
    lines = ["Interrupted: these are the blocks until then."] if record.interrupted else []
    lines += [f"Machine: {where}, {machine.usable_cores} cores, {threads} thread{'' if threads == 1 else 's'}."]
    if record.is_of_busy_machine:
        lines.append(
            f"Other work took {record.busy_percent:.0f} % of the cores: differences within this measurement hold, as "
            "calls were timed in turn; times do not, and are held against no other measurement."
        )
    if machine.usable_cores == 1:
        lines.append("One core only: whatever else this machine does takes time from what is measured.")
    return lines


def _print_lines(screen: Console, lines: Iterable[str]) -> None:
    for line in lines:
        screen.print(escape(line.split("\n")[0]), soft_wrap=True)
