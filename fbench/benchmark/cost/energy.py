"""Energy from the machine's own counters: NVML on NVIDIA devices, RAPL on Linux. Where there is none: not available.

A counter counts everything, the idle machine included, so energy is read over seconds of calls while nothing else
works. It is never estimated: a reading is a difference of two looks at a counter, or none with the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import torch

from fbench.benchmark.cost.calls import Call
from fbench.benchmark.cost.nvml import nvml_handle
from fbench.benchmark.machine.device import synchronize
from fbench.benchmark.machine.lost_device import refuse_lost
from fbench.benchmark.records.cost_records import EnergyReading
from fbench.benchmark.records.cost_specs import Setting
from fbench.core.errors import reason_of
from fbench.core.working_clock import working_s

POWERCAP: Final = Path("/sys/class/powercap")
STRETCHES: Final = 4


@dataclass(frozen=True)
class EnergyCounter:
    """A counter of joules that only grows, with the name of where it is read."""

    name: str
    read_j: Callable[[], float]


def energy_counter(device: torch.device, powercap: Path = POWERCAP) -> EnergyCounter | str:
    """The counter for a device, or why there is none."""
    return _nvml_counter(device) if device.type == "cuda" else _rapl_counter(powercap)


def read_energy(
    network: str,
    setting: Setting,
    call: Call,
    batch_size: int,
    seconds: float,
    counter: EnergyCounter | str,
    device: torch.device,
) -> EnergyReading:
    """Call for about ``seconds`` in four stretches and look at the counter around each; the median counts."""
    if isinstance(counter, str):
        return EnergyReading(
            network=network, setting=setting, joules_per_image=None, method=f"not available: {counter}"
        )
    try:
        call.prepare()
        readings = tuple(_stretch(call, batch_size, seconds / STRETCHES, counter, device) for _ in range(STRETCHES))
    except (Exception, SystemExit) as error:  # recorded; the rest of the measurement goes on
        refuse_lost(device, error)
        reason = f"not available: {reason_of(error)}"
        return EnergyReading(network=network, setting=setting, joules_per_image=None, method=reason)
    if min(readings) <= 0:
        reason = f"not available: {counter.name} did not advance while the network worked"
        return EnergyReading(network=network, setting=setting, joules_per_image=None, method=reason)
    return EnergyReading(
        network=network,
        setting=setting,
        joules_per_image=median(readings),
        readings_j_per_image=readings,
        method=f"{counter.name}, the idle machine included",
    )


def _stretch(call: Call, batch_size: int, seconds: float, counter: EnergyCounter, device: torch.device) -> float:
    """Joules per image over a stretch of calls."""
    synchronize(device)
    before, started, calls = counter.read_j(), working_s(), 0
    while working_s() - started < seconds:
        call.run(lambda: None)
        synchronize(device)
        calls += 1
    return (counter.read_j() - before) / (calls * batch_size)


def _nvml_counter(device: torch.device) -> EnergyCounter | str:
    handle, why_not = nvml_handle(device)
    if handle is None:
        return why_not
    import pynvml

    def read_j() -> float:
        return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000.0

    try:
        read_j()
    except pynvml.NVMLError as error:
        return f"NVML says: {error}"
    return EnergyCounter("NVML energy counter of the device", read_j)


def _rapl_counter(powercap: Path) -> EnergyCounter | str:
    """The sum over the processor packages: their parts are in their own counters, and the whole platform's
    (``psys``) holds them once more."""
    packages = sorted(zone for zone in powercap.glob("*rapl:*") if _text(zone / "name").startswith("package"))
    if not packages:
        return f"this system shows no RAPL counter in {powercap}"
    files = [zone / "energy_uj" for zone in packages]
    try:
        for file in files:
            int(file.read_text(encoding="ascii"))
    except PermissionError:
        return f"no permission to read {files[0]}; as root: chmod a+r {files[0]}"
    except (OSError, ValueError) as error:
        return f"{files[0]} cannot be read: {error}"
    return EnergyCounter(f"RAPL, packages: {len(files)}", _Unwrapped(packages).read_j)


class _Unwrapped:
    """Adds up the counters of packages, each of which starts anew at its own range."""

    def __init__(self, packages: list[Path]) -> None:
        self._packages = packages
        self._last_uj = [0] * len(packages)
        self._wraps_uj = [0] * len(packages)

    def read_j(self) -> float:
        total_uj = 0
        for index, package in enumerate(self._packages):
            value = int(_text(package / "energy_uj"))
            if value < self._last_uj[index]:
                self._wraps_uj[index] += int(_text(package / "max_energy_range_uj"))
            self._last_uj[index] = value
            total_uj += value + self._wraps_uj[index]
        return total_uj / 1e6


def _text(file: Path) -> str:
    return file.read_text(encoding="ascii").strip() if file.exists() else ""
