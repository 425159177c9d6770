from __future__ import annotations

import json
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from support import ask_here
from typer.testing import CliRunner

import fbench
from fbench.benchmark.machine import diagnosis
from fbench.benchmark.machine.diagnosis import CompilerDiagnosis
from fbench.benchmark.machine.jobs import choose_jobs
from fbench.benchmark.runs import repetitions
from fbench.benchmark.training.repetition import Difference, Repetition
from fbench.cli.app import app
from fbench.core.errors import UserError
from fbench.core.machine import describe_machine, package_version

ROOT = Path(__file__).parents[2]


def doctor(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["doctor", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_it_names_the_machine_the_rules_of_numerics_and_what_is_refused() -> None:
    text = doctor()
    assert describe_machine().processor in text
    assert "a new run: fp32, channels_last, 1 thread per trial, eager" in text
    assert "tf32 is refused: Precision tf32 was given, which exists on CUDA only" in text
    assert f"trials at a time: {choose_jobs(None, 'cpu')} (at most" in text
    assert "empty" in text


def test_json_holds_the_same_findings() -> None:
    found = json.loads(doctor("--json"))
    cpu = found["devices"][0]
    assert cpu["device"] == "cpu"
    assert cpu["jobs"] == cpu["jobs_limit"] == choose_jobs(None, "cpu")
    assert cpu["numerics"]["memory_format"] == "channels_last"
    assert "tf32" in cpu["refused"]


def test_a_missing_compiler_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert "no C++ compiler was found" in doctor()


def test_the_compiler_is_tried_only_where_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = CompilerDiagnosis(compiler="/bin/some-compiler", seconds=3.5)
    monkeypatch.setattr(diagnosis, "_compiler", lambda: "/bin/some-compiler")
    monkeypatch.setattr(diagnosis, "_tried_compiler", lambda: tried)
    assert "/bin/some-compiler was found; fbench doctor --compile tries it" in doctor()
    assert "works with /bin/some-compiler" in doctor("--compile")


def test_an_extra_with_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    requirements = ["numpy>=2", "torch>=2; extra == 'odd'", "no-such-package>=1; extra == 'odd'", "x; extra == 'dev'"]
    monkeypatch.setattr(diagnosis.metadata, "requires", lambda name: requirements)
    text = doctor()
    assert "odd: lacks no-such-package: pip install 'fbench[odd]'" in text
    assert "dev:" not in text


def test_a_checkout_that_is_not_installed_is_diagnosed_by_its_own_declarations(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        if name == "fbench":
            raise PackageNotFoundError(name)
        return version(name)

    def missing_requirements(name: str) -> list[str]:
        raise PackageNotFoundError(name)

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    monkeypatch.setattr(diagnosis.metadata, "requires", missing_requirements)
    monkeypatch.setattr("fbench.core.machine.metadata.version", missing)
    found = {one.extra: one.missing for one in diagnosis._extras()}
    assert found.keys() == project["optional-dependencies"].keys() - {"dev"}
    assert found["onnx"] == ()  # the environment of the tests has it
    assert diagnosis._declared_extras()["nvidia"] == ["nvidia-ml-py"]
    assert package_version("fbench") == fbench.__version__
    assert package_version("no-such-package") == "not installed"
    assert "Extras" in doctor()


def test_a_copied_package_without_its_declarations_has_no_extras_to_tell_of(tmp_path: Path) -> None:
    assert diagnosis._extras_of_checkout(tmp_path / "pyproject.toml") == {}
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "theirs"\n', encoding="utf-8")
    assert diagnosis._extras_of_checkout(tmp_path / "pyproject.toml") == {}


NOISY = """
import time
import torch
from torch import nn
import fbench

class Noise(nn.Module):
    def forward(self, x):
        return x + time.time_ns() % 1000 / 1e5

@fbench.register("noisy")
def noisy(num_classes: int = 7, in_channels: int = 1, image_size: int = 48) -> nn.Module:
    return nn.Sequential(nn.Flatten(), Noise(), nn.Linear(in_channels * image_size**2, num_classes))

@fbench.register("broken")
def broken(num_classes: int = 7, in_channels: int = 1, image_size: int = 48) -> nn.Module:
    raise ValueError("no")
"""


@pytest.fixture
def plugin(tmp_path: Path) -> str:
    (tmp_path / "noisy.py").write_text(NOISY, encoding="utf-8")
    return str(tmp_path / "noisy.py")


@pytest.mark.usefixtures("same_registry_afterwards")
def test_networks_that_do_not_repeat_their_bits_are_found_and_fail(
    plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_here(monkeypatch)
    assert doctor("--determinism", "lenet5", "--device", "cpu") == "lenet5: same bits (4 steps on cpu)\n"
    arguments = ["doctor", "--determinism", "lenet", "--determinism", "nois*", "--plugin", plugin, "--device", "cpu"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "lenet5: same bits (4 steps on cpu)",
        "noisy: differs: first in layer '1' (Noise) after step 1, in what it gives",
    ]
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 1
    lenet5, noisy = json.loads(result.output)
    assert lenet5 == {
        "network": "lenet5",
        "device": "cpu",
        "steps": 4,
        "difference": None,
        "without_deterministic_algorithm": [],
    }
    assert noisy["difference"] == {"layer": "1", "layer_class": "Noise", "what": "output", "step": 1}


@pytest.mark.usefixtures("same_registry_afterwards")
def test_a_network_that_cannot_be_tried_for_its_bits_holds_up_no_other(
    plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask_here(monkeypatch)
    arguments = ["doctor", "--determinism", "broken", "--determinism", "lenet5", "--plugin", plugin, "--device", "cpu"]
    result = CliRunner().invoke(app, arguments)
    assert result.stdout == "lenet5: same bits (4 steps on cpu)\n"
    assert isinstance(result.exception, UserError)
    assert "'broken' could not be tried, all others were: The network 'broken' raised ValueError" in str(
        result.exception
    )
    assert json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)[1]["network"] == "broken"


def test_an_operation_without_a_deterministic_algorithm_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on CUDA."""
    found = Repetition(network="lenet5", device="cuda:0", steps=4, difference=None)
    found = found.model_copy(update={"without_deterministic_algorithm": ("scatter_add_cuda_kernel",)})
    monkeypatch.setattr(repetitions, "repetitions", lambda *given: iter([("lenet5", found)]))
    assert "same bits (4 steps on cuda:0); no deterministic algorithm is known for scatter_add_cuda" in doctor(
        "--determinism", "lenet5"
    )
    differs = Difference(layer="", layer_class="", what="logits", step=4)
    found = found.model_copy(update={"difference": differs})
    result = CliRunner().invoke(app, ["doctor", "--determinism", "lenet5"])
    assert result.exit_code == 1
    assert "differs: first in the logits after step 4, of the same weights; no deterministic algorithm" in result.output


def test_a_run_and_networks_are_not_looked_at_together() -> None:
    result = CliRunner().invoke(app, ["doctor", "run", "--determinism", "lenet5"])
    assert isinstance(result.exception, UserError)
    assert "give one of them" in str(result.exception)
