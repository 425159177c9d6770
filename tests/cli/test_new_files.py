"""Files to start from can be used as they are, and tell what else there is."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from fbench.ablations.library import list_suites, load_suite
from fbench.benchmark.data.load import load_dataset
from fbench.benchmark.data.references import parse_reference
from fbench.benchmark.records.protocol_library import list_protocols, load_protocol
from fbench.cli.app import app
from fbench.core.errors import UserError

runner = CliRunner()


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def told(*arguments: str) -> str:
    result = runner.invoke(app, list(arguments), standalone_mode=False)
    if result.exception:
        raise result.exception
    return result.stdout


def uncommented(text: str) -> str:
    """The text with its suggestions in force, a line of it that is a setting or the head of a table."""
    return re.sub(r"^# (?=\[|[a-z_]+ = )", "", text, flags=re.MULTILINE)


def test_a_new_suite_is_a_suite() -> None:
    assert "Next: fbench run --suite mine.toml --dry-run" in told("new-suite", "mine")
    assert load_suite("mine.toml").name == "mine"
    assert load_suite("mine.toml").studies[0].levels == ("ires", "ires_relu", "ires_narrow")


def test_a_new_protocol_is_a_protocol_and_so_is_one_with_all_it_suggests() -> None:
    told("new-protocol", "mine")
    assert load_protocol("mine.toml").name == "mine"
    text = Path("mine.toml").read_text(encoding="utf-8")
    Path("all.toml").write_text(uncommented(text), encoding="utf-8")
    assert len(tomllib.loads(Path("all.toml").read_text(encoding="utf-8"))) > 10
    found = load_protocol("all.toml")
    assert (found.optimizer.kind, found.schedule.kind) == ("sgd", "constant")
    assert found.architecture_options == {"dropout": 0.2}


def test_a_new_class_map_reads_the_folders_that_are_there(tmp_path: Path) -> None:
    for name in ("smile", "no smile"):
        (tmp_path / "faces" / name).mkdir(parents=True)
        for index in range(10):
            pixels = np.random.default_rng(index).integers(0, 256, (48, 48), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "faces" / name / f"{index}.png")
    assert "Next: fbench data audit folder=faces" in told("new-data", "faces")
    assert load_dataset(parse_reference("folder=faces")).class_names == ("no smile", "smile")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("new-suite", "ablations"), "is taken"),
        (("new-protocol", "fbench"), "is taken"),
        (("new-suite", "../x"), "cannot name a file"),
        (("new-protocol", "x.toml"), "without .toml"),
        (("new-data", "nowhere"), "nowhere is no folder"),
    ],
)
def test_a_name_that_cannot_be_is_a_sentence(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        told(*arguments)


def test_nothing_is_overwritten() -> None:
    told("new-suite", "mine")
    with pytest.raises(UserError, match=r"mine\.toml exists and is not overwritten"):
        told("new-protocol", "mine")


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("suites", list(list_suites())),
        ("protocols", [f"{name}@{load_protocol(name).version}" for name in list_protocols()]),
        ("presets", ["smoke", "quick", "standard", "full"]),
    ],
)
def test_what_has_a_name_is_listed(kind: str, names: list[str]) -> None:
    rows = json.loads(told("list", kind, "--json"))
    assert [row["name"] for row in rows] == names
    assert all(row["what"] for row in rows)
    shown = told("list", kind)
    assert all(name in shown for name in names)


def test_data_sets_are_listed_with_their_use() -> None:
    rows = {row["name"]: row["use"] for row in json.loads(told("list", "data", "--json"))}
    assert (rows["synthetic"], rows["fer2013"]) == ("--data synthetic", "--data fer2013=PATH")
