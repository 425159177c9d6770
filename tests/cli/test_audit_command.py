"""``fbench data audit``: what a user reads, what is refused before the work begins, and files beside the data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from fbench.benchmark.data.audit import audit as audit_module
from fbench.cli.app import app
from fbench.core.errors import UserError
from tests.benchmark.data.sample_files import fer2013_lines, random_images, write_lines

VOTES_HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
USAGES = ["Training"] * 7 + ["PublicTest"] * 7 + ["PrivateTest"] * 7


def call(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, ["data", "audit", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return result


def words(result: Result) -> str:
    return " ".join(result.output.split())


@pytest.fixture
def fer2013(tmp_path: Path) -> Path:
    """Three images of each class; the first test row is a copy of the first training row."""
    images = random_images(21)
    images[14] = images[0]
    return write_lines(tmp_path / "fer2013.csv", fer2013_lines([row % 7 for row in range(21)], USAGES, images))


def write_votes(folder: Path, usages: list[str], no_face: int) -> None:
    rows = [f"{usage},fer{row:07d}.png,0,0,0,0,0,0,0,0,0,10" for row, usage in enumerate(usages[:no_face])]
    rows += [f"{usage},fer{no_face + row:07d}.png,10,0,0,0,0,0,0,0,0,0" for row, usage in enumerate(usages[no_face:])]
    write_lines(folder / "fer2013new.csv", [VOTES_HEADER, *rows])


def test_names_are_printed_as_they_are(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for name in ("[bold]calm", "glad"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for row in range(20):
            pixels = random.integers(0, 256, (48, 48), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "images" / name / f"{row}.png")
    (tmp_path / "images" / "glad" / ":smile: [red].png").write_bytes(b"")
    Image.new("L", (48, 48)).save(tmp_path / "images" / "glad" / "two\nlines.png")
    output = words(call(f"folder={tmp_path / 'images'}", "--quick"))
    assert "[bold]calm 14 3 3" in output
    assert "Left out, each is empty: 1 (glad/:smile: [red].png)" in output
    assert r"Blank images: 1 (glad/two\nlines.png); all black: 1" in output


def test_json_is_all_that_standard_output_holds(fer2013: Path, tmp_path: Path) -> None:
    result = call(f"fer2013={fer2013}", "--json", "--clean", tmp_path / "index")
    audit = json.loads(result.stdout)
    assert audit["test_rows_with_copies"] == [0]
    assert [near["kind"] for near in audit["near"]] == ["as_is", "mirrored"]
    assert "leaves out 1 of 21 images" in result.stderr
    assert "comparing" not in result.stderr


def test_near_copies_are_looked_for_once(fer2013: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = call(f"fer2013={fer2013}", "--json").stdout
    monkeypatch.setattr(audit_module, "near_copies", lambda *_: pytest.fail("compared again"))
    assert call(f"fer2013={fer2013}", "--json").stdout == first


def test_votes_beside_the_data_tell_non_faces(fer2013: Path) -> None:
    write_votes(fer2013.parent, USAGES, no_face=2)
    assert "No face, by FERPlus: 2 (row:0, row:1)" in words(call(f"fer2013={fer2013}", "--quick"))
    fer2013.with_name("fer2013new.csv").unlink()
    assert "No face: not known; FERPlus tells it" in words(call(f"fer2013={fer2013}", "--quick"))


def test_votes_beside_the_data_that_do_not_fit_are_passed_over_aloud(fer2013: Path) -> None:
    write_votes(fer2013.parent, USAGES[:-1], no_face=2)
    result = call(f"fer2013={fer2013}", "--quick", "--json")
    assert "Non-faces are not looked for" in result.stderr
    assert json.loads(result.stdout)["non_face_rows"] is None
    with pytest.raises(UserError, match="has votes on 20 rows"):
        call(f"fer2013={fer2013}", "--quick", "--ferplus", fer2013.with_name("fer2013new.csv"))


def test_the_rule_of_non_faces_takes_them_from_every_split(fer2013: Path, tmp_path: Path) -> None:
    write_votes(fer2013.parent, USAGES, no_face=1)
    call(f"fer2013={fer2013}", "--quick", "--clean", tmp_path / "index", "--rule", "non_faces")
    output = words(call(f"cleaned={tmp_path / 'index'}", "--quick"))
    assert "Left out, each is no face to most annotators: 1 (row:0)" in output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--rule", "blank_images"], "There is no cleaning rule 'blank_images'"),
        (["--rule", "non_faces"], "needs FERPlus votes"),
        (["--quick"], "needs a full audit"),
        ([], "no cleaned index and no empty folder"),
    ],
)
def test_what_cannot_end_in_an_index_is_refused_before_the_audit(
    options: list[str], message: str, fer2013: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_module, "audit_dataset", lambda *_, **__: pytest.fail("the audit began"))
    folder = tmp_path / "index" if options else tmp_path
    with pytest.raises(UserError, match=message):
        call(f"fer2013={fer2013}", "--clean", folder, *options)
    assert not (tmp_path / "index").exists()
