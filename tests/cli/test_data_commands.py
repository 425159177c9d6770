"""``fbench data``: list, audit, preview and prepare as a user calls them."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from fbench.benchmark.data.catalogue import DATA_SETS, known_data
from fbench.cli.app import app
from fbench.core.errors import UserError

pytestmark = pytest.mark.usefixtures("faces_at_hand")


def call(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, ["data", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return result


def write_class_folders(root: Path, copies: bool = False) -> Path:
    random = np.random.default_rng(0)
    for name in ("calm", "glad"):
        for row in range(20):
            (root / name).mkdir(parents=True, exist_ok=True)
            pixels = np.zeros((48, 48), np.uint8) if copies else random.integers(0, 256, (48, 48), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{row}.png")
    return root


def test_list_says_of_every_data_set_what_where_and_under_which_licence() -> None:
    output = " ".join(call("list").output.split())
    for known in map(known_data, DATA_SETS):
        assert known.summary in output
        assert known.licence in output
        assert known.tree == () or known.tree[0].split()[0] in output
    entries = json.loads(call("list", "--json").output)
    assert [entry["name"] for entry in entries] == list(DATA_SETS)
    assert [entry["name"] for entry in entries if entry["may_show_images"]] == ["synthetic"]


def test_list_of_one_data_set_and_of_none() -> None:
    assert "FERPlus" in call("list", "ferplus").output
    with pytest.raises(UserError, match="Did you mean 'rafdb'"):
        call("list", "rafd")


def test_audit_prints_tables_and_json(tmp_path: Path) -> None:
    root = write_class_folders(tmp_path / "images")
    (root / "calm" / "bad.png").write_bytes(b"")
    output = " ".join(call("audit", f"folder={root}").output.split())
    assert "Exact copies in all: 0 redundant rows" in output
    assert "Left out, each is empty: 1 (calm/bad.png)" in output
    audit = json.loads(call("audit", f"folder={root}", "--json", "--quick").output)
    assert audit["images_by_split_and_class"]["train"] == [14, 14]
    assert audit["near"] is None


def test_audit_writes_an_index_that_data_accepts(tmp_path: Path) -> None:
    root = write_class_folders(tmp_path / "images")
    for place in range(3):
        (root / "calm" / f"copy{place}.png").write_bytes((root / "calm" / f"{place}.png").read_bytes())
    output = call("audit", f"folder={root}", "--clean", tmp_path / "index").output
    assert f"--data cleaned={tmp_path / 'index'}" in output.replace("\n", "")
    again = json.loads(call("audit", f"cleaned={tmp_path / 'index'}", "--json", "--quick").output)
    assert again["exact"]["within_split"]["train"]["groups"] == 0
    assert again["test_rows_with_copies"] == []


def test_rules_without_an_index_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--rule blank was given without --clean"):
        call("audit", "synthetic", "--rule", "blank")


def test_preview_draws_every_class_twice_for_data_that_may_be_shown(tmp_path: Path) -> None:
    call("preview", "synthetic", "--protocol", "chowanda2021", "-o", tmp_path / "sheet.png", "--per-class", "2")
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.mode == "L"
        assert sheet.height > 7 * 2 * 96
        assert sheet.width > 2 * 96


def test_preview_of_other_images_asks_for_consent(tmp_path: Path) -> None:
    root = write_class_folders(tmp_path / "images")
    with pytest.raises(UserError, match="may not be published; add --show-images"):
        call("preview", f"folder={root}", "-o", tmp_path / "sheet.png")
    assert not (tmp_path / "sheet.png").exists()
    call("preview", f"folder={root}", "-o", tmp_path / "sheet.png", "--show-images")
    assert (tmp_path / "sheet.png").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["preview", "synthetic", "--per-class", "0"], "give 1 to 40"),
        (["preview", "synthetic", "-o", "notes.txt"], "no picture by its name"),
        (["preview", "synthetic", "--protocol", "xu2022"], "Did you mean 'xu2021'"),
        (["prepare", "nowhere", "--out", "faces", "--detector", "har"], "Did you mean 'haar'"),
    ],
)
def test_wrong_arguments_are_one_sentence(arguments: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        call(*arguments)


def test_prepare_says_what_became_of_the_photos(tmp_path: Path) -> None:
    if find_spec("mtcnn") is None:
        pytest.skip("the extra faces is not installed")
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (200, 200), (90, 90, 90)).save(tmp_path / "photos" / "wall.jpg")
    (tmp_path / "photos" / "empty.jpg").write_bytes(b"")
    output = call("prepare", tmp_path / "photos", "--out", tmp_path / "faces").output
    assert "skipped: shows no face that the detector finds" in output
    assert "skipped: is empty" in output
