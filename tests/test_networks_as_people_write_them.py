"""Networks that each trip something, together in one run: all are trained, kept and reported.

They are defined in this session, where they run in this very process. As a plug-in, which is slow, each is trained and
has its maps made in a worker process of its own: there are those that keep or give something beside plain weights.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Iterator
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

SOURCE = Path(__file__).parent / "plugins" / "as_people_write_them.py"
NETWORKS = (
    "plain",
    "convhead",
    "droppath",
    "attentionpool",
    "weightstandard",
    "tiedlinear",
    "extrastate",
    "regions",
    "cached",
)


IN_WORKERS = ("tiedlinear", "extrastate", "regions", "cached")


def request(out: Path, plugins: tuple[Path, ...], *names: str) -> RunRequest:
    return RunRequest(
        suite=adhoc_suite(list(names), None), preset="smoke", plugins=plugins, out=out, jobs=1, device="cpu"
    )


@pytest.fixture(
    scope="module", params=["in this session", pytest.param("as a plug-in", marks=pytest.mark.slow)], autouse=True
)
def plugins(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, ...]]:
    """The networks are known in this file alone: by their import, or by the plug-in that is named."""
    create("lenet5")  # all built-in networks are registered from here on
    builders, entries = dict(registry._REGISTRY.builders), dict(registry._REGISTRY.entries)
    file = tmp_path_factory.mktemp("plugin") / "nets.py"
    shutil.copy(SOURCE, file)
    if request.param == "as a plug-in":
        yield (file,)
    else:
        spec = importlib.util.spec_from_file_location("nets", file)
        assert spec is not None
        assert spec.loader is not None
        sys.modules["nets"] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield ()
        del sys.modules["nets"]
    registry._REGISTRY.builders, registry._REGISTRY.entries = builders, entries


@pytest.fixture(scope="module")
def finished(plugins: tuple[Path, ...], tmp_path_factory: pytest.TempPathFactory, rendered_faces: Path) -> RunTable:
    folder = tmp_path_factory.mktemp("odd")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FBENCH_CACHE_DIR", str(shutil.copytree(rendered_faces, folder / "cache")))
        leave_cost_out(patch)
        return run(request(folder / "run", plugins, *(IN_WORKERS if plugins else NETWORKS)))


def test_every_one_is_trained_and_its_weights_are_kept(finished: RunTable, plugins: tuple[Path, ...]) -> None:
    records = {record.spec.network.name: record for record in finished.trials.values()}
    assert set(records) == set(IN_WORKERS if plugins else NETWORKS)
    assert {record.status for record in records.values()} == {"finished"}
    assert all(finished.folder.has_weights(trial_id) for trial_id in finished.trials)


@pytest.mark.usefixtures("unpainted")
def test_the_report_has_them_all(finished: RunTable) -> None:
    page = write_report([finished.folder.path], finished.folder.path / "report.html").read_text(encoding="utf-8")
    assert all(name in page for name in finished.networks)
    assert "Left out: Grad-CAM of regions: layer c: it gives 28 sets of maps for 7 images." in page
    assert "Left out: feature maps of regions: layer c: it gives 4 sets of maps for 1 image." in page


@pytest.mark.usefixtures("faces_at_hand")
def test_what_returns_a_dict_is_refused_before_training(plugins: tuple[Path, ...], tmp_path: Path) -> None:
    asked = request(tmp_path / "refused", plugins, "plain", "givesdict")
    with pytest.raises(UserError, match=r"'givesdict' returns a dict of 1 tensor \(GivesDict\.forward, nets\.py, line"):
        plan_run(asked)
