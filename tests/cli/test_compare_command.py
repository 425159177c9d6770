from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fbench.benchmark.store.files import write_cost_file
from fbench.cli.app import app
from fbench.core.errors import UserError
from tests.reports.fabricated_cost import cost, series
from tests.reports.fabricated_run import Recipe, fabricate_run

runner = CliRunner()


@pytest.fixture
def file(tmp_path: Path) -> str:
    write_cost_file(tmp_path / "speed.json", cost(series("ires", 1.0), series("arch1", 1.10, seed=1)))
    return str(tmp_path / "speed.json")


def test_a_condition_that_failed_exits_with_1(file: str) -> None:
    result = runner.invoke(app, ["compare", f"{file}:ires", f"{file}:arch1", "--fail-on", "latency_p50:+5%"])
    assert result.exit_code == 1, result.output
    assert "failed" in result.stdout
    assert "0 held, 0 undecided, 1 failed" in result.stdout


def test_what_is_undecided_is_printed_with_its_reason_and_exits_with_0(file: str) -> None:
    conditions = ["--fail-on", "latency_p50:+10%", "--fail-on", "latency_p50:+20%"]
    result = runner.invoke(app, ["compare", f"{file}:ires", f"{file}:arch1", *conditions])
    assert result.exit_code == 0, result.output
    assert "Undecided: arch1 against ires, latency_p50: both sides of the limit are possible" in result.stdout
    assert "1 held, 1 undecided, 0 failed" in result.stdout


def test_what_is_undecided_exits_with_1_where_that_is_asked_for(file: str) -> None:
    sides = ["compare", f"{file}:ires", f"{file}:arch1", "--fail-on-undecided", "--fail-on"]
    undecided = runner.invoke(app, [*sides, "latency_p50:+10%"])
    assert undecided.exit_code == 1, undecided.output
    assert "0 held, 1 undecided, 0 failed" in undecided.stdout
    assert json.loads(runner.invoke(app, [*sides, "latency_p50:+10%", "--json"]).stdout)["undecided"] is True
    assert runner.invoke(app, [*sides, "latency_p50:+20%"]).exit_code == 0


def test_undecided_conditions_need_a_condition(file: str) -> None:
    result = runner.invoke(app, ["compare", f"{file}:ires", f"{file}:arch1", "--fail-on-undecided"])
    assert isinstance(result.exception, UserError)
    assert "without a condition" in str(result.exception)


def test_what_was_never_measured_is_no_verdict_but_an_error(file: str) -> None:
    result = runner.invoke(app, ["compare", f"{file}:ires", f"{file}:arch1", "--fail-on", "accuracy:-0.5pt"])
    assert isinstance(result.exception, UserError)
    assert "--fail-on accuracy:-0.5pt cannot be held" in str(result.exception)


def test_json_holds_every_condition_with_its_interval(file: str) -> None:
    arguments = ["compare", f"{file}:ires", f"{file}:arch1", "--fail-on", "latency_p50:+5%", "--json"]
    found = json.loads(runner.invoke(app, arguments).stdout)
    (condition,) = found["conditions"]
    assert found["failed"] is True
    assert found["choice"]["outcome"] == "neither"
    assert found["choice"]["sentence"].startswith("Neither A nor B is shown to be better")
    assert condition["condition"] == "latency_p50:+5%"
    assert condition["change"]["low"] < 0.10 < condition["change"]["high"] + 0.02


@pytest.mark.parametrize("condition", [[], ["--fail-on", "latency_p50:+20%"]])
def test_which_to_take_is_the_last_line(file: str, condition: list[str]) -> None:
    result = runner.invoke(app, ["compare", f"{file}:ires", f"{file}:arch1", *condition])
    last = result.stdout.splitlines()[-1]
    assert last.startswith("Neither A nor B is shown to be better: accuracy is not compared (A and B are measurements")


def test_two_names_of_one_run_changed_in_nothing(tmp_path: Path) -> None:
    fabricate_run(tmp_path / "run", Recipe(images=60, seeds=(0, 1)))
    result = runner.invoke(app, ["compare", f"{tmp_path / 'run'}:ires", f"{tmp_path / 'run'}:ires"])
    assert result.stdout.splitlines()[-1].startswith("Nothing changed: same trials, equal counts")


def test_without_a_condition_it_tells_what_changed(file: str) -> None:
    result = runner.invoke(app, ["compare", f"{file}:ires", f"{file}:arch1"])
    assert result.exit_code == 0
    assert "latency_p50" in result.stdout
    assert "verdict" not in result.stdout


def test_a_measurement_of_too_few_blocks_decides_nothing_and_says_so(tmp_path: Path) -> None:
    record = cost(series("ires", 1.0), series("arch1", 3.0, seed=1))
    few = tuple(
        one.model_copy(update={name: getattr(one, name)[:3] for name in ("blocks", "turns", "orders", "times_s")})
        for one in record.series
    )
    write_cost_file(tmp_path / "few.json", record.model_copy(update={"series": few}))
    sides = [f"{tmp_path / 'few.json'}:ires", f"{tmp_path / 'few.json'}:arch1"]
    result = runner.invoke(app, ["compare", *sides, "--fail-on", "latency_p50:+5%"])
    assert result.exit_code == 0
    assert "too few samples" in result.stdout
    assert "there are too few samples for an interval; more blocks" in result.stdout


def test_a_page_is_written_and_conditions_still_decide_the_exit_code(file: str, tmp_path: Path) -> None:
    sides = [f"{file}:ires", f"{file}:arch1"]
    page = tmp_path / "diff.html"
    alone = runner.invoke(app, ["compare", *sides, "-o", str(page)])
    assert alone.exit_code == 0, alone.output
    assert alone.stdout.strip() == str(page)
    assert alone.stderr.startswith("Neither A nor B is shown to be better")
    held = runner.invoke(app, ["compare", *sides, "-o", str(page), "--fail-on", "latency_p50:+5%"])
    assert held.exit_code == 1
    assert "0 held, 0 undecided, 1 failed" in held.stdout
    assert "1 failed" in page.read_text(encoding="utf-8")


def test_json_stays_alone_on_the_output_beside_a_page(file: str, tmp_path: Path) -> None:
    result = runner.invoke(app, ["compare", f"{file}:ires", f"{file}:arch1", "--json", "-o", str(tmp_path / "d.html")])
    assert json.loads(result.stdout)["conditions"]
    assert (tmp_path / "d.html").is_file()


def test_a_page_of_another_kind_of_file_is_refused_before_anything_is_read(file: str) -> None:
    result = runner.invoke(app, ["compare", "nowhere", file, "-o", "diff.pdf"])
    assert result.exit_code != 0
    assert "is no HTML file" in str(result.exception or result.output)
