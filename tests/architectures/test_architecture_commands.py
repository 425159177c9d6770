"""``fbench list``, ``show``, ``params`` and ``new-arch`` as a user meets them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from support import ask_here
from typer.testing import CliRunner, Result

from fbench.architectures import counts as counting
from fbench.architectures import registry
from fbench.architectures.contract import ContractRow, Counts, built_in_contract, read_contract
from fbench.architectures.counts import Counted
from fbench.architectures.registry import create
from fbench.benchmark.records.network_description import NetworkDescription
from fbench.cli import architectures, network_questions, show
from fbench.core.errors import UserError

app = typer.Typer()
app.command("list")(architectures.list_command)
app.command("show")(show.show_command)
app.command("params")(architectures.params_command)
app.command("new-arch")(architectures.new_arch_command)


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    ask_here(monkeypatch)
    create("lenet5")  # all built-in networks are registered from here on
    builders, entries = dict(registry._REGISTRY.builders), dict(registry._REGISTRY.entries)
    yield
    registry._REGISTRY.builders, registry._REGISTRY.entries = builders, entries


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def sentence(*arguments: str) -> str:
    """The one sentence of a command that fails with bad usage."""
    error = invoke(*arguments).exception
    assert isinstance(error, UserError)
    return str(error)


def test_list_prints_every_name_with_aliases_and_counts() -> None:
    result = invoke("list")
    assert result.exit_code == 0
    assert all(name in result.output for name in built_in_contract())
    line = next(line for line in result.output.splitlines() if line.startswith("mini_xception"))
    assert "(xception)" in line
    assert "56,951" in line
    assert "58,423" in line
    assert "5,520,448" in line


def test_counts_of_all_that_match_a_pattern() -> None:
    rows = json.loads(CliRunner().invoke(app, ["params", "arch?", "lenet5", "arch1", "--json"]).output)
    assert [row["name"] for row in rows] == ["arch1", "arch2", "arch3", "arch4", "lenet5"]


def test_list_as_json_matches_a_pattern() -> None:
    listed = json.loads(invoke("list", "arch*", "--json").output)
    assert [entry["name"] for entry in listed] == ["arch1", "arch2", "arch3", "arch4"]
    assert listed[0]["aliases"] == ["arch-1"]
    assert listed[0]["total_params_keras"] == 293_951


def test_list_of_nothing_is_an_error() -> None:
    assert "No architecture matches 'zzz*'" in sentence("list", "zzz*")


def test_show_has_layers_totals_the_papers_figure_and_the_open_choices() -> None:
    result = invoke("show", "lenet")
    assert result.exit_code == 0
    for text in (
        "lenet5, also lenet",
        "convolution 5x5",
        "Trainable 168,971",
        "MACs 1,234,188",
        "total 1,587,000",
        "-1,418,029: does not match stated",
        "no source for the stated 1,587,000",
        "Choices that were open",
        "image_size=48",
    ):
        assert text in result.output


def test_show_of_a_variant_names_its_builder_and_takes_over_its_open_choices() -> None:
    result = invoke("show", "ires_no_se")
    assert "a variant of ires" in result.output
    assert "The paper prints no count" in result.output
    assert "The SE reduction is not stated" in result.output
    assert "squeeze_excite=none" in result.output


def test_show_as_json_holds_the_network_description() -> None:
    shown = json.loads(invoke("show", "ires", "--json").output)
    assert NetworkDescription.model_validate(shown["network"]).to_json() == shown["network"]
    assert shown["network"]["counts"]["macs"] == 2_877_632
    assert shown["contract"]["difference_from_stated"] == 19
    assert shown["options"]["squeeze_excite"] == 4
    assert len(shown["open_choices"]) >= 5


def test_show_takes_options() -> None:
    options = ("--option", "squeeze_excite=none", "--option", "dropout=0.5")
    shown = json.loads(invoke("show", "ires", *options, "--json").output)
    assert shown["options"]["squeeze_excite"] is None
    assert shown["network"]["counts"]["trainable_params"] == 44_151
    assert shown["contract"]["trainable_params"] is None
    assert "give KEY=VALUE" in sentence("show", "ires", "--option", "squeeze_excite")


def test_params_prints_the_contract() -> None:
    output = invoke("params", "ires", "arch-1").output
    assert "52,663" in output
    assert "exact (stated trainable off by one)" in output
    rows = json.loads(invoke("params", "ires", "--json").output)
    assert rows[0]["macs"] == 2_877_632


def test_check_passes_on_the_committed_contract() -> None:
    result = invoke("params", "--check", "ires", "lenet5")
    assert (result.exit_code, result.output) == (0, "ires, lenet5: as in the contract.\n")


def test_check_prints_a_diff_fails_and_annotates(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {**built_in_contract(), "lenet5": ContractRow("lenet5", Counts(168_970, 0, 1_234_188))}
    monkeypatch.setattr(counting, "built_in_contract", lambda: rows)
    result = invoke("params", "--check", "lenet5")
    assert result.exit_code == 1
    assert "lenet5  trainable_params: contract 168,970, counted 168,971 (+1)" in result.output
    assert "::error" not in result.output
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "::error file=" in invoke("params", "--check", "lenet5").stderr
    assert len(json.loads(invoke("params", "--check", "lenet5", "--json").stdout)["drift"]) == 2


def test_check_and_update_exclude_each_other() -> None:
    assert "give one of them" in sentence("params", "--check", "--update")


def test_a_new_architecture_works_from_its_first_line(tmp_path: Path) -> None:
    result = invoke("new-arch", "my_net")
    assert result.exit_code == 0
    assert "Wrote my_net.py and test_my_net.py, and its row of fbench_contract.toml." in result.output
    assert "fbench show my_net --plugin my_net.py" in result.output
    plugin = ("--plugin", "my_net.py")
    shown = json.loads(invoke("show", "my_net", "--json", *plugin).output)
    by_hand = 9 * 16 + 9 * 16 * 32 + 9 * 32 * 64 + 2 * (16 + 32 + 64) + 64 * 7 + 7
    assert shown["network"]["counts"]["trainable_params"] == by_hand == 23_863
    assert "my_net" in invoke("list", *plugin).output
    assert "trainable_params = 23863" in Path("fbench_contract.toml").read_text()
    assert invoke("params", "--check", "my_net", *plugin).exit_code == 0
    assert "up to date" in invoke("params", "--update", "my_net", *plugin).output
    assert "23,863" in invoke("list", "my_net", *plugin).output


def test_a_row_without_its_network_is_a_drift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "built_in_contract", dict)
    monkeypatch.setattr(counting, "loaded_names", lambda built_in: [])
    (tmp_path / "fbench_contract.toml").write_text(
        "[gone]\ntrainable_params = 1\nbn_running_stats = 0\nmacs = 1\n", encoding="utf-8"
    )
    assert "gone  has a row but is not registered" in invoke("params", "--check").output


@pytest.mark.parametrize("name", ["ires", "class", "My Net", "2net", "xception"])
def test_a_name_that_cannot_be_used_is_refused(name: str) -> None:
    assert f"'{name}'" in sentence("new-arch", name)


@pytest.mark.parametrize("file", ["my_net.py", "test_my_net.py"])
def test_a_file_is_not_overwritten(tmp_path: Path, file: str) -> None:
    (tmp_path / file).write_text("precious", encoding="utf-8")
    assert f"{file} exists and is not overwritten" in sentence("new-arch", "my_net")
    assert [one.name for one in tmp_path.iterdir()] == [file]
    assert (tmp_path / file).read_text(encoding="utf-8") == "precious"


def test_nothing_is_written_beside_a_contract_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "fbench_contract.toml").write_text("[my_net", encoding="utf-8")
    assert "cannot be read as a contract" in sentence("new-arch", "my_net")
    assert [one.name for one in tmp_path.iterdir()] == ["fbench_contract.toml"]


def test_the_rows_of_other_networks_stay_where_one_is_added(tmp_path: Path) -> None:
    invoke("new-arch", "my_net")
    invoke("new-arch", "my_other")
    rows = read_contract(tmp_path / "fbench_contract.toml")
    assert list(rows) == ["my_net", "my_other"]


@pytest.mark.slow
def test_the_tests_of_a_new_architecture_pass_as_written_and_fail_when_it_changes(tmp_path: Path) -> None:
    invoke("new-arch", "my_net")
    tested = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_net.py"]
    done = subprocess.run(tested, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout
    plugin = tmp_path / "my_net.py"
    plugin.write_text(plugin.read_text().replace("width: int = 16", "width: int = 8"))
    changed = subprocess.run(tested, cwd=tmp_path, capture_output=True, text=True)
    assert changed.returncode == 1
    assert "trainable_params: contract 23,863" in changed.stdout


@pytest.fixture
def plugin(tmp_path: Path) -> str:
    return shutil.copy(Path(__file__).parent.parent / "plugins" / "as_people_write_them.py", tmp_path / "nets.py")


def shown(name: str, plugin: str) -> dict[str, Any]:
    network: dict[str, Any] = json.loads(invoke("show", name, "--plugin", plugin, "--json").output)["network"]
    return network


PLAIN = 24 * 24 * 8 * 9 + 56


@pytest.mark.parametrize(
    ("name", "macs"),
    [
        ("plain", PLAIN),
        ("lstm", PLAIN + 24 * 4 * 8 * (8 + 8)),
        ("lstmguarded", PLAIN + 24 * 4 * 8 * (8 + 8)),
        ("bilinear", PLAIN + 8 * 8 * 8),
        ("frozentrunk", PLAIN + 24 * 24 * 8 * 8),
        ("droppath", PLAIN + 3 * 24 * 24 * 8 * 8 * 9),
        ("weightstandard", PLAIN + 24 * 24 * 8 * 8 * 9),
        ("attentionpool", PLAIN + 24 * 24 * 8),
        ("regions", PLAIN),
    ],
)
def test_show_counts_networks_as_people_write_them(name: str, macs: int, plugin: str) -> None:
    network = shown(name, plugin)
    assert network["counts"]["macs"] == macs == sum(row["macs"] for row in network["modules"])
    assert network["not_counted"] == []
    assert network["output_shape"] == [7]


def test_show_says_with_whom_a_layer_shares_its_weights(plugin: str) -> None:
    network = shown("tied", plugin)
    assert sum(row["trainable_params"] for row in network["modules"]) == network["counts"]["trainable_params"] == 719
    assert "(576 in g.weight)" in invoke("show", "tied", "--plugin", plugin).output


def test_show_calls_frozen_what_needs_no_gradient(plugin: str) -> None:
    counts = shown("frozenstem", plugin)["counts"]
    assert (counts["trainable_params"], counts["frozen_params"], counts["total_params_keras"]) == (63, 80, 143)
    assert "Trainable 63 (PyTorch convention) + frozen 80" in invoke("show", "frozenstem", "--plugin", plugin).output


FOURIER = """
import torch
from torch import nn
from fbench import register

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head = nn.Linear(48 * 25, 7)
    def forward(self, x):
        return self.head(torch.fft.rfft2(x).abs().flatten(1))

