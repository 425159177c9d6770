"""Files that fbench reads again and that somebody else may have left there."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from fbench.ablations.library import load_suite
from fbench.architectures.contract import read_contract
from fbench.architectures.plugins import load_plugin
from fbench.benchmark.export.errors import ExportError
from fbench.benchmark.export.formats import read_metadata
from fbench.benchmark.export.torch_export_file import read_torch_metadata
from fbench.benchmark.records.protocol_library import load_protocol
from fbench.benchmark.store.files import read_cost_file
from fbench.core.errors import UserError

READERS: tuple[tuple[Callable[[Path], object], str], ...] = (
    *((load_suite, "x.toml"), (lambda path: load_protocol(str(path)), "x.toml"), (read_contract, "x.toml")),
    *((read_cost_file, "x.json"), (load_plugin, "x.py"), (read_metadata, "x.safetensors"), (read_metadata, "x.onnx")),
    *((read_metadata, "x.pt2"), (read_torch_metadata, "x.pt2")),
)
CONTENTS = (b"", b"\xff\xfe\x00", b"[" * 200_000, b"a = " + b"[" * 100_000, b"a." * 50_000, b'{"schema_version": true}')


@pytest.mark.parametrize(("read", "name"), READERS)
def test_whatever_is_in_it_is_one_sentence(read: Callable[[Path], object], name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    for content in CONTENTS:
        file.write_bytes(content)
        if (read, content) == (load_plugin, b"") or (read == read_contract and not content):
            continue  # an empty file of Python or TOML is one
        with pytest.raises((UserError, ExportError)) as caught:
            read(file)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("read", "name"), READERS)
def test_a_folder_a_pipe_and_nothing_are_one_sentence(
    read: Callable[[Path], object], name: str, tmp_path: Path
) -> None:
    (tmp_path / "folder" / name).mkdir(parents=True)
    (tmp_path / "pipe").mkdir()
    os.mkfifo(tmp_path / "pipe" / name)
    for place in ("folder", "pipe", "nothing"):
        if read == read_torch_metadata and place == "pipe":
            continue  # its callers have seen that it is a file
        with pytest.raises((UserError, ExportError)):
            read(tmp_path / place / name)


def test_an_archive_with_many_parts_is_refused(tmp_path: Path) -> None:
    from fbench.benchmark.export.torch_export_file import load_torch_export

    with zipfile.ZipFile(tmp_path / "x.pt2", "w") as archive:
        for number in range(20_000):
            archive.writestr(f"x/{number}", b"")
    with pytest.raises(ExportError, match="may be a pickle"):
        load_torch_export(tmp_path / "x.pt2")
