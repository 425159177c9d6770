from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fbench.benchmark.machine import diagnosis
from fbench.benchmark.machine.diagnosis import CompilerDiagnosis
from fbench.benchmark.machine.jobs import choose_jobs
from fbench.cli.app import app
from fbench.core.machine import describe_machine


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
