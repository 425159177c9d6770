"""Networks of plug-ins are resolved in another process, with the digests that this process would give them."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import data_spec_of, make_stripes
from torch import nn

from fbench.ablations.suite import adhoc_suite
from fbench.architectures.plugins import load_plugin
from fbench.architectures.registry import loaded_names, register
from fbench.benchmark.runs.resolution import resolve_suite
from fbench.benchmark.training.networks import describe_network, network_spec
from fbench.benchmark.workers import asking
from fbench.core.errors import UserError

pytestmark = pytest.mark.usefixtures("same_registry_afterwards")
DATA = data_spec_of(make_stripes())
PLUGIN = """
import os
from torch import nn
import fbench

@fbench.register("of_a_plugin")
def build(num_classes=7, in_channels=1, image_size=48):
    {then}
    return nn.Sequential(nn.Flatten(), nn.Linear(in_channels * image_size**2, num_classes))
"""


def written(folder: Path, then: str = "pass") -> Path:
    plugin = folder / "mine.py"
    plugin.write_text(PLUGIN.format(then=then))
    return plugin


@pytest.mark.slow
def test_networks_of_plugins_this_session_and_fbench_are_resolved_together(tmp_path: Path) -> None:
    @register("of_this_session")
    def build(num_classes: int = 7, in_channels: int = 1, image_size: int = 48) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(in_channels * image_size**2, num_classes))

    plugin = written(tmp_path)
    suite = adhoc_suite(["of_a_plugin", "of_this_session", "lenet5"])
    found = resolve_suite(suite, (), {"dropout": 0.3}, [DATA], [plugin])
    assert "of_a_plugin" not in loaded_names(built_in=False)  # its code never ran here
    load_plugin(plugin)
    wanted = network_spec("of_a_plugin", "of_a_plugin", {}, DATA)
    assert found.networks["of_a_plugin", "stripes"] == wanted
    assert found.descriptions[wanted.digest] == describe_network(wanted)
    assert found.networks["lenet5", "stripes"] == network_spec("lenet5", "lenet5", {"dropout": 0.3}, DATA)
    assert found.networks["of_this_session", "stripes"].source_sha256 is not None
    assert found.suite == suite


@pytest.mark.slow
def test_a_plugin_that_ends_its_process_or_hangs_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = adhoc_suite(["of_a_plugin"])
    with pytest.raises(
        UserError, match=r"^The network 'of_a_plugin' \(.*mine\.py\) cannot be used: its .* exit code 0"
    ):
        resolve_suite(suite, (), {}, [DATA], [written(tmp_path, "os._exit(0)")])
    monkeypatch.setattr(asking, "QUESTION_LIMIT_S", 3.0)
    endless = written(tmp_path, "pass")
    endless.write_text("import time; time.sleep(600)")
    with pytest.raises(UserError, match=r"lug-in.* cannot be used: it was not done within its limit of 3 s; mend its"):
        resolve_suite(suite, (), {}, [DATA], [endless])


@pytest.mark.slow
def test_an_edit_of_a_module_beside_a_plug_in_makes_other_networks(tmp_path: Path) -> None:
    plugin = written(tmp_path)
    plugin.write_text(PLUGIN.format(then="import side_of_mine"))
    digests = []
    for text in ("x = 1", "x = 2"):
        (tmp_path / "side_of_mine.py").write_text(text)
        found = resolve_suite(adhoc_suite(["of_a_plugin"]), (), {}, [DATA], [plugin])
        network = found.networks["of_a_plugin", "stripes"]
        assert found.plugins[str(network.plugin_digest)].files["side_of_mine.py"] == text.encode()
        digests.append(network.digest)
    assert digests[0] != digests[1]
