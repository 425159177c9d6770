"""What ``fbench doctor`` finds: the machine, its devices with their rules of numerics, extras and cache."""

from __future__ import annotations

import os
import re
import shutil
import time
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Final

from fbench.benchmark.data.cache import cache_directory
from fbench.benchmark.machine.jobs import choose_jobs, jobs_limit_here
from fbench.benchmark.records.numerics import DeviceKind, Numerics, Precision, choose_numerics
from fbench.core.capacity import available_memory_gib, cores_because, memory_because
from fbench.core.errors import UserError
from fbench.core.machine import Machine, describe_machine, package_version
from fbench.core.schema import FrozenModel

PRECISIONS: Final[tuple[Precision, ...]] = ("fp32", "tf32", "bf16")
COMPILERS: Final = ("g++", "clang++", "cl")
FOR_DEVELOPERS: Final = frozenset({"dev"})
"""Extras that serve those who work on fbench itself."""


class DeviceDiagnosis(FrozenModel):
    """One device: the numerics that a new run has there, refused precisions with the reason, and trials at a time."""

    device: str
    numerics: Numerics
    refused: dict[str, str]
    jobs: int
    jobs_limit: int
    jobs_limit_reason: str


class CompilerDiagnosis(FrozenModel):
    """Whether ``--compile`` can work; ``seconds`` and ``failure`` are known where it was tried."""

    compiler: str | None
    seconds: float | None = None
    failure: str = ""


class ExtraDiagnosis(FrozenModel):
    """An extra of fbench and those of its packages that are not installed."""

    extra: str
    missing: tuple[str, ...]


class CachePart(FrozenModel):
    """One folder of the cache."""

    name: str
    files: int
    size_mib: float


class Diagnosis(FrozenModel):
    """All that was found.

    ``cores_because`` and ``memory_because`` name the limit that leaves fewer cores, or less memory, than the machine
    has; empty where none does.
    """

    machine: Machine
    cores_because: str = ""
    free_memory_gib: float
    memory_because: str = ""
    devices: tuple[DeviceDiagnosis, ...]
    compiler: CompilerDiagnosis
    extras: tuple[ExtraDiagnosis, ...]
    cache_folder: str
    cache: tuple[CachePart, ...]


def diagnose(*, try_compiler: bool = False) -> Diagnosis:
    """Look at this machine; a network is compiled only where asked, which takes up to a minute."""
    return Diagnosis(
        machine=describe_machine(),
        cores_because=cores_because(),
        free_memory_gib=round(available_memory_gib(), 1),
        memory_because=memory_because(),
        devices=tuple(_device(name) for name in device_names()),
        compiler=_tried_compiler() if try_compiler else CompilerDiagnosis(compiler=_compiler()),
        extras=_extras(),
        cache_folder=str(cache_directory()),
        cache=_cache(cache_directory()),
    )


def device_names() -> list[str]:
    """The devices of this machine as ``--device`` takes them, the CPU first."""
    import torch

    cuda = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    return ["cpu", *cuda, *(["mps"] if torch.backends.mps.is_available() else [])]


def _device(name: str) -> DeviceDiagnosis:
    from fbench.benchmark.machine.device import device_kind, pick_device

    device = pick_device(name)
    kind = device_kind(device)
    limit, reason = jobs_limit_here(kind)
    return DeviceDiagnosis(
        device=name,
        numerics=choose_numerics(kind),
        refused=_refused(name, kind),
        jobs=choose_jobs(None, device.type),
        jobs_limit=limit,
        jobs_limit_reason=reason,
    )


def _refused(name: str, kind: DeviceKind) -> dict[str, str]:
    """Precisions that a run on this device refuses, each with the sentence that it would print."""
    from fbench.benchmark.machine.device import pick_device, refuse_missing_precision

    refused: dict[str, str] = {}
    for precision in PRECISIONS:
        try:
            choose_numerics(kind, precision)
            refuse_missing_precision(precision, pick_device(name))
        except UserError as error:
            refused[precision] = str(error)
    return refused


def _compiler() -> str | None:
    """The C++ compiler that torch.compile would call on a CPU."""
    chosen = os.environ.get("CXX")
    return next((found for name in ([chosen] if chosen else COMPILERS) if (found := shutil.which(name))), None)


def _tried_compiler() -> CompilerDiagnosis:
    """Compile one step of ``ires`` and hold it against eager."""
    from fbench.benchmark.data.load import load_dataset
    from fbench.benchmark.data.source import DataReference
    from fbench.benchmark.machine.device import pick_device
    from fbench.benchmark.records.protocol_library import load_protocol
    from fbench.benchmark.records.specs import data_spec
    from fbench.benchmark.runs.program_check import failing_programs
    from fbench.benchmark.training.networks import network_spec

    reference = DataReference(name="synthetic")
    network = network_spec("ires", "ires", {}, data_spec(reference, load_dataset(reference)))
    protocol = load_protocol("fbench")
    started = time.perf_counter()
    failing = failing_programs(
        [network], protocol, protocol.batch_size, choose_numerics("cpu", compile=True), pick_device("cpu")
    )
    seconds = round(time.perf_counter() - started, 1)
    return CompilerDiagnosis(compiler=_compiler(), seconds=seconds, failure=failing.get("ires", ""))


def _extras() -> tuple[ExtraDiagnosis, ...]:
    """Every extra that fbench declares, with the packages it still lacks."""
    wanted = {extra: names for extra, names in _declared_extras().items() if extra not in FOR_DEVELOPERS}
    return tuple(
        ExtraDiagnosis(extra=extra, missing=tuple(name for name in names if package_version(name) == "not installed"))
        for extra, names in sorted(wanted.items())
    )


def _declared_extras() -> dict[str, list[str]]:
    """The packages of each extra: as the installed fbench declares them, or the checkout that it runs from; none are
    known of a copied package alone."""
    try:
        requirements = metadata.requires("fbench") or []
    except metadata.PackageNotFoundError:
        return _extras_of_checkout(Path(__file__).parents[3] / "pyproject.toml")
    extras: dict[str, list[str]] = {}
    for requirement in requirements:
        found = re.match(r"""(?P<name>[\w.-]+).*;\s*extra\s*==\s*['"](?P<extra>[\w-]+)['"]""", requirement)
        if found:
            extras.setdefault(found["extra"], []).append(found["name"])
    return extras


def _extras_of_checkout(file: Path) -> dict[str, list[str]]:
    """The packages of each extra in a ``pyproject.toml`` of fbench; none where there is no such file."""
    project = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {}) if file.is_file() else {}
    if project.get("name") != "fbench":
        return {}
    declared: dict[str, list[str]] = project["optional-dependencies"]
    return {extra: [re.split(r"[^\w.-]", one, maxsplit=1)[0] for one in names] for extra, names in declared.items()}


def _cache(folder: Path) -> tuple[CachePart, ...]:
    if not folder.is_dir():
        return ()
    parts = []
    for entry in sorted(folder.iterdir()):
        files = [file for file in ([entry] if entry.is_file() else entry.rglob("*")) if file.is_file()]
        size = sum(file.stat().st_size for file in files) / 2**20
        parts.append(CachePart(name=entry.name, files=len(files), size_mib=round(size, 1)))
    return tuple(parts)
