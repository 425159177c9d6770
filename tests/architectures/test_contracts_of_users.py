"""Contracts of users' networks lie beside their code, and nothing that is registered passes the gate without one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from support import ask_here
from typer.testing import CliRunner, Result

from fbench.architectures import announced, registry
from fbench.architectures import counts as counting
from fbench.architectures.contract import read_contract
from fbench.architectures.scaffold import new_architecture_text
from fbench.cli.app import app


@pytest.fixture(autouse=True)
def no_networks_but_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Counting fbench's own is the subject of other tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.setattr(counting, "built_in_contract", _none)
    monkeypatch.setattr(counting, "loaded_names", lambda built_in: [])
    ask_here(monkeypatch)
    registry.create("lenet5")  # all built-in networks are registered from here on
    builders, entries = dict(registry._REGISTRY.builders), dict(registry._REGISTRY.entries)
    yield
    registry._REGISTRY.builders, registry._REGISTRY.entries = builders, entries


def _none() -> dict[str, object]:
    return {}


_none.cache_clear = lambda: None  # type: ignore[attr-defined]


def params(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["params", *arguments])


def written(folder: Path, name: str) -> str:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(new_architecture_text(name), encoding="utf-8")
    return str(folder / f"{name}.py")


def announce(monkeypatch: pytest.MonkeyPatch, **modules: str) -> None:
    points = {name: EntryPoint(name, value, announced.ENTRY_POINT_GROUP) for name, value in modules.items()}
    monkeypatch.setattr(announced, "entry_points", lambda: points)


def test_the_contract_of_a_plug_in_lies_beside_it(tmp_path: Path) -> None:
    plugin = written(tmp_path / "nets", "beside_net")
    result = params("--update", "--plugin", plugin)
    assert result.output == "Wrote nets/fbench_contract.toml.\n"
    assert not (tmp_path / "fbench_contract.toml").exists()
    assert params("--check", "--plugin", plugin).output == "Every network: as in the contract.\n"
    assert json.loads(params("beside_net", "--json", "--plugin", plugin).output)[0]["trainable_params"] == 23_863


def test_a_plug_in_without_a_row_fails_the_gate(tmp_path: Path) -> None:
    plugin = written(tmp_path / "nets", "rowless_net")
    result = params("--check", "--plugin", plugin)
    assert result.exit_code == 1
    assert "rowless_net  has no counts in the contract" in result.output
    assert "(nets/fbench_contract.toml)" in result.output


def test_a_row_in_the_working_directory_is_not_that_of_a_plug_in_elsewhere(tmp_path: Path) -> None:
    plugin = written(tmp_path / "nets", "moved_net")
    params("--update", "--plugin", plugin)
    (tmp_path / "nets" / "fbench_contract.toml").rename(tmp_path / "fbench_contract.toml")
    result = params("--check", "--plugin", plugin)
    assert result.exit_code == 1
    assert "moved_net  has no counts in the contract" in result.output
    assert f"has a row here, and its contract is {tmp_path / 'nets' / 'fbench_contract.toml'}" in result.output


def test_an_update_says_which_rows_have_no_network_and_keeps_them(tmp_path: Path) -> None:
    for name in ("kept_net", "gone_net"):
        params("--update", "--plugin", written(tmp_path, name))
    (tmp_path / "gone_net.py").unlink()
    for known in (registry._REGISTRY.entries, registry._REGISTRY.builders):
        known.pop("gone_net", None)
    result = params("--update", "--plugin", str(tmp_path / "kept_net.py"))
    assert result.exit_code == 0
    assert "gone_net  has a row but is not registered" in result.output
    assert list(read_contract(tmp_path / "fbench_contract.toml")) == ["kept_net", "gone_net"]


def test_two_plug_ins_in_two_folders_have_two_contracts(tmp_path: Path) -> None:
    plugins = ["--plugin", written(tmp_path / "a", "net_a"), "--plugin", written(tmp_path / "b", "net_b")]
    params("--update", *plugins)
    for folder in "ab":
        assert list(read_contract(tmp_path / folder / "fbench_contract.toml")) == [f"net_{folder}"]
    assert params("--check", *plugins).exit_code == 0


def test_a_package_without_a_row_fails_the_gate_until_it_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is installed is not written into: its row is kept in the working directory."""
    written(tmp_path / "installed", "packaged_net")
    monkeypatch.syspath_prepend(tmp_path / "installed")
    announce(monkeypatch, packaged_net="packaged_net:packaged_net")
    result = params("--check")
    assert result.exit_code == 1
    assert "packaged_net  has no counts in the contract" in result.output
    assert params("--update").output == "Wrote fbench_contract.toml.\n"
    assert params("--check").exit_code == 0


def test_the_contract_that_a_package_brings_holds_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "installed"
    plugin = written(folder, "shipped_net")
    params("--update", "--plugin", plugin)
    (folder / "shipping").mkdir()
    for file in ("shipped_net.py", "fbench_contract.toml"):
        (folder / file).rename(folder / "shipping" / file)
    (folder / "shipping" / "__init__.py").touch()
    for known in (registry._REGISTRY.entries, registry._REGISTRY.builders):
        known.pop("shipped_net")
    monkeypatch.syspath_prepend(folder)
    announce(monkeypatch, shipped_net="shipping.shipped_net:shipped_net")
    assert params("--check").output == "Every network: as in the contract.\n"


def test_a_package_that_cannot_be_imported_fails_the_gate_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    announce(monkeypatch, broken_net="no_such_module_anywhere:net")
    result = params("--check")
    assert result.exit_code == 1
    assert "broken_net  cannot be counted" in result.output
    asked = params("broken_net")
    assert asked.exit_code == 2
    assert "not counted" in asked.output
    assert "no_such_module_anywhere" in result.output
