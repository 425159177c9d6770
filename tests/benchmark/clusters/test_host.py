"""What a host sees to before a trial: devices, packages, versions, and where Python looks for modules."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pretended import specs_in

from fbench.architectures.plugin_sources import PluginSources
from fbench.benchmark.clusters.host import Host
from fbench.benchmark.clusters.parcel import Parcel, SentPlugin
from fbench.benchmark.clusters.versions import versions_here
from fbench.benchmark.records.specs import TrialSpec
from fbench.core.machine import package_version

NO_DATA = np.zeros(0, np.uint8)


class Down:
    """A flag that is never up."""

    is_up = False


def parcel_of(spec: TrialSpec, **changes: Any) -> Parcel:
    given: dict[str, Any] = {"device": "cpu", "cpus": 1.0, "gpus": 0.0, "versions": versions_here(), "flag": "f"}
    return Parcel(spec=spec, **(given | changes))


@pytest.fixture
def spec(tmp_path: Path) -> TrialSpec:
    return specs_in(tmp_path, 1)[0]


@pytest.fixture
def host(tmp_path: Path, spec: TrialSpec, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "path", [*sys.path, "/of/the/driver"])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    found = Host(parcel_of(spec, not_from=("/of/the/driver",)), 8.0, Down())  # type: ignore[arg-type] # as a flag
    yield found
    found._folder.remove()


def said(host: Host, parcel: Parcel) -> list[dict[str, Any]]:
    return [dict(message.values) for message in host.run(parcel, NO_DATA, b"")]


def test_a_trial_on_a_cpu_sees_no_gpu_and_nothing_is_imported_from_the_driver_s_folders(host: Host) -> None:
    host._see_devices("cpu")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ""
    assert "/of/the/driver" not in sys.path


def test_other_versions_are_told_by_name(host: Host, spec: TrialSpec) -> None:
    parcel = parcel_of(spec, versions={**versions_here(), "torch": "1.0", "Python": "3.99"})
    ((message),) = said(host, parcel)
    assert message["of"] == "node"
    assert message["unfit"].startswith("it has torch ")
    assert "(here 1.0), Python " in message["unfit"]


def test_what_a_network_needs_and_the_node_has_not_is_told_by_name(host: Host, spec: TrialSpec) -> None:
    packages = {"numpy": package_version("numpy"), "pydantic": "1.0", "no-such": "2.0"}
    plugin = SentPlugin.of(PluginSources(Path(), "mine.py", {"mine.py": b""}, packages))
    assert said(host, parcel_of(spec, plugin=plugin)) == [
        {
            "unfit": f"the plug-in mine.py needs pydantic 1.0 ({package_version('pydantic')} there), no-such 2.0 "
            "(not installed there)",
            "of": "network",
        }
    ]
    announced = spec.network.model_copy(update={"builder": "theirs", "source_sha256": "0" * 64})
    parcel = parcel_of(spec.model_copy(update={"network": announced}))
    assert said(host, parcel) == [
        {"unfit": "no package there announces the network 'theirs'", "of": "network"},
    ]
