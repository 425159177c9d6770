"""Stage: which kernels a training step runs, how often, and how long each takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

import torch
from torch._C._autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from fbench.benchmark.machine.device import numerics_in_force, pick_device, synchronize
from fbench.benchmark.records.numerics import Numerics, Precision
from fbench.benchmark.records.protocol_library import load_protocol
from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import Measurement
from tests.gpu.contact.steps import step_of
from tests.gpu.contact.trials import numerics_of, precisions_of

NETWORKS: Final = ("arch1", "ires")
SHOWN: Final = 30
STEPS: Final = 5


def measurements(settings: Settings) -> Iterator[Measurement]:
    """The replayed step of each network, in bf16 and fp32, and then its eager one."""
    precisions: tuple[Precision, ...] = ("bf16", "fp32") if settings.is_cuda else precisions_of(settings)
    ways: tuple[str, ...] = ("recorded", "eager") if settings.is_cuda else ("eager",)
    for way in ways:
        for network in NETWORKS[: 1 if settings.small else None]:
            for precision in precisions:
                numerics = numerics_of(settings, precision)
                given = numerics if way == "recorded" else numerics.eager()
                yield Measurement(f"{network} {precision} {way}", partial(kernels, network, given, settings))


def kernels(network: str, numerics: Numerics, settings: Settings) -> Mapping[str, Any]:
    """Kernels a step, their microseconds, and the table of those that take longest."""
    device = pick_device(settings.device)
    batch = 8 if settings.small else load_protocol("fbench").batch_size
    with numerics_in_force(numerics, device):
        step = step_of(network, numerics, batch, device)
        for _ in range(3):
            step()
        synchronize(device)
        found = profiled(step, device)
    rows = sorted(found, key=lambda row: -row["us_a_step"])
    return {
        "kernels_a_step": sum(row["calls_a_step"] for row in rows),
        "kernel_us_a_step": sum(row["us_a_step"] for row in rows),
        "different_kernels": len(rows),
        "longest": rows[0]["kernel"][:40] if rows else "none",
        "table": rows[:SHOWN],
    }


def profiled(step: Callable[[], None], device: torch.device) -> list[dict[str, Any]]:
    """What some steps ran: of a GPU its kernels, of a processor its operations by their own time."""
    on_gpu = device.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    with profile(activities=activities) as course:
        for _ in range(STEPS):
            step()
        synchronize(device)
    return rows_of(course.key_averages(), on_gpu)


def rows_of(events: Iterable[Any], on_gpu: bool) -> list[dict[str, Any]]:
    """The events of the device, added up by name; spans that the host named are none of its kernels."""
    events = list(events)
    spans = {event.key for event in events if event.device_type == DeviceType.CPU}
    calls: dict[str, int] = defaultdict(int)
    spent_us: dict[str, float] = defaultdict(float)
    for event in events:
        if (event.key not in spans) if on_gpu else (event.key in spans):
            calls[event.key] += event.count
            spent_us[event.key] += event.self_device_time_total if on_gpu else event.self_cpu_time_total
    return [
        {"kernel": name[:160], "calls_a_step": calls[name] / STEPS, "us_a_step": spent_us[name] / STEPS}
        for name in calls
    ]
