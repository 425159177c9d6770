"""A bundle has files of a few names, and is read within bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from fbench.benchmark.bundles import contents
from fbench.benchmark.bundles.contents import is_repetition, may_be_bundled, read_contents, sealed
from fbench.core.contained import ContainedPath
from fbench.core.errors import UserError

ID, DIGEST = "0123456789abcdef", "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "name",
    [
        "run.json",
        "inputs/suite.toml",
        f"data/{ID}/audit.json",
        f"trials/{ID}/predictions.npz",
        f"plugins/{DIGEST}/my_net.py",
        f"plugins/{DIGEST}/blocks/conv.py",
    ],
)
def test_files_of_a_run_may_be_bundled(name: str) -> None:
    assert may_be_bundled(name)


@pytest.mark.parametrize(
    "name",
    [
        "inputs/given.json",
        f"trials/{ID}/weights.safetensors",
        f"trials/{ID}/logits.npz",
        f"trials/{ID}/maps.npz",
        f"trials/{ID}/failure.txt",
        f"trials/{ID}/record.json\n",
        f"trials/{ID.upper()}/record.json",
        f"trials/../{ID}/record.json",
        f"plugins/{DIGEST}/../my_net.py",
        f"plugins/{DIGEST}/.hidden.py",
        f"plugins/{DIGEST}/my_net.so",
        f"checkpoints/{ID}.safetensors",
        "submission.json",
        "report.html",
        "",
    ],
)
def test_nothing_else_may(name: str) -> None:
    assert not may_be_bundled(name)


def test_a_repetition_is_told_by_its_name() -> None:
    assert is_repetition(f"repetitions/{ID}-{ID}.json")
    assert not is_repetition(f"repetitions/{ID}.json")
    assert not may_be_bundled(f"repetitions/{ID}-{ID}.json")


def test_a_seal_is_hash_and_size() -> None:
    assert sealed(b"abc").model_dump() == {  # FIPS 180-2, appendix B.1
        "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "bytes": 3,
    }


def test_what_is_too_large_together_is_refused_and_a_single_file_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "MOST_BUNDLE_BYTES", 10)
    (tmp_path / "run.json").write_bytes(b"x" * 11)
    (tmp_path / "plan.json").write_bytes(b"x" * 6)
    found = read_contents(ContainedPath(tmp_path))
    assert list(found.files) == ["plan.json"]
    assert "it has 11 bytes, and 10 are the most that are read" in found.wrong["run.json"]
    (tmp_path / "run.json").write_bytes(b"x" * 5)
    with pytest.raises(UserError, match="has more than the 10 bytes that a bundle may have; submit its networks in"):
        read_contents(ContainedPath(tmp_path))
