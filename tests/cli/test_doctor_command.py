from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fbench.benchmark.machine import diagnosis
from fbench.benchmark.machine.machine_plan import ChunkRate, JobsRate, MachinePlan, keep_plan, planned_machine
from fbench.cli.app import app
from fbench.core.errors import UserError
from fbench.core.machine import describe_machine


def doctor(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["doctor", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def made_plan(busy_percent: float | None) -> MachinePlan:
    return MachinePlan(
        machine=planned_machine(describe_machine(), "cpu"),
        measured_at="2026-01-01T00:00:00+00:00",
        network="ires",
        batch_size=128,
        busy_percent=busy_percent,
        jobs_rates=(JobsRate(jobs=1, images_per_s=2000.0, memory_per_trial_mib=512.0),),
        chunk_rates=(ChunkRate(images_at_once=128, images_per_s=100_000.0),),
    )


def test_it_names_the_machine_the_rules_of_numerics_and_what_is_refused() -> None:
    text = doctor()
    assert describe_machine().processor in text
    assert "a new run: fp32, channels_last, 1 thread per trial, eager" in text
    assert "tf32 is refused: Precision tf32 was given, which exists on CUDA only" in text
    assert "no plan: nothing was measured on this machine yet; fbench doctor --measure makes one" in text
    assert "empty" in text


def test_a_kept_plan_is_shown_with_its_choice_and_with_what_disturbed_it() -> None:
    keep_plan(made_plan(busy_percent=3.0))
    quiet = doctor()
    assert "plan measured 2026-01-01T00:00:00+00:00 with ires, batches of 128" in quiet
    assert "2,000" in quiet
    assert "plans: 1 file" in quiet
    assert "other work" not in quiet
    keep_plan(made_plan(busy_percent=60.0))
    assert "other work took 60 % of the cores before this was measured; measure again" in doctor()


def test_json_holds_the_same_findings() -> None:
    keep_plan(made_plan(busy_percent=0.0))
    found = json.loads(doctor("--json"))
    cpu = found["devices"][0]
    assert cpu["device"] == "cpu"
    assert cpu["jobs"] == 1
    assert cpu["plan"]["jobs_rates"][0]["images_per_s"] == 2000.0
    assert cpu["numerics"]["memory_format"] == "channels_last"
    assert "tf32" in cpu["refused"]


def test_a_missing_compiler_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert "no C++ compiler was found" in doctor()


def test_an_extra_with_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    requirements = ["numpy>=2", "torch>=2; extra == 'odd'", "no-such-package>=1; extra == 'odd'", "x; extra == 'dev'"]
    monkeypatch.setattr(diagnosis.metadata, "requires", lambda name: requirements)
    text = doctor()
    assert "odd: lacks no-such-package: pip install 'fbench[odd]'" in text
    assert "dev:" not in text


def test_measuring_is_refused_where_the_plan_cannot_be_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("FBENCH_CACHE_DIR", str(tmp_path / "file" / "cache"))
    result = CliRunner().invoke(app, ["doctor", "--measure"])
    assert isinstance(result.exception, UserError)
    assert "A plan cannot be kept in" in str(result.exception)
    assert "FBENCH_CACHE_DIR" in str(result.exception)


def test_a_plan_of_a_machine_that_does_not_tell_how_busy_it_is_has_no_warning() -> None:
    keep_plan(made_plan(busy_percent=None))
    text = doctor()
    assert "plan measured 2026-01-01T00:00:00+00:00" in text
    assert "other work" not in text
