"""The script that packs what travels to a machine that can fetch nothing."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.gpu.contact import wheels
from tests.gpu.contact.wheels import WheelError, already_there, gather
from tests.scripts_as_modules import load_script


@pytest.fixture(scope="module")
def packing() -> ModuleType:
    return load_script("pack_for_gpu")


def make_wheel(folder: Path, name: str, version: str = "1.0", *requires: str, tag: str = "py3-none-any") -> Path:
    """A wheel of one module that has the package's name."""
    folder.mkdir(parents=True, exist_ok=True)
    file, beside = folder / f"{name}-{version}-{tag}.whl", f"{name}-{version}.dist-info"
    needed = "".join(f"Requires-Dist: {one}\n" for one in requires)
    members = {
        f"{name}.py": f"version = {version!r}\n",
        f"{beside}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}",
        f"{beside}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = "".join(f"{member},,\n" for member in [*members, f"{beside}/RECORD"])
    with zipfile.ZipFile(file, "w") as archive:
        for member, text in (members | {f"{beside}/RECORD": record}).items():
            archive.writestr(member, text)
    return file


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels in the place of every index."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return tmp_path / "index"


def names(found: list[Path]) -> list[str]:
    return [file.name.partition("-")[0] for file in found]


@pytest.mark.slow
def test_what_a_package_requires_is_fetched_too_but_for_what_is_there(index: Path, tmp_path: Path) -> None:
    make_wheel(index, "alpha", "1.0", "beta>=2", "numpy>=2", "gamma; sys_platform == 'win32'", "delta; extra == 'more'")
    make_wheel(index, "beta", "2.0", "epsilon")
    make_wheel(index, "epsilon", "3.0", tag="cp312-cp312-manylinux2014_x86_64")
    assert names(gather(["alpha"], already_there([]), tmp_path / "all")) == ["alpha", "beta", "epsilon"]
    assert names(gather(["alpha"], already_there(["Beta==2.1"]), tmp_path / "less")) == ["alpha"]
    assert names(gather(["alpha"], already_there(["beta==1.9"]), tmp_path / "older")) == ["alpha", "beta", "epsilon"]


@pytest.mark.slow
def test_a_package_without_a_wheel_or_with_two_claims_is_told(index: Path, tmp_path: Path) -> None:
    make_wheel(index, "alpha", "1.0", "beta<2")
    make_wheel(index, "beta", "1.0", "gamma", "alpha>=2")
    make_wheel(index, "gamma", "1.0", tag="cp311-cp311-win_amd64")
    with pytest.raises(WheelError, match=r"alpha-1\.0-py3-none-any\.whl was packed, and alpha>=2 is required"):
        gather(["alpha"], already_there(["gamma"]), tmp_path / "two")
    with pytest.raises(WheelError, match=r"gamma cannot be had as a wheel for Python 3\.12 on Linux"):
        gather(["gamma"], already_there([]), tmp_path / "none")


def test_a_machine_tells_what_it_has_as_pip_lists_it() -> None:
    there = already_there(["Markdown_It.py==3.0\n", "  ", "scipy"])
    assert there == {"numpy": "", "torch": "", "triton": "", "markdown-it-py": "3.0", "scipy": ""}
    assert wheels.environment()["python_version"] == "3.12"


def test_more_than_may_travel_is_refused_with_its_largest_parts(packing: ModuleType) -> None:
    mib = 2**20
    sizes = {"faces.npz": 50 * mib, "wheels/scipy-1.0-cp312.whl": 33 * mib, "start.sh": 10, "a": 3, "b": 2}
    with pytest.raises(packing.PackingError, match=r"takes 83\.0 MiB, and 64 may travel; .* are faces\.npz 50\.0, "):
        packing.refuse_larger(sizes)
    packing.refuse_larger(sizes, most=83 * mib + 15)


def pack_little(packing: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **given: Any) -> Path:
    """The folder with one small wheel."""
    monkeypatch.setattr(packing, "gather", lambda wanted, there, folder, pins: [make_wheel(folder, "alpha")])
    packing.pack(tmp_path / "carried", None, [], **given)
    return tmp_path / "carried"


def test_the_manifest_has_the_hash_of_each_file(
    packing: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pack_little(packing, tmp_path, monkeypatch)
    files = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    assert sorted(files) == ["project.zip", "start.sh", "wheels/alpha-1.0-py3-none-any.whl"]
    for name, told in files.items():
        content = (folder / name).read_bytes()
        assert told == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    pack_little(packing, tmp_path, monkeypatch)  # made anew


def test_a_folder_of_something_else_is_left_alone(packing: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(packing.PackingError, match="was not made by this script"):
        packing.pack(tmp_path, None, [])
    assert [file.name for file in tmp_path.iterdir()] == ["mine.txt"]


def test_beside_the_tree_the_project_is_not_packed_and_the_tree_counts(
    packing: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pack_little(packing, tmp_path, monkeypatch, with_tree=True)
    assert not (folder / "project.zip").exists()
    monkeypatch.setattr(packing, "MOST_BYTES", 2**20)
    monkeypatch.setattr(packing.refuse_larger, "__defaults__", (2**20,))
    with pytest.raises(packing.PackingError, match="the largest parts are the working tree"):
        pack_little(packing, tmp_path, monkeypatch, with_tree=True)


def test_what_is_packed_has_the_reference_and_no_predictions(packing: ModuleType, tmp_path: Path) -> None:
    packing.zip_project(tmp_path / "project.zip")
    with zipfile.ZipFile(tmp_path / "project.zip") as archive:
        members = archive.namelist()
    assert {"pyproject.toml", "fbench/__init__.py", "tests/gpu/first_contact.py", "tests/conftest.py"} <= {*members}
    assert any(name.startswith("results/fer2013-standard/trials/") for name in members)
    assert not any(name.endswith(".npz") for name in members if name.startswith("results/"))


@pytest.mark.slow
def test_the_folder_alone_installs_and_starts_in_a_fresh_python(
    packing: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an index, and without anything of this Python's."""
    folder = pack_little(packing, tmp_path, monkeypatch)
    venv.create(tmp_path / "fresh", with_pip=True)
    python = tmp_path / "fresh" / "bin" / "python"
    environment = {"PATH": os.environ["PATH"], "PYTHON": str(python), "FBENCH_PLACE": str(tmp_path / "place")}
    call = ["sh", str(folder / "start.sh"), "first_contact", "--out", str(tmp_path / "out"), "--help"]
    done = subprocess.run(call, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--seconds" in done.stdout
    ask = [str(python), "-c", "import alpha; print(alpha.version)"]
    said = subprocess.run(ask, env={"PYTHONPATH": str(tmp_path / "place" / "site")}, capture_output=True, text=True)
    assert said.stdout.strip() == "1.0"
    assert sys.executable != str(python)


def test_the_command_starts_with_a_path_that_any_folder_understands(packing: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "start.sh").write_text(packing.START_TEXT, encoding="utf-8")
    call = ["sh", str(tmp_path / "start.sh"), "first_contact", "--out", "here"]
    done = subprocess.run(call, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "give --out as a path that begins with /\n")


@pytest.mark.slow
def test_the_command_packs_and_prints_its_parts(packing: ModuleType, tmp_path: Path, index: Path) -> None:
    """With all that is required said to be there."""
    np.savez(
        tmp_path / "faces.npz",
        images=np.random.default_rng(0).integers(0, 256, (21, 48, 48), dtype=np.uint8),
        emotion=np.arange(21, dtype=np.uint8) % 7,
        usage=np.repeat([0, 1, 2], 7).astype(np.uint8),
    )
    project = packing.tomllib.loads((packing.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = [one.partition(">")[0] for one in project["dependencies"]] + list(packing.TESTS)
    call = [sys.executable, str(packing.ROOT / "scripts" / "pack_for_gpu"), "--faces", str(tmp_path / "faces.npz")]
    call += ["--there", *required, "--out", str(tmp_path / "carried")]
    done = subprocess.run(call, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {line.split()[-1] for line in done.stdout.splitlines()} >= {"faces.npz", "project.zip", "64"}
    damaged = subprocess.run([*call, "--faces", str(tmp_path / "no.npz")], capture_output=True, text=True)
    assert damaged.returncode == 2
    assert len(damaged.stderr.strip().splitlines()) == 1
