"""Networks that each trip something, together in one run: all are trained, kept and reported."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from coarse_fbench import leave_cost_out

from fbench.ablations.suite import adhoc_suite
from fbench.architectures import registry
from fbench.architectures.registry import create
from fbench.benchmark.runs.planning import plan_run
from fbench.benchmark.runs.request import RunRequest
from fbench.benchmark.runs.session import run
from fbench.benchmark.store.run_table import RunTable
from fbench.core.errors import UserError
from fbench.reports.render.html.build import write_report

PLUGIN = Path(__file__).parent / "plugins" / "as_people_write_them.py"
NETWORKS = ("plain", "convhead", "droppath", "attentionpool", "weightstandard", "tiedlinear", "extrastate", "regions")


def request(folder: Path, *names: str) -> RunRequest:
    plugin = folder / "nets.py"
    shutil.copy(PLUGIN, plugin)
    return RunRequest(
        suite=adhoc_suite(list(names), None),
        preset="smoke",
        plugins=(plugin,),
        out=folder / "run",
        jobs=1,
        device="cpu",
    )


@pytest.fixture(scope="module", autouse=True)
def forgotten_afterwards() -> Iterator[None]:
    """The networks of the plug-in are known in this file alone."""
    create("lenet5")  # all built-in networks are registered from here on
    builders, entries = dict(registry._REGISTRY.builders), dict(registry._REGISTRY.entries)
    yield
    registry._REGISTRY.builders, registry._REGISTRY.entries = builders, entries


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd")
    shutil.copy(PLUGIN, folder / "nets.py")
    return folder


@pytest.fixture(scope="module")
def finished(folder: Path) -> RunTable:
    with pytest.MonkeyPatch.context() as patch:
        leave_cost_out(patch)
        return run(request(folder, *NETWORKS, "cached"))


def test_every_one_is_trained_and_its_weights_are_kept(finished: RunTable) -> None:
    records = {record.spec.network.name: record for record in finished.trials.values()}
    assert set(records) == {*NETWORKS, "cached"}
    assert {record.status for record in records.values()} == {"finished"}
    assert all(finished.folder.has_weights(trial_id) for trial_id in finished.trials)


@pytest.mark.usefixtures("unpainted")
def test_the_report_has_them_all(finished: RunTable) -> None:
    page = write_report([finished.folder.path], finished.folder.path / "report.html").read_text(encoding="utf-8")
    assert all(name in page for name in NETWORKS)
    assert "Left out: Grad-CAM of regions: layer c: it gives 28 sets of maps for 7 images." in page
    assert "Left out: feature maps of regions: layer c: it gives 4 sets of maps for 1 image." in page


def test_what_returns_a_dict_is_refused_before_training(folder: Path) -> None:
    asked = replace(request(folder, "plain", "givesdict"), out=folder / "refused")
    with pytest.raises(UserError, match=r"'givesdict' returns a dict of 1 tensor \(GivesDict\.forward, nets\.py, line"):
        plan_run(asked)
