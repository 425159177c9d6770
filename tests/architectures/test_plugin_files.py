"""Plug-in files: loaded once, told from one another by their text, taken back when they fail."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch

from fbench.architectures import registry
from fbench.architectures.digest import network_digest
from fbench.architectures.plugins import load_plugin
from fbench.architectures.registry import build, list_architectures, resolve
from fbench.architectures.scaffold import new_architecture_text
from fbench.core.errors import UserError

pytestmark = pytest.mark.usefixtures("same_registry_afterwards")


def written(folder: Path, name: str, text: str | None = None) -> Path:
    path = folder / f"{name}.py"
    path.write_text(new_architecture_text(name) if text is None else text, encoding="utf-8")
    return path


def test_a_plug_in_registers_its_network(tmp_path: Path) -> None:
    path = written(tmp_path, "my_net")
    load_plugin(path)
    resolved = resolve("my_net")
    assert resolved.source == hashlib.sha256(path.read_bytes()).hexdigest()
    assert resolved.options["width"] == 16
    assert build(resolved) is not None


def test_loading_a_file_twice_does_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, "my_net")
    assert load_plugin(path) is load_plugin(str(path))


def test_an_edit_of_the_file_is_another_network(tmp_path: Path) -> None:
    digests = []
    for number, comment in enumerate(("", "# an edit\n")):
        (folder := tmp_path / str(number)).mkdir()
        load_plugin(written(folder, "my_net", new_architecture_text("my_net") + comment))
        resolved = resolve("my_net")
        digests.append(network_digest(build(resolved), resolved.input_shape, resolved.source))
        del registry._REGISTRY.builders["my_net"], registry._REGISTRY.entries["my_net"]
    assert digests[0] != digests[1]


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no plug-in file .*absent\.py"):
        load_plugin(tmp_path / "absent.py")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise RuntimeError('out of order')", "RuntimeError: out of order"),
        ("import no_such_module_anywhere", "ModuleNotFoundError"),
        ("def broken(:\n    pass", "SyntaxError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_a_plug_in_that_raises_is_named_with_its_reason(tmp_path: Path, text: str, reason: str) -> None:
    path = written(tmp_path, "broken", text)
    with pytest.raises(UserError) as error:
        load_plugin(path)
    assert str(path) in str(error.value)
    assert reason in str(error.value)


def test_a_plug_in_that_takes_a_registered_name_is_named_and_taken_back(tmp_path: Path) -> None:
    text = new_architecture_text("my_net") + '\n\nregister("ires")(my_net)\n'
    path = written(tmp_path, "my_net", text)
    with pytest.raises(UserError, match=r"my_net\.py cannot be loaded: The architecture name 'ires' is taken"):
        load_plugin(path)
    assert "my_net" not in list_architectures()
    path.write_text(new_architecture_text("my_net"), encoding="utf-8")
    load_plugin(path)
    assert "my_net" in list_architectures()


UNSPEAKABLE = """
class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("no")

raise Unspeakable
"""


def test_a_plug_in_whose_exception_cannot_be_shown_is_named_all_the_same(tmp_path: Path) -> None:
    path = written(tmp_path, "broken", UNSPEAKABLE)
    with pytest.raises(UserError, match=r"broken\.py raised Unspeakable: \(its message cannot be had: RuntimeError\)"):
        load_plugin(path)


def test_what_a_plug_in_sets_of_the_process_ends_with_its_run(tmp_path: Path) -> None:
    text = "import os, torch\ntorch.set_default_dtype(torch.float64)\nos.chdir('/')\n"
    before = Path.cwd()
    load_plugin(written(tmp_path, "setting", text))
    assert torch.get_default_dtype() is torch.float32
    assert Path.cwd() == before


def test_a_plug_in_may_register_a_variant_of_a_built_in_network(tmp_path: Path) -> None:
    text = 'from fbench import register_variant\nregister_variant("wide_gate", of="ires", squeeze_excite=2)\n'
    load_plugin(written(tmp_path, "variants", text))
    assert resolve("wide_gate").builder == "ires"
    assert resolve("wide_gate").source is None
