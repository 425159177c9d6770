"""How ``fbench show --profile`` prints: each layer's time beside what the machine's roofline would allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from fbench.cli.architecture_views import console, operation_text, plain_table, shape_text
from fbench.core.machine import BUSY_PERCENT

if TYPE_CHECKING:
    from fbench.benchmark.cost.roofline.profile import LayerProfile, NetworkProfile
    from fbench.benchmark.machine.machine_roofline import MachineRoofline


def print_profile(name: str, profile: NetworkProfile) -> None:
    """Print every layer that computes, the whole, and the roofline that they are held under."""
    screen = console()
    images = "1 image" if profile.batch_size == 1 else f"{profile.batch_size} images"
    screen.print(f"[bold]{escape(name)}[/bold], {images}, eager evaluation, {_arithmetic(profile.roofline)}")
    table = plain_table(
        "# >",
        "layer",
        "operation",
        "output",
        "MFLOP >",
        "KiB >",
        "FLOP/B >",
        "time us >",
        "share >",
        "floor us >",
        "of roofline >",
        "bound by",
    )  # fmt: skip - one line a group
    for layer in profile.layers:
        if layer.time_s is not None:
            table.add_row(*_row(layer, profile.layers_s))
    screen.print(table)
    for line in _totals(profile):
        screen.print(escape(line), soft_wrap=True)


def profile_to_json(name: str, profile: NetworkProfile) -> dict[str, Any]:
    """All of it as JSON values, times in seconds."""
    return {
        "name": name,
        "batch_size": profile.batch_size,
        "time_s": profile.time_s,
        "layers_s": profile.layers_s,
        "floor_s": profile.floor.time_s,
        "flops": profile.floor.flops,
        "bytes_moved": profile.floor.bytes_moved,
        "roofline": profile.roofline.model_dump(mode="json"),
        "layers": [
            {
                "index": layer.index,
                "path": layer.node.path,
                "kind": layer.node.kind,
                "flops": layer.floor.flops,
                "bytes_moved": layer.floor.bytes_moved,
                "floor_s": layer.floor.time_s,
                "bound": layer.floor.bound,
                "time_s": layer.time_s,
            }
            for layer in profile.layers
        ],
    }


def _row(layer: LayerProfile, all_layers_s: float) -> list[str]:
    floor, taken = layer.floor, layer.time_s or 0.0
    return [
        str(layer.index),
        escape(layer.node.path),
        escape(operation_text(layer.node)),
        shape_text(layer.node.output_shape),
        f"{floor.flops / 1e6:,.2f}",
        f"{floor.bytes_moved / 1024:,.0f}",
        f"{floor.intensity:.2f}" if floor.bytes_moved else "",
        f"{1e6 * taken:,.1f}",
        f"{100 * taken / all_layers_s:.1f} %",
        f"{1e6 * floor.time_s:,.1f}",
        f"{100 * floor.time_s / taken:.0f} %",
        floor.bound if floor.flops or floor.bytes_moved else "",
    ]


def _totals(profile: NetworkProfile) -> list[str]:
    floor, roofline = profile.floor, profile.roofline
    outside = profile.time_s - profile.layers_s
    return [
        f"Whole network {1e3 * profile.time_s:.3f} ms a call: layers {1e3 * profile.layers_s:.3f} ms, and "
        + (
            f"{1e3 * outside:.3f} ms of Python and calls between them."
            if outside > 0
            else "nothing between them that can be told from noise."
        ),
        f"Floor {1e3 * floor.time_s:.3f} ms ({floor.flops / 1e6:,.1f} MFLOP, {floor.bytes_moved / 2**20:,.1f} MiB, "
        f"{floor.intensity:.1f} FLOP a byte; mostly bound by {floor.bound}): {100 * floor.time_s / profile.time_s:.0f} "
        "% of the roofline reached.",
        roofline_text(roofline),
        "A FLOP is half of a multiply-accumulate, or one elementwise operation; bytes are the least that must move.",
    ]


def roofline_text(roofline: MachineRoofline) -> str:
    """The ceilings of the machine, in a sentence."""
    percent = roofline.busy_percent or 0.0
    busy = f" while other work took {percent:.0f} % of the cores" if percent > BUSY_PERCENT else ""
    return (
        f"Roofline: {roofline.peak_flops_per_s / 1e9:,.1f} GFLOP/s; "
        f"{roofline.bytes_per_s(1) / 1e9:,.1f} GB/s in cache, "
        f"{roofline.memory_bytes_per_s / 1e9:,.1f} GB/s from memory; {_arithmetic(roofline)}; "
        f"measured {roofline.measured_at}{busy}."
    )


def _arithmetic(roofline: MachineRoofline) -> str:
    threads = roofline.where.threads
    parts = [roofline.where.precision, roofline.where.machine.device_kind]
    return ", ".join(parts + ([] if threads is None else [f"{threads} thread{'' if threads == 1 else 's'}"]))
