"""The state of the machine before and after a measurement. Clocks are read and never set."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import psutil
import torch

from fbench.benchmark.cost.nvml import nvml_handle
from fbench.benchmark.records.cost_records import Conditions
from fbench.core.machine import busy_percent

LOOK_S = 0.3


def read_conditions(device: torch.device) -> Conditions:
    """How busy the machine is, and its clocks where it tells them; looks for 0.3 s."""
    busy = busy_percent(LOOK_S)
    mhz, temperature_c = _accelerator(device)
    return Conditions(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        busy_percent=busy,
        load_average_1min=_load_average(),
        processor_mhz=_processor_mhz(),
        accelerator_mhz=mhz,
        accelerator_temperature_c=temperature_c,
    )


class OtherWork:
    """What other processes, and other guests of the host, take of all cores from here on.

    This process and the ones that it started and that have ended are not counted.
    """

    def __init__(self) -> None:
        self._began_s = _worked_s()

    def percent(self) -> float | None:
        """Of all cores since the beginning; none where the system does not tell."""
        if self._began_s is None or (now_s := _worked_s()) is None:
            return None
        all_s, busy_s, own_s = (now - began for now, began in zip(now_s, self._began_s, strict=True))
        return round(100 * max(0.0, busy_s - own_s) / all_s, 1) if all_s > 0 else None


def _worked_s() -> tuple[float, float, float] | None:
    """Seconds of all cores since the start of the machine: all, those worked, and those worked for this process."""
    try:
        times = psutil.cpu_times()
    except OSError:
        return None
    busy_s = sum(getattr(times, name, 0.0) for name in ("user", "nice", "system", "irq", "softirq", "steal"))
    own = os.times()
    own_s = own.user + own.system + own.children_user + own.children_system
    return busy_s + times.idle + getattr(times, "iowait", 0.0), busy_s, own_s


def _load_average() -> float | None:
    try:
        return round(psutil.getloadavg()[0], 2)
    except (OSError, AttributeError):  # without /proc, or on a system without it
        return None


def _processor_mhz() -> float | None:
    try:
        frequency = psutil.cpu_freq()
    except (OSError, NotImplementedError, AttributeError):  # virtual machines often do not say
        return None
    return round(float(frequency.current), 1) if frequency and frequency.current else None


def _accelerator(device: torch.device) -> tuple[float | None, float | None]:
    """Clock of the multiprocessors in MHz, and temperature in degrees Celsius."""
    handle, _ = nvml_handle(device)
    if handle is None:
        return None, None
    import pynvml

    try:
        clock = float(pynvml.nvmlDeviceGetClockInfo(handle, pynvml.NVML_CLOCK_SM))
        temperature = float(pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))
    except pynvml.NVMLError:
        return None, None
    return clock, temperature