@register("fourier")
def build(*, num_classes: int = 7, in_channels: int = 1, image_size: int = 48) -> nn.Module:
    return Net()
"""


def test_the_gate_fails_on_an_operation_that_is_not_counted(tmp_path: Path) -> None:
    Path("fourier.py").write_text(FOURIER)
    assert invoke("params", "fourier", "--update", "--plugin", "fourier.py").exit_code == 0
    result = invoke("params", "fourier", "--check", "--plugin", "fourier.py")
    assert result.exit_code == 1
    assert "fourier  macs: _fft_r2c is not counted (1 call); no formula is known for it" in result.output
    assert "NOT COUNTED: _fft_r2c in 1 call" in invoke("show", "fourier", "--plugin", "fourier.py").output


def test_the_gate_holds_frozen_parameters_too(plugin: str) -> None:
    invoke("params", "frozenstem", "--update", "--plugin", plugin)
    row = Path("fbench_contract.toml")
    assert "frozen_params = 80" in row.read_text()
    assert invoke("params", "frozenstem", "--check", "--plugin", plugin).exit_code == 0
    row.write_text(row.read_text().replace("frozen_params = 80\n", ""))
    result = invoke("params", "frozenstem", "--check", "--plugin", plugin)
    assert result.exit_code == 1
    assert "frozen_params: contract 0, counted 80 (+80)" in result.output


def test_a_network_that_cannot_be_counted_does_not_hold_up_the_others(
    plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, really = built_in_contract(), counting.count

    def count(name: str) -> Counted:
        """The built-in networks have the counts of their rows, as the tests of the contract show by counting."""
        counts = rows[name].counts if name in rows else None
        return really(name) if counts is None else Counted(counts, ())

    monkeypatch.setattr(network_questions, "count", count)
    file = Path("broken.py")
    text = (
        Path(plugin).read_text()
        + "\n\n@reg\nclass Broken(Base):\n    def mid(self, x):\n        raise ValueError('x')\n"
    )
    file.write_text(text)
    said = sentence("params", "--update", "--plugin", str(file))
    assert said.startswith("'broken' has no new counts, all others have: The network 'broken' raised ValueError: x")
    result = invoke("params", "broken", "plain", "--check", "--plugin", str(file))
    assert result.exit_code == 1
    assert [line.split()[0] for line in result.output.splitlines()[:-1]] == ["broken"]
