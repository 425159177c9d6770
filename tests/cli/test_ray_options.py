"""What ``fbench run`` says of a cluster that cannot be had."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fbench.benchmark.clusters import ray_library
from fbench.cli.app import main


def refused(
    arguments: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """The one sentence in which a command is refused, before anything is written."""
    given = ["run", "--arch", "lenet5", "--preset", "smoke", "--device", "cpu", "--out", str(folder / "run")]
    monkeypatch.setattr(sys, "argv", ["fbench", *given, *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capsys.readouterr().err
    assert ended.value.code == 2
    assert printed.startswith("fbench: ")
    assert printed.count("\n") == 1
    assert not (folder / "run").exists()
    return printed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--ray-address", "a:6379"], "--ray-address a:6379 was given without --executor ray"),
        (["--gpus-per-trial", "0.25"], "--gpus-per-trial 0.25 was given without --executor ray"),
        (["--executor", "slurm"], "'slurm'"),
        (["--executor", "ray", "--ray-address", "ray://a:10001"], "--ray-address ray://a:10001 is that of a client"),
        (["--executor", "ray", "--jobs", "1"], "--jobs 1 was given with --executor ray"),
        (["--executor", "ray", "--gpus-per-trial", "4"], "--gpus-per-trial 4 was given, and trials are trained on the"),
        (["--executor", "ray", "--cpus-per-trial", "0"], "--cpus-per-trial 0 was given"),
    ],
)
@pytest.mark.usefixtures("faces_at_hand")
def test_options_that_cannot_be_are_refused(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert said in refused(arguments, tmp_path, monkeypatch, capsys)


@pytest.mark.usefixtures("faces_at_hand")
def test_without_ray_the_extra_that_brings_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ray_library, "find_spec", lambda name: None)
    said = refused(["--executor", "ray"], tmp_path, monkeypatch, capsys)
    assert "--executor ray needs the package ray, which is not installed; get it with pip install 'fbench[ray]'" in said
