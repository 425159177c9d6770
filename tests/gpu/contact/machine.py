"""Stage: what machine this is, and what is installed on it."""

from __future__ import annotations

import platform
import re
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import torch

from fbench.benchmark.machine.device import pick_device
from fbench.core.capacity import available_memory_gib, memory_gib, usable_cores
from fbench.core.machine import describe_machine
from tests.gpu.contact.settings import Settings
from tests.gpu.contact.stages import Measurement, NotHereError

PROJECT: Final = Path(__file__).parents[3] / "pyproject.toml"
ASKED_OF_DRIVER: Final = (
    *("name", "driver_version", "memory.total", "memory.used", "clocks.sm", "clocks.max.sm", "power.limit"),
    "mig.mode.current",
)


def measurements(settings: Settings) -> Iterator[Measurement]:
    """Versions, the device and its memory, the host, packages."""
    yield Measurement("versions", versions)
    yield Measurement("device", partial(device, settings))
    yield Measurement("host", host)
    yield Measurement("packages", packages)
    yield Measurement("driver", driver)


def versions() -> Mapping[str, Any]:
    """Of Python, PyTorch, and what it is built with."""
    try:
        triton = metadata.version("triton")
    except metadata.PackageNotFoundError:
        triton = "none"
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda or "none",
        "cudnn": torch.backends.cudnn.version() or 0,
        "triton": triton,
        "fbench": describe_machine().versions["fbench"],
        "revision": describe_machine().git_revision or "unknown",
    }


def device(settings: Settings) -> Mapping[str, Any]:
    """What a GPU is, and how much of its memory is free."""
    place = pick_device(settings.device)
    if place.type != "cuda":
        raise NotHereError(f"the device is {settings.device}, and no GPU")
    free, total = torch.cuda.mem_get_info(place)
    properties = torch.cuda.get_device_properties(place)
    return {
        "name": torch.cuda.get_device_name(place),
        "capability": ".".join(map(str, torch.cuda.get_device_capability(place))),
        "multiprocessors": properties.multi_processor_count,
        "free_gib": free / 2**30,
        "total_gib": total / 2**30,
        "level_2_cache_mib": getattr(properties, "L2_cache_size", 0) / 2**20,
        "devices": torch.cuda.device_count(),
        "bf16": torch.cuda.is_bf16_supported(including_emulation=False),
    }


def host() -> Mapping[str, Any]:
    """Processor and memory."""
    machine = describe_machine()
    return {
        "processor": machine.processor,
        "usable_cores": usable_cores(),
        "memory_gib": memory_gib(),
        "free_memory_gib": available_memory_gib(),
        "system": machine.system,
    }


def packages() -> Mapping[str, Any]:
    """The version of each dependency of fbench; "none" where it is not installed."""
    wanted = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
    found: dict[str, str] = {}
    for requirement in wanted:
        name = re.split(r"[\s<>=!~;\[]", requirement, maxsplit=1)[0]
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "none"
    return found


def driver() -> Mapping[str, Any]:
    """What the driver's own tool says."""
    command = ["nvidia-smi", f"--query-gpu={','.join(ASKED_OF_DRIVER)}", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=5)
    except (OSError, subprocess.SubprocessError) as error:
        raise NotHereError(f"nvidia-smi does not answer ({error})") from error
    values = [value.strip() for value in done.stdout.splitlines()[0].split(",")]
    return dict(zip((one.replace(".", "_") for one in ASKED_OF_DRIVER), values, strict=True))
