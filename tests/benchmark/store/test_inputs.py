"""What a run keeps of what it was asked for: suites and protocols read back as the same, copies of plug-ins as they
were."""

from __future__ import annotations

from pathlib import Path

import pytest

from fbench.ablations.library import list_suites, load_suite
from fbench.architectures.plugin_sources import PluginSources, read_copy
from fbench.benchmark.records.protocol_library import changed, list_protocols, load_protocol
from fbench.benchmark.store.inputs import (
    PROTOCOL_FILE,
    SUITE_FILE,
    file_of_input,
    given_of,
    keep_inputs,
    keep_plugin,
    wrong_plugins,
)
from fbench.core.contained import ContainedPath
from fbench.core.schema import toml_of
from tests.reports.fabricated_run import Recipe, fabricate_run

PLUGIN = PluginSources(Path("/nowhere"), "mine.py", {"mine.py": b"import blocks", "pkg/__init__.py": b"\xff"})


@pytest.mark.parametrize("name", list_suites())
def test_every_suite_reads_back_from_its_text_as_the_same(tmp_path: Path, name: str) -> None:
    file = tmp_path / "suite.toml"
    file.write_text(toml_of(load_suite(name)), encoding="utf-8")
    assert load_suite(file) == load_suite(name)


@pytest.mark.parametrize("name", list_protocols())
def test_every_protocol_and_its_changes_read_back_from_their_text_as_the_same(tmp_path: Path, name: str) -> None:
    file = tmp_path / "protocol.toml"
    for protocol in (load_protocol(name), changed(load_protocol(name), {"learning_rate": 0.25})):
        file.write_text(toml_of(protocol), encoding="utf-8")
        assert load_protocol(str(file)) == protocol


def test_what_comes_with_fbench_is_not_kept_and_what_is_the_users_own_is(tmp_path: Path) -> None:
    config = fabricate_run(tmp_path / "run", Recipe(seeds=(0,), images=40)).config
    own = config.protocol.model_copy(update={"name": "mine", "label_smoothing": 0.25})
    cases = [
        (load_suite("ablations"), config.protocol, [False, False]),
        (load_suite("ablations").model_copy(update={"title": "Mine"}), config.protocol, [True, False]),
        (load_suite("ablations"), own, [False, True]),
    ]
    for number, (suite, protocol, kept) in enumerate(cases):
        files = ContainedPath(tmp_path / str(number))
        keep_inputs(files, config.model_copy(update={"suite": suite, "protocol": protocol}), {})
        found = [file_of_input(files, name) for name in (SUITE_FILE, PROTOCOL_FILE)]
        assert [file is not None for file in found] == kept
        if found[0]:
            assert load_suite(found[0]) == suite
        if found[1]:
            assert load_protocol(str(found[1])) == protocol


def test_a_plug_in_is_kept_by_its_digest_and_a_changed_copy_is_found(tmp_path: Path) -> None:
    files = ContainedPath(tmp_path)
    config = fabricate_run(tmp_path / "run", Recipe(seeds=(0,), images=40)).config
    keep_inputs(files, config, {PLUGIN.digest: PLUGIN})
    keep_plugin(files, PLUGIN.digest, PLUGIN)
    assert given_of(files).plugins == (f"plugins/{PLUGIN.digest}/mine.py",)
    assert read_copy(files / "plugins" / PLUGIN.digest, "mine.py").files == PLUGIN.files
    assert list(wrong_plugins(files)) == []
    (tmp_path / "plugins" / PLUGIN.digest / "pkg" / "__init__.py").write_bytes(b"")
    assert [place.name for place, _ in wrong_plugins(files)] == [PLUGIN.digest]
