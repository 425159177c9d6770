"""Code that a record names runs only where somebody named it, or trusts its digest."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fbench.architectures.plugin_sources import read_sources
from fbench.architectures.plugins import load_plugin
from fbench.architectures.registry import is_registered
from fbench.architectures.scaffold import new_architecture_text
from fbench.benchmark.records.specs import NetworkSpec
from fbench.benchmark.store.run_folder import RunFolder
from fbench.benchmark.training.foreign_code import load_named_code, require_code
from fbench.core.errors import UserError

pytestmark = pytest.mark.usefixtures("same_registry_afterwards")


@pytest.fixture(autouse=True)
def same_imports_afterwards() -> Iterator[None]:
    finders, folders = list(sys.meta_path), list(sys.path)
    yield
    sys.meta_path[:], sys.path[:] = finders, folders


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    (tmp_path / "plugins").mkdir()
    text = new_architecture_text("foreign") + f"\nfrom pathlib import Path\nPath({str(tmp_path)!r}, 'ran').touch()\n"
    (tmp_path / "plugins" / "foreign.py").write_text(text, encoding="utf-8")
    return RunFolder(tmp_path)


def network(plugin_file: str | None, builder: str = "foreign", source: str | None = "0" * 64) -> NetworkSpec:
    options = {"num_classes": 7, "in_channels": 1, "image_size": 48}
    return NetworkSpec(
        name="its", builder=builder, options=options, digest="0" * 64, source_sha256=source, plugin_file=plugin_file
    )


@pytest.mark.parametrize("absolute", [True, False])
def test_it_runs_where_its_digest_is_given_and_else_is_listed(folder: RunFolder, absolute: bool) -> None:
    file = folder.path / "plugins" / "foreign.py"
    spec = network(str(file) if absolute else "plugins/foreign.py")
    digest = read_sources(file).digest
    for trust in (None, "0" * 64):
        with pytest.raises(UserError, match=rf"foreign\.py; read these files, then add --trust {digest}, or name"):
            require_code(folder, spec, trust)
    assert not (folder.path / "ran").exists()
    require_code(folder, spec, digest.upper())
    assert (folder.path / "ran").exists()
    assert is_registered("foreign")


def test_a_network_that_the_user_named_needs_no_trust_and_runs_nothing_else(folder: RunFolder, tmp_path: Path) -> None:
    own = tmp_path / "own.py"
    own.write_text(new_architecture_text("foreign"), encoding="utf-8")
    load_plugin(own)
    require_code(folder, network("plugins/foreign.py"))
    assert not (folder.path / "ran").exists()


def test_networks_of_fbench_run_nothing_that_a_record_names(folder: RunFolder) -> None:
    require_code(folder, network("plugins/foreign.py", builder="ires"))
    require_code(folder, network("plugins/foreign.py", source=None))
    assert not (folder.path / "ran").exists()


@pytest.mark.parametrize("file", ["../outside.py", "plugins/../../x.py", "linked/foreign.py", "/no/such/file.py", ""])
def test_a_file_that_is_not_there_or_outside_is_one_sentence(folder: RunFolder, file: str) -> None:
    (folder.path / "linked").symlink_to(folder.path / "plugins")
    with pytest.raises(UserError, match=r"cannot be had here: .* Name a file that registers 'foreign' with --plugin"):
        require_code(folder, network(file), "0" * 64)


def test_a_network_of_a_notebook_asks_for_a_file(folder: RunFolder) -> None:
    with pytest.raises(UserError, match="name a file that registers 'foreign' with --plugin"):
        require_code(folder, network(None))


def test_code_that_was_edited_after_it_was_resolved_trains_nothing(folder: RunFolder) -> None:
    file = folder.path / "plugins" / "foreign.py"
    resolved = read_sources(file)
    spec = network(str(file), source=resolved.identity).model_copy(update={"plugin_digest": resolved.digest})
    file.write_text(file.read_text(encoding="utf-8") + "\n# edited\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"foreign\.py, or a module that it imports, was edited while it was at work"):
        load_named_code(spec)


def test_code_that_is_as_it_was_resolved_is_there_to_train(folder: RunFolder) -> None:
    file = folder.path / "plugins" / "foreign.py"
    resolved = read_sources(file)
    load_named_code(network(str(file), source=resolved.identity).model_copy(update={"plugin_digest": resolved.digest}))
    assert is_registered("foreign")
