"""The catalogue: what every data set's module declares, and that one module is enough for a new one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import stamps
from sample_files import random_images, settle
from typer.testing import CliRunner

from fbench.benchmark.data.catalogue import DATA_SETS, data_set
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.references import parse_reference
from fbench.cli.app import app
from fbench.core.errors import UserError

DECLARED = {
    "synthetic": [("generator", 1)],
    "fer2013": [("fer2013-csv", 2), ("fer2013-folders", 2)],
    "ferplus": [("ferplus", 1)],
    "ck48": [("ckplus-folders", 2), ("ckplus-csv", 2)],
    "imed": [("imed-folders", 1)],
    "rafdb": [("rafdb-basic", 1)],
    "folder": [("class-map", 2), ("class-folders", 3)],
    "arrays": [("npz", 1)],
    "cleaned": [("cleaned-index", 1)],
}
"""Names and versions of layouts, in the order in which they are tried: keys of cached data hold them."""


@pytest.mark.parametrize("name", DATA_SETS)
def test_a_module_declares_the_data_set_that_the_catalogue_names(name: str) -> None:
    declared = data_set(name)
    assert declared.known.name == name
    assert [(layout.name, layout.version) for layout in declared.layouts] == DECLARED[name]


def test_a_module_that_declares_no_data_set_is_a_mistake_of_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamps, "DATA_SET", stamps.DATA_SET.known)
    monkeypatch.setitem(DATA_SETS, "stamps", "stamps")
    with pytest.raises(TypeError, match="declares no DataSet"):
        data_set("stamps")


def test_names_alone_import_no_reader() -> None:
    code = (
        "import sys\n"
        "from fbench.benchmark.data.catalogue import DATA_SETS, data_set\n"
        "print(sorted(name for name in sys.modules if name in {'numpy', 'PIL', *DATA_SETS.values()}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Six stamps on disk, and the data set's one module in the catalogue."""
    monkeypatch.setitem(DATA_SETS, "stamps", "stamps")
    np.save(tmp_path / "images.npy", random_images(6))
    np.save(tmp_path / "labels.npy", np.array([0, 1, 0, 1, 0, 1], np.uint8))
    return settle(tmp_path)


def test_a_data_set_of_one_module_is_read_by_name_path_and_option(folder: Path) -> None:
    kept = load_dataset(parse_reference(f"stamps={folder}"))
    assert kept.name == "stamps"
    np.testing.assert_array_equal(kept.images[:, 0], random_images(6))
    turned = load_dataset(parse_reference(f"stamps:order=reversed={folder}"))
    assert turned.name == "stamps-reversed"
    np.testing.assert_array_equal(turned.images, kept.images[::-1])


def test_a_data_set_of_one_module_is_cached_and_takes_every_treatment_of_copies(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_dataset(parse_reference(f"stamps={folder}"))
    monkeypatch.setattr(stamps, "read_stamps", lambda *_: pytest.fail("the source was read again"))
    again = load_dataset(parse_reference(f"stamps:copies=removed={folder}"))
    assert again.name == "stamps-removed"
    assert again.fingerprint == first.fingerprint


def test_a_data_set_of_one_module_is_listed_and_its_mistakes_are_told(folder: Path) -> None:
    entries = json.loads(CliRunner().invoke(app, ["data", "list", "--json"], catch_exceptions=False).output)
    assert [entry["name"] for entry in entries] == list(DATA_SETS)
    assert entries[-1]["expects"] == "a folder with images.npy and labels.npy"
    with pytest.raises(UserError, match="Did you mean 'stamps'"):
        parse_reference(f"stamp={folder}")
    with pytest.raises(UserError, match="order=sideways is unknown; allowed: kept, reversed"):
        parse_reference(f"stamps:order=sideways={folder}")
    (folder / "labels.npy").unlink()
    with pytest.raises(UserError, match="give a folder with images"):
        load_dataset(parse_reference(f"stamps={folder}"))
