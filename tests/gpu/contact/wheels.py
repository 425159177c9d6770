"""The packages that fbench needs on a machine that can fetch nothing, as wheels in a folder."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping
from email.parser import HeaderParser
from pathlib import Path
from typing import Final

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename

PYTHON: Final = "3.12"
PLATFORMS: Final = (
    *("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64"),
    *("manylinux_2_12_x86_64", "manylinux2010_x86_64", "manylinux1_x86_64"),
)
"""pip takes no older one that a named one implies."""
ALWAYS_THERE: Final = ("numpy", "torch", "triton")


class WheelError(Exception):
    """A package cannot be had as a wheel; the message is a sentence."""


def environment() -> dict[str, str]:
    """What the markers of requirements are asked of: that machine, not this one."""
    given = {name: str(value) for name, value in default_environment().items()}
    given |= {"python_version": PYTHON, "python_full_version": f"{PYTHON}.0"}
    given |= {"sys_platform": "linux", "os_name": "posix", "platform_system": "Linux", "platform_machine": "x86_64"}
    return given | {"implementation_name": "cpython", "platform_python_implementation": "CPython", "extra": ""}


def already_there(lines: Iterable[str]) -> dict[str, str]:
    """Packages that a machine has, by canonical name with their versions, from ``name`` or ``name==version``, as
    ``pip list --format=freeze`` prints them; an empty version is one that is not known."""
    pairs = [line.strip().partition("==") for line in (*ALWAYS_THERE, *lines) if line.strip()]
    return {canonicalize_name(name): version for name, _, version in pairs}


def gather(wanted: Iterable[str], there: Mapping[str, str], folder: Path, pins: Path | None = None) -> list[Path]:
    """Fetch wheels of requirements and of all that they require, but for what is there in a version that fits.

    A package that is published without a wheel is built, and taken where it is pure Python.

    Args:
        wanted: requirements such as ``pydantic>=2.10``.
        there: as :func:`already_there` gives it.
        folder: where the wheels go.
        pins: a constraints file of pip's, for what comes from it.

    Raises:
        WheelError: a package has no wheel for that machine, or two requirements of it cannot both be met.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, Path] = {}
    waiting = [Requirement(one) for one in wanted]
    while waiting:
        level: dict[str, Requirement] = {}
        for requirement in waiting:
            name = canonicalize_name(requirement.name)
            if requirement.marker is not None and not requirement.marker.evaluate(environment()):
                continue
            if name in there and (not there[name] or requirement.specifier.contains(there[name], prereleases=True)):
                continue
            if name in found:
                _refuse_other(requirement, found[name])
                continue
            level[name] = _both(level[name], requirement) if name in level else requirement
        fetched = fetch(level.values(), folder, pins)
        found |= fetched
        waiting = [needed for wheel in fetched.values() for needed in requirements_of(wheel)]
    return sorted(found.values())


def fetch(wanted: Iterable[Requirement], folder: Path, pins: Path | None) -> dict[str, Path]:
    """Wheels of these requirements alone, by name; all in one call of pip where each has one.

    Raises:
        WheelError: one cannot be had.
    """
    texts = [f"{one.name}{one.specifier}" for one in wanted]
    if not texts:
        return {}
    if _download(texts, folder, pins) and len(texts) == 1:
        _build(texts[0], folder, pins)
    elif len(texts) > 1 and any(not _wheels(folder).get(canonicalize_name(Requirement(one).name)) for one in texts):
        found: dict[str, Path] = {}
        for one in texts:
            found |= fetch([Requirement(one)], folder, pins)
        return found
    names = [canonicalize_name(Requirement(one).name) for one in texts]
    wheels = _wheels(folder)
    return {name: wheels[name] for name in names}


def requirements_of(wheel: Path) -> list[Requirement]:
    """What a wheel requires, without its extras."""
    with zipfile.ZipFile(wheel) as archive:
        (member,) = (
            name for name in archive.namelist() if name.endswith(".dist-info/METADATA") and name.count("/") == 1
        )
        headers = HeaderParser().parsestr(archive.read(member).decode("utf-8"))
    return [Requirement(one) for one in headers.get_all("Requires-Dist") or []]


def _download(texts: list[str], folder: Path, pins: Path | None) -> str:
    """Fetch wheels for that machine; what pip said where it failed."""
    platforms = [word for one in PLATFORMS for word in ("--platform", one)]
    where = ["--only-binary=:all:", "--python-version", PYTHON, "--implementation", "cp", *platforms]
    return _pip("download", *where, "-d", str(folder), *_pinned(pins), *texts)


def _build(text: str, folder: Path, pins: Path | None) -> None:
    """Build a wheel of a package that is published as source.

    Raises:
        WheelError: it cannot be built, or is of this machine alone.
    """
    if said := _pip("wheel", "-w", str(folder), *_pinned(pins), text):
        raise WheelError(f"{text} cannot be had as a wheel for Python {PYTHON} on Linux: {said}; name it as there.")
    wheel = _wheels(folder)[canonicalize_name(Requirement(text).name)]
    if not wheel.name.endswith("-none-any.whl"):
        raise WheelError(f"{text} has no wheel for Python {PYTHON} on Linux, and is not pure Python; name it as there.")


def _pip(*arguments: str) -> str:
    """Run pip without dependencies; its last error, or nothing."""
    command = [sys.executable, "-m", "pip", arguments[0], "-q", "--disable-pip-version-check", "--no-deps"]
    done = subprocess.run([*command, *arguments[1:]], capture_output=True, text=True, check=False)
    errors = [line.removeprefix("ERROR: ") for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
    return "" if done.returncode == 0 else (errors or [f"pip ended with {done.returncode}"])[-1]


def _pinned(pins: Path | None) -> list[str]:
    return [] if pins is None else ["-c", str(pins)]


def _wheels(folder: Path) -> dict[str, Path]:
    return {parse_wheel_filename(file.name)[0]: file for file in folder.glob("*.whl")}


def _both(one: Requirement, other: Requirement) -> Requirement:
    return Requirement(f"{one.name}{SpecifierSet(str(one.specifier)) & other.specifier}")


def _refuse_other(requirement: Requirement, wheel: Path) -> None:
    version = parse_wheel_filename(wheel.name)[1]
    if not requirement.specifier.contains(version, prereleases=True):
        raise WheelError(f"{wheel.name} was packed, and {requirement} is required too; pin a version that fits both.")
