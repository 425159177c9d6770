"""Bad input is told before anything is asked of a cluster."""

from __future__ import annotations

import importlib.util
import signal
from pathlib import Path

import pytest

from fbench.benchmark.clusters import ray_library
from fbench.benchmark.clusters.options import ClusterOptions
from fbench.benchmark.runs.executor_choice import check_cluster
from fbench.core.errors import UserError


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (ClusterOptions(address="ray://head:10001"), "run the command on a node of the cluster"),
        (ClusterOptions(address="head"), "--ray-address head was given; give auto, or HOST:PORT"),
        (ClusterOptions(address="head:http"), "give auto, or HOST:PORT"),
        (ClusterOptions(address="head:99999"), "give auto, or HOST:PORT"),
        (ClusterOptions(cpus_per_trial=0), "--cpus-per-trial 0 was given"),
        (ClusterOptions(cpus_per_trial=1.5), "--cpus-per-trial 1.5 was given"),
        (ClusterOptions(gpus_per_trial=-1), "--gpus-per-trial -1 was given"),
        (ClusterOptions(gpus_per_trial=float("nan")), "--gpus-per-trial nan was given"),
        (ClusterOptions(gpus_per_trial=0.25), "--gpus-per-trial 0.25 was given, and trials are trained on the CPU"),
    ],
)
def test_what_cannot_be_is_refused(options: ClusterOptions, said: str) -> None:
    with pytest.raises(UserError, match=said):
        check_cluster(options, None, 1, "cpu")


def test_jobs_are_the_cluster_s(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match=r"--jobs 2 was given with --executor ray.*--cpus-per-trial"):
        check_cluster(ClusterOptions(), 2, 1, "cpu")
    with pytest.raises(UserError, match=r"--device mps was given with --executor ray; give cpu or cuda"):
        check_cluster(ClusterOptions(), None, 1, "mps")
    check_cluster(None, 2, 1, "mps")


def test_the_share_of_a_gpu_follows_the_device() -> None:
    assert ClusterOptions().gpus_for("cpu") == 0
    assert ClusterOptions().gpus_for("cuda:1") == 1
    assert ClusterOptions(gpus_per_trial=0.25).gpus_for("cuda") == 0.25


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_library, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'fbench\[ray\]', here and on every node"):
        check_cluster(ClusterOptions(), None, 1, "cpu")


def test_an_old_ray_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_library, "find_spec", lambda name: importlib.util.find_spec("json"))
    monkeypatch.setattr(ray_library, "package_version", lambda name: "2.48.0")
    with pytest.raises(UserError, match=r"needs ray 2.49 or later, and 2.48.0 is installed"):
        ray_library.require_ray()
    monkeypatch.setattr(ray_library, "package_version", lambda name: "2.100.0rc1")
    ray_library.require_ray()


def test_signals_are_the_driver_s_again_after_ray_took_them(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with ray_library.signals_kept():
        signal.signal(signal.SIGTERM, lambda number, frame: None)
    assert signal.getsignal(signal.SIGTERM) == before
